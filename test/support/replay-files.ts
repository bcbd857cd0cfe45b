/**
 * Replays the records that it is given, and prints their reports: for tests that run it elsewhere, by another Node, or as somebody else.
 * `node test/support/replay-files.ts FILE...`
 */
import { replayRecord } from '../../src/replay/index.ts'

for (const file of process.argv.slice(2)) {
  const { path: _, ...report } = await replayRecord(file)
  process.stdout.write(`${JSON.stringify(report)}\n`)
}
