// Goal: pages that were not synced may reach the disk in any order; a lost power costs no promise and no start, and damage to what was synced is refused (R13).
// Method: a file that loses any of its unsynced sectors, in the middle too; damage in every region between marks.
import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import {
  FILE_HEADER_SIZE,
  fileHeader,
  MARK_SIZE,
  writeRecord
} from '../../../../src/adapters/wal/format.ts'
import { walJournal } from '../../../../src/adapters/wal/index.ts'
import type { Journal } from '../../../../src/ports/index.ts'
import { type SeededRandom, seededRandom } from '../../../../src/simulator/index.ts'
import { readAll, record } from '../../../contract/journal.ts'
import { LossyFile, SECTOR_SIZE } from '../../../support/lossy-file.ts'
import { holding } from '../../../support/memory-file.ts'
import { MemoryFolder } from '../../../support/memory-folder.ts'

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }
const SALT = new Uint8Array(8).fill(9)

function open(file: LossyFile, markAfterMs?: number): Promise<Journal> {
  const more = markAfterMs === undefined ? {} : { markAfterMs }
  return walJournal({ path: 'test.wal', logger: silent, files: holding(file), ...more })
}

function large(number: number): Uint8Array {
  return new Uint8Array(SECTOR_SIZE).fill(number)
}

/** A file with one byte changed. */
function rotten(file: LossyFile, at: number): LossyFile {
  const bytes = file.bytes.slice()
  bytes[at] = (bytes[at] as number) ^ 1
  return new LossyFile(bytes)
}

async function synced(...records: Uint8Array[]): Promise<LossyFile> {
  const file = new LossyFile(fileHeader(SALT))
  const journal = await open(file)
  for (const each of records) await journal.append([each], { sync: true })
  return file
}

describe('adapters/wal: pages lost in the middle', () => {
  it('starts with what was promised when an unsynced record is lost and one behind it is not', async () => {
    const file = new LossyFile(fileHeader(SALT))
    const journal = await open(file)
    await journal.append([record(1)], { sync: true })
    await journal.append([large(2)], { sync: false })
    await journal.append([large(3), record(4)], { sync: false })
    const left = file.crash(file.bytes.length, sector => sector === 1)
    assert.deepEqual(await readAll(await open(left)), [record(1)])
  })

  it('does not take a zeroed tail for a mark', async () => {
    const file = await synced(record(1))
    const bytes = new Uint8Array(file.bytes.length + 100_000)
    bytes.set(file.bytes)
    assert.deepEqual(await readAll(await open(new LossyFile(bytes))), [record(1)])
  })

  it('keeps every confirmed record and its order over many lives, whatever each crash leaves', async () => {
    let lost = 0
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(seed)
      let file = new LossyFile(fileHeader(SALT))
      let kept: Uint8Array[] = []
      for (let life = 0; life < 6; life++) {
        const journal = await open(file)
        assert.deepEqual(await readAll(journal), kept, `seed ${seed}, life ${life}`)
        const { written, confirmed } = await live(journal, file, random, kept)
        file = file.crashAnyhow(random)
        const left = await readAll(await open(file))
        assert.ok(left.length >= confirmed, `seed ${seed}: ${left.length} of ${confirmed}`)
        assert.deepEqual(left, written.slice(0, left.length), `seed ${seed}, life ${life}`)
        lost += written.length - left.length
        kept = left
      }
    }
    assert.ok(lost > 100, `${lost}`)
  })
})

/** Appends of which some are synced, and at times one whose fsync the power loss cuts short. */
async function live(
  journal: Journal,
  file: LossyFile,
  random: SeededRandom,
  before: readonly Uint8Array[]
): Promise<{ written: Uint8Array[]; confirmed: number }> {
  const written = [...before]
  let confirmed = before.length
  for (let left = random.below(12); left > 0; left--) {
    const filling = 1 + random.below(255)
    const each = new Uint8Array(1 + random.below(random.pick([40, 2_000]))).fill(filling)
    written.push(each)
    const sync = random.chance(0.3)
    await journal.append([each], { sync })
    if (sync) confirmed = written.length
  }
  if (random.chance(0.5)) {
    file.isStuck = true
    written.push(record(7), record(8))
    const size = file.bytes.length
    journal.append([record(7), record(8)], { sync: true }).catch(() => undefined)
    while (file.bytes.length === size) await new Promise(resolve => setImmediate(resolve))
  }
  return { written, confirmed }
}

