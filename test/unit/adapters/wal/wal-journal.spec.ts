// Goal: appends share fsyncs, failures poison, and synced records survive SIGKILL. Method: a file that counts and fails; a child process that is killed.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { walJournal } from '../../../../src/adapters/wal/index.ts'
import type { Journal } from '../../../../src/ports/index.ts'
import { readAll, record } from '../../../contract/journal.ts'
import { holding, MemoryFile } from '../../../support/memory-file.ts'

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

async function fresh(): Promise<{ file: MemoryFile; journal: Journal }> {
  const folder = await mkdtemp(join(tmpdir(), 'can-swarm-wal-'))
  const path = join(folder, 'journal.wal')
  await (await walJournal({ path, logger: silent })).close()
  const file = new MemoryFile(await readFile(path))
  await rm(folder, { recursive: true })
  const journal = await walJournal({ path, logger: silent, files: holding(file) })
  file.syncs = 0
  return { file, journal }
}

describe('adapters/wal: group commit', () => {
  it('shares one write and one fsync among appends of one turn', async () => {
    const { file, journal } = await fresh()
    await Promise.all([1, 2, 3, 4].map(number => journal.append([record(number)], { sync: true })))
    assert.deepEqual([file.writes, file.syncs], [1, 1])
  })

  it('lets appends that come during an fsync share the next one', async () => {
    const { file, journal } = await fresh()
    const gate = Promise.withResolvers<void>()
    file.gate = gate.promise
    const first = journal.append([record(1)], { sync: true })
    while (file.syncs === 0) await new Promise(resolve => setImmediate(resolve))
    const later = [2, 3, 4].map(number => journal.append([record(number)], { sync: true }))
    gate.resolve()
    await Promise.all([first, ...later])
    assert.equal(file.syncs, 2)
  })

  it('does not resolve a synced append before its fsync, and needs none for an unsynced one', async () => {
    const { file, journal } = await fresh()
    await journal.append([record(1)], { sync: false })
    assert.equal(file.syncs, 0)
    const gate = Promise.withResolvers<void>()
    file.gate = gate.promise
    let isDone = false
    const synced = journal.append([record(2)], { sync: true }).then(() => {
      isDone = true
    })
    while (file.syncs === 0) await new Promise(resolve => setImmediate(resolve))
    assert.equal(isDone, false)
    gate.resolve()
    await synced
  })

  it('writes what needs no fsync within the turn', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'can-swarm-wal-'))
    const journal = await walJournal({ path: join(folder, 'journal.wal'), logger: silent })
    let isLater = false
    setImmediate(() => {
      isLater = true
    })
    await journal.append([record(1)], { sync: false })
    assert.equal(isLater, false)
    assert.equal((await readAll(journal)).length, 1)
    await journal.close()
    await rm(folder, { recursive: true })
  })
})

describe('adapters/wal: failure', () => {
  for (const on of ['write', 'sync'] as const) {
    it(`is poisoned by a failed ${on}, for waiting and later appends alike`, async () => {
      const { file, journal } = await fresh()
      file.failing = { on, code: 'EIO' }
      const first = journal.append([record(1)], { sync: true })
      const second = journal.append([record(2)], { sync: false })
      await assert.rejects(first, { code: 'JOURNAL_FAILED' })
      await assert.rejects(second, { code: 'JOURNAL_FAILED' })
      file.failing = null
      await assert.rejects(journal.append([record(3)], { sync: true }), { code: 'JOURNAL_FAILED' })
      await journal.close()
    })
  }

  it('says that the disk is full', async () => {
    const { file, journal } = await fresh()
    file.failing = { on: 'write', code: 'ENOSPC' }
    await assert.rejects(
      journal.append([record(1)], { sync: true }),
      /the disk is full; free some space/
    )
  })

  it('names the file and the reason when it cannot be opened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'can-swarm-wal-'))
    await assert.rejects(walJournal({ path: folder, logger: silent }), error => {
      const { code, message } = error as { code: string; message: string }
      return code === 'JOURNAL_FAILED' && message.includes(folder)
    })
    await rm(folder, { recursive: true })
  })
})

describe('adapters/wal: on disk', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'can-swarm-wal-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('creates the file with mode 0600 and finishes a creation that was cut short', async () => {
    const path = join(folder, 'journal.wal')
    await writeFile(`${path}.new`, 'half')
    await (await walJournal({ path, logger: silent })).close()
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  it('holds every record that was reported as synced when the process is killed in the middle of writes', async function () {
    this.timeout(20_000)
    const path = join(folder, 'journal.wal')
    for (let round = 0; round < 3; round++) {
      const before = await readBack(path)
      const confirmed = await writeUntilKilled(path, before.length)
      const after = await readBack(path)
      assert.ok(confirmed > before.length, 'the child wrote something')
      assert.ok(
        after.length >= confirmed,
        `round ${round}: ${after.length} records, ${confirmed} confirmed`
      )
      assert.deepEqual(
        after.slice(0, confirmed),
        Array.from({ length: confirmed }, (_, number) => record(number))
      )
    }
  })
})

async function readBack(path: string): Promise<Uint8Array[]> {
  const journal = await walJournal({ path, logger: silent })
  const records = await readAll(journal)
  await journal.close()
  return records
}

/** Runs a writer that goes on from `first`, kills it with SIGKILL in flight; how many records it had confirmed. */
function writeUntilKilled(path: string, first: number): Promise<number> {
  return new Promise(resolve => {
    const child = fork(new URL('./wal-writer.ts', import.meta.url), [path, String(first)])
    let confirmed = first
    child.on('message', (count: number) => {
      confirmed = count
      if (count >= first + 150) child.kill('SIGKILL')
    })
    child.on('exit', () => resolve(confirmed))
  })
}
