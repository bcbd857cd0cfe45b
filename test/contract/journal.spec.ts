// Goal: the journal port means the same on disk and in memory. Method: one suite, two set-ups.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryDisk, memoryJournal } from '../../src/adapters/memory/index.ts'
import { walJournal } from '../../src/adapters/wal/index.ts'
import { runJournalContract } from './journal.ts'

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

runJournalContract('memory', async () => {
  const disk = new MemoryDisk()
  return { open: async () => memoryJournal(disk), dispose: async () => {} }
})

runJournalContract('write-ahead log', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'can-swarm-journal-'))
  return {
    open: () => walJournal({ path: join(folder, 'journal.wal'), logger: silent }),
    dispose: () => rm(folder, { recursive: true })
  }
})