describe('adapters/wal: damage to what was synced', () => {
  it('is refused in every byte before a mark, with records behind it or not', async () => {
    const file = await synced(record(1), record(2))
    const first = file.bytes.length
    const journal = await open(file)
    await journal.append([record(3)], { sync: false })
    for (let at = FILE_HEADER_SIZE; at < first; at++)
      await assert.rejects(open(rotten(file, at)), { code: 'JOURNAL_CORRUPT' }, `${at}`)
    for (let at = first; at < file.bytes.length; at++)
      assert.deepEqual(await readAll(await open(rotten(file, at))), [record(1), record(2)])
  })

  it('is refused in the last record after a close, which marks once', async () => {
    const file = await synced(record(1))
    const last = file.bytes.length - 1
    await (await open(file)).close()
    assert.equal(file.bytes.length, last + 1 + MARK_SIZE)
    await (await open(file)).close()
    assert.equal(file.bytes.length, last + 1 + MARK_SIZE)
    assert.deepEqual(await readAll(await open(file)), [record(1)])
    await assert.rejects(open(rotten(file, last)), { code: 'JOURNAL_CORRUPT' })
  })

  it('is refused in the last record soon after an fsync, though nothing more is written', async () => {
    const file = new LossyFile(fileHeader(SALT))
    const journal = await open(file, 1)
    await journal.append([record(1)], { sync: true })
    const size = file.bytes.length
    while (file.bytes.length === size) await new Promise(resolve => setTimeout(resolve, 1))
    assert.equal(file.bytes.length, size + MARK_SIZE)
    await assert.rejects(open(rotten(file, size - 1)), { code: 'JOURNAL_CORRUPT' })
    await journal.append([record(2)], { sync: true })
    assert.deepEqual(await readAll(await open(file)), [record(1), record(2)])
  })

  it('is refused anywhere in a file that was written anew', async () => {
    const files = new MemoryFolder()
    const init = { path: 'journal.wal', logger: silent, files }
    const journal = await walJournal(init)
    await journal.rewrite([record(1), record(2)])
    const file = await files.open('journal.wal')
    const size = journal.size()
    for (let at = FILE_HEADER_SIZE; at < size - MARK_SIZE; at++) {
      const [byte = 0] = (await file?.read(at, 1)) ?? []
      await file?.write(Uint8Array.of(byte ^ 1), at)
      await assert.rejects(walJournal(init), { code: 'JOURNAL_CORRUPT' }, `${at}`)
      await file?.write(Uint8Array.of(byte), at)
    }
    assert.equal((await readAll(await walJournal(init))).length, 2)
  })
})

describe('adapters/wal: a journal of the first format', () => {
  /** Its header says 1; otherwise it is like one without marks. */
  function unmarked(...records: Uint8Array[]): LossyFile {
    const bytes = new Uint8Array(4_096)
    bytes.set(fileHeader(SALT))
    const view = new DataView(bytes.buffer)
    view.setUint32(8, 1, true)
    view.setUint32(20, crc32(bytes.subarray(0, 20)), true)
    let offset = FILE_HEADER_SIZE
    for (const payload of records)
      offset += writeRecord(bytes, offset, { salt: SALT, offset, payload })
    return new LossyFile(bytes.subarray(0, offset))
  }

  it('is read and appended to without marks', async () => {
    const file = unmarked(record(1), record(2))
    const size = file.bytes.length
    const journal = await open(file)
    await journal.append([record(3)], { sync: true })
    await journal.append([record(4)], { sync: true })
    await journal.close()
    const added = unmarked(record(3), record(4)).bytes.length - FILE_HEADER_SIZE
    assert.equal(file.bytes.length, size + added)
    assert.equal((await readAll(await open(file))).length, 4)
  })

  it('is refused when a good record follows a bad one, and cut at its end', async () => {
    const file = unmarked(record(1), record(2), record(3))
    await assert.rejects(open(rotten(file, 40)), { code: 'JOURNAL_CORRUPT' })
    const cut = rotten(file, file.bytes.length - 1)
    assert.deepEqual(await readAll(await open(cut)), [record(1), record(2)])
  })
})
