// Goal: the archive port means the same on disk and in memory. Method: one suite, two set-ups.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { levelArchive } from '../../src/adapters/level/index.ts'
import { memoryArchive } from '../../src/adapters/memory/index.ts'
import type { ArchiveEntry } from '../../src/ports/index.ts'
import { runArchiveContract } from './archive.ts'

runArchiveContract('memory', async () => {
  const kept = new Map<string, ArchiveEntry>()
  return { open: async () => memoryArchive(kept), dispose: async () => {} }
})

runArchiveContract('LevelDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'can-swarm-archive-'))
  return {
    open: () => levelArchive({ path: join(folder, 'archive') }),
    dispose: () => rm(folder, { recursive: true })
  }
})

describe('contract/archive: a folder that is no archive', () => {
  it('is refused with what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'can-swarm-archive-'))
    const path = join(folder, 'file')
    await writeFile(path, 'in the way')
    await assert.rejects(levelArchive({ path }), { code: 'ARCHIVE_UNAVAILABLE' })
    await rm(folder, { recursive: true })
  })
})
