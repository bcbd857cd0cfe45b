// Goal: the memory journal loses what a real disk may lose. Method: crash the disk between writes and reopen.
import assert from 'node:assert/strict'
import { MemoryDisk, memoryJournal } from '../../../../src/adapters/memory/index.ts'
import { readAll, record } from '../../../contract/journal.ts'

describe('adapters/memory/memory-journal', () => {
  it('drops unsynced records in a crash and keeps synced ones', async () => {
    const disk = new MemoryDisk()
    const journal = memoryJournal(disk)
    await journal.append([record(1)], { sync: true })
    await journal.append([record(2), record(3)], { sync: false })
    disk.crash()
    assert.deepEqual(await readAll(memoryJournal(disk)), [record(1)])
  })

  it('keeps as many unsynced records as the crash says and counts a torn one as cut', async () => {
    const disk = new MemoryDisk()
    await memoryJournal(disk).append([record(1), record(2), record(3)], { sync: false })
    disk.crash({ kept: 1, torn: true })
    assert.deepEqual(await readAll(memoryJournal(disk)), [record(1)])
    assert.equal(disk.cuts, 1)
  })

  it('syncs earlier unsynced records with a later synced one', async () => {
    const disk = new MemoryDisk()
    const journal = memoryJournal(disk)
    await journal.append([record(1)], { sync: false })
    await journal.append([record(2)], { sync: true })
    disk.crash()
    assert.deepEqual(await readAll(memoryJournal(disk)), [record(1), record(2)])
    assert.equal(disk.syncs, 1)
  })

  it('is poisoned by a failure, and dead after a crash', async () => {
    const disk = new MemoryDisk()
    const journal = memoryJournal(disk)
    disk.fail('ENOSPC')
    await assert.rejects(journal.append([record(1)], { sync: true }), { code: 'JOURNAL_FAILED' })
    disk.crash()
    await assert.rejects(journal.append([record(1)], { sync: true }), { code: 'JOURNAL_FAILED' })
    await memoryJournal(disk).append([record(1)], { sync: true })
  })
})
