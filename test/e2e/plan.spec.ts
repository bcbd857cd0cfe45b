/**
 * Goal: a plan of several tasks is done by several nodes, in order, and survives the death of its coordinator (R21). Method: real processes count the words of
 * a text; the records of the plan and of each task tell who did what after what, and replay to the same bytes.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addArtifact,
  countWords,
  decodeCounts,
  fetchArtifact,
} from '../../src/agents/index.ts'
import type { PlanReport } from '../../src/testnet/index.ts'
import { packageRoot } from '../../src/testnet/index.ts'
import {
  endOf,
  freshFolder,
  nodeOf,
  runCli,
  SHORT_WINDOWS,
  startTestnet,
  stopTestnet,
  viewWhen
} from '../support/testnet.ts'

const TTL_MS = 110_000

describe('e2e/plan', () => {
  const folder = freshFolder()
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** Two parts and a bit of a real text. */
  const text = (): Uint8Array =>
    readFileSync(join(packageRoot(), 'protocols', 'thread', 'README.md')).subarray(0, 34_000)

  it('is done by several nodes in order, and every record of it replays to the same bytes', async () => {
    const path = join(folder, 'text.txt')
    writeFileSync(path, text())
    const { status, stdout, stderr } = await runCli([
      ...['testnet', 'demo', '--plan', path, '--json'],
      ...['--dir', join(folder, 'demo')]
    ])
    assert.equal(status, 0, stderr)
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as PlanReport
    assert.deepEqual(report.problems, [])
    assert.equal(report.phase, 'FINAL')
    assert.ok(report.workers.length >= 2, `workers: ${report.workers}`)
    assert.ok(!report.workers.includes(report.coordinator ?? ''), 'nobody pays itself')
    assert.ok(report.tasks.length >= 4)
    for (const { task, isInOrder, replay } of report.tasks)
      assert.ok(isInOrder && replay.finalizeBytesEqual, task)
    const merge = report.tasks.at(-1)
    assert.equal(merge?.waitsFor.length, report.tasks.length - 2)
    const [counts] = decodeCounts(readFileSync(report.resultPath ?? ''))
    assert.deepEqual(new Map(counts), new Map([...countWords(text())].sort()))
  })
})
