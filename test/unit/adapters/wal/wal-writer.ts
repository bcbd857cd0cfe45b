// A process for wal-journal.spec.ts: appends numbered records, tells its parent how many are synced, until it is killed.
import { walJournal } from '../../../../src/adapters/wal/index.ts'
import { record } from '../../../contract/journal.ts'

const [path = '', first = '0'] = process.argv.slice(2)
const logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }
const journal = await walJournal({ path, logger })
for (let next = Number(first); ; next += 5) {
  const group = [0, 1, 2, 3, 4].map(step =>
    journal.append([record(next + step)], { sync: step % 2 === 0 })
  )
  await Promise.all(group)
  process.send?.(next + 5)
}
