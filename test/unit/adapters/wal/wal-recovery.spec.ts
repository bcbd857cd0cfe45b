// Goal: what a crash or a bad disk leaves is either recovered to the byte or refused (R13).
// Method: build a small journal, damage it in every possible place, open it again.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import {
  FILE_HEADER_SIZE,
  fileHeader,
  MARK_SIZE,
  RECORD_HEADER_SIZE,
  writeMark,
  writeRecord
} from '../../../../src/adapters/wal/format.ts'
import { walJournal } from '../../../../src/adapters/wal/index.ts'
import type { Journal } from '../../../../src/ports/index.ts'
import { readAll, record } from '../../../contract/journal.ts'
import { holding, MemoryFile } from '../../../support/memory-file.ts'

const RECORDS = [record(1), record(2), record(3), record(4)]
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

function open(file: MemoryFile, warnings: unknown[] = []): Promise<Journal> {
  const logger = { ...silent, warn: (_: string, details?: unknown) => warnings.push(details) }
  return walJournal({ path: 'test.wal', logger, files: holding(file) })
}

/** A sound file of RECORDS, each of them synced before the next was written, and where each record and mark starts. */
function soundFile(
  records: readonly Uint8Array[] = RECORDS,
  filling = 9
): { bytes: Uint8Array; starts: number[]; items: number[] } {
  const salt = new Uint8Array(8).fill(filling)
  const starts: number[] = []
  const items: number[] = []
  const bytes = new Uint8Array(
    FILE_HEADER_SIZE +
      records.reduce((sum, payload) => sum + RECORD_HEADER_SIZE + payload.length, 0) +
      MARK_SIZE * (records.length - 1)
  )
  bytes.set(fileHeader(salt))
  let offset = FILE_HEADER_SIZE
  for (const payload of records) {
    if (starts.length > 0) {
      items.push(offset)
      offset += writeMark(bytes, offset, { salt, offset })
    }
    starts.push(offset)
    items.push(offset)
    offset += writeRecord(bytes, offset, { salt, offset, payload })
  }
  return { bytes, starts, items }
}

describe('adapters/wal: torn tail', () => {
  it('cuts a tail torn at every byte of the last record, and appends after it', async () => {
    const { bytes, starts } = soundFile()
    const last = starts[3] as number
    for (let size = last; size < bytes.length; size++) {
      const file = new MemoryFile(bytes.subarray(0, size))
      const warnings: unknown[] = []
      const journal = await open(file, warnings)
      assert.deepEqual(await readAll(journal), RECORDS.slice(0, 3), `cut at ${size}`)
      assert.equal(warnings.length, size === last ? 0 : 1)
      assert.equal(file.bytes.length, last)
      await journal.append([record(9)], { sync: true })
      assert.deepEqual(await readAll(await open(file)), [...RECORDS.slice(0, 3), record(9)])
    }
  })

  it('cuts a tail of zeros or noise, as a lost power leaves it', async () => {
    const { bytes, starts } = soundFile()
    for (const filling of [0, 0xff, 0x10]) {
      const torn = new Uint8Array(bytes.length + 5000).fill(filling)
      torn.set(bytes.subarray(0, (starts[3] as number) + 5))
      assert.deepEqual(await readAll(await open(new MemoryFile(torn))), RECORDS.slice(0, 3))
    }
  })

  it('does not take a record inside a torn payload for a good one', async () => {
    // A stranger's envelope may carry bytes of a journal; salt and offset keep them from counting.
    const inner = soundFile().bytes
    const { bytes } = soundFile([record(1), inner])
    const torn = bytes.subarray(0, bytes.length - 1)
    assert.deepEqual(await readAll(await open(new MemoryFile(torn))), [record(1)])
  })

  it('does not take a record of another journal, left on the disk, for a good one', async () => {
    const { bytes, starts } = soundFile()
    const mixed = soundFile(RECORDS, 8).bytes
    mixed.set(bytes.subarray(0, (starts[2] as number) + 4))
    assert.deepEqual(await readAll(await open(new MemoryFile(mixed))), RECORDS.slice(0, 2))
  })

  it('syncs at open what only the page cache may hold', async () => {
    const file = new MemoryFile(soundFile().bytes)
    await open(file)
    assert.equal(file.syncs, 1)
  })
})

describe('adapters/wal: damage', () => {
  it('detects one flipped bit in every position: cut in what no mark vouches for, refused before it', async () => {
    const { bytes, items } = soundFile()
    const last = items.at(-2) as number
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice()
      const at = bit >> 3
      damaged[at] = (damaged[at] as number) ^ (1 << (bit & 7))
      const file = new MemoryFile(damaged)
      if (at >= last) {
        assert.deepEqual(await readAll(await open(file)), RECORDS.slice(0, 3), `bit ${bit}`)
        continue
      }
      const offset = at < FILE_HEADER_SIZE ? 0 : Math.max(...items.filter(start => start <= at))
      await assert.rejects(
        open(file),
        error => {
          const { code, details } = error as { code: string; details: { offset: number } }
          return code === 'JOURNAL_CORRUPT' && details.offset === offset
        },
        `bit ${bit}`
      )
      assert.deepEqual(file.bytes, damaged, 'a refused file is left alone')
    }
  })

  it('refuses a file that is empty, foreign or of another format', async () => {
    await assert.rejects(open(new MemoryFile()), { code: 'JOURNAL_CORRUPT' })
    await assert.rejects(open(new MemoryFile(new Uint8Array(100))), { code: 'JOURNAL_CORRUPT' })
    const folder = await mkdtemp(join(tmpdir(), 'can-swarm-wal-'))
    const path = join(folder, 'journal.wal')
    await (await walJournal({ path, logger: silent })).close()
    const bytes = new Uint8Array(await readFile(path))
    bytes[8] = 3
    new DataView(bytes.buffer).setUint32(20, crc32(bytes.subarray(0, 20)), true)
    await assert.rejects(open(new MemoryFile(bytes)), { code: 'JOURNAL_VERSION' })
    await rm(folder, { recursive: true })
  })

  it('searches megabytes of damaged tail in seconds, whatever lengths they claim', async () => {
    const { bytes } = soundFile()
    const torn = new Uint8Array(3_000_000)
    // Every fourth byte a 1: most positions claim a small, plausible length.
    for (let at = 0; at < torn.length; at += 4) torn[at] = 1
    torn.set(bytes)
    // Of this process, not of the clock: other programs may have the machine.
    const before = process.cpuUsage()
    assert.equal((await readAll(await open(new MemoryFile(torn)))).length, 4)
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 5_000_000, `${user + system} µs`)
  })
})
