// Goal: a rewrite cut short at any call leaves the old journal or the new one, and loses no append that had resolved (R13).
// Method: a file system that loses power, or fails once, at the n-th call, for every n; every way in which a disk may be left.
import assert from 'node:assert/strict'
import { walJournal } from '../../../../src/adapters/wal/index.ts'
import type { Journal } from '../../../../src/ports/index.ts'
import { readAll, record } from '../../../contract/journal.ts'
import { type Aftermath, MemoryFolder } from '../../../support/memory-folder.ts'

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }
const PATH = 'home/journal.wal'
const OLD = [record(1), record(2), record(3), record(4)]
const NEW = [record(101), record(103)]
const AFTERMATHS: readonly Aftermath[] = [true, false].flatMap(names =>
  (['none', 'half', 'all'] as const).map(bytes => ({ names, bytes }))
)

function open(files: MemoryFolder): Promise<Journal> {
  return walJournal({ path: PATH, logger: silent, files })
}

async function prepared(): Promise<{ files: MemoryFolder; journal: Journal }> {
  const files = new MemoryFolder()
  const journal = await open(files)
  await journal.append(OLD, { sync: true })
  files.calls = 0
  return { files, journal }
}

type Run = {
  readonly outcome: string
  /** Synced appends that were confirmed, by number. */
  readonly confirmed: number[]
}

/** A rewrite with appends before, during and after it. */
async function run(journal: Journal): Promise<Run> {
  const confirmed: number[] = []
  const append = (number: number): Promise<void> =>
    journal.append([record(number)], { sync: true }).then(
      () => void confirmed.push(number),
      () => undefined
    )
  const before = append(5)
  const rewriting = journal.rewrite([...NEW]).then(
    () => 'done',
    error => (error as { code: string }).code
  )
  const during = [append(6), journal.append([record(7)], { sync: false }).catch(() => undefined)]
  await Promise.all([before, ...during])
  const outcome = await rewriting
  await append(8)
  return { outcome, confirmed }
}

function numbers(records: readonly Uint8Array[]): number[] {
  return records.map(bytes => Number(new TextDecoder().decode(bytes).split(' ')[1]))
}

/** Either what was there with a run of what was appended, or the new records with what came after them. */
function checkLeft(left: readonly number[], { confirmed, outcome }: Run, what: string): void {
  const isNew = left[0] === 101
  const base = isNew ? [101, 103] : [1, 2, 3, 4]
  const appended = isNew ? [6, 7, 8] : [5, 6, 7, 8]
  const rest = left.slice(base.length)
  assert.deepEqual(left.slice(0, base.length), base, what)
  // Number 7 is not synced by itself, but nothing after it is there without it.
  assert.deepEqual(rest, appended.slice(0, rest.length), what)
  if (outcome === 'done') assert.ok(isNew, `${what}: what was reported as done stays done`)
  for (const number of confirmed)
    if (!(isNew && number === 5)) assert.ok(rest.includes(number), `${what}: ${number} is lost`)
}

describe('adapters/wal: rewrite', () => {
  it('puts the new records in the place of the old ones, and what is appended meanwhile after them', async () => {
    const { files, journal } = await prepared()
    assert.equal((await run(journal)).outcome, 'done')
    assert.deepEqual(numbers(await readAll(journal)), [101, 103, 6, 7, 8])
    await journal.close()
    assert.deepEqual(files.names(), [PATH])
    assert.deepEqual(numbers(await readAll(await open(files))), [101, 103, 6, 7, 8])
  })

  it('survives power loss at every call, however the disk is left', async () => {
    let lastCall = 0
    let rewritten = 0
    for (let at = 1; lastCall === 0; at++) {
      for (const after of [false, true]) {
        const { files, journal } = await prepared()
        files.failure = { at, power: true, after }
        const done = await run(journal)
        if (files.calls < at) lastCall = at
        for (const aftermath of AFTERMATHS) {
          const what = `call ${at}, after ${after}, ${JSON.stringify(aftermath)}`
          const next = files.crash(aftermath)
          const left = numbers(await readAll(await open(next)))
          checkLeft(left, done, what)
          if (left[0] === 101) rewritten++
          assert.deepEqual(next.names(), [PATH], what)
        }
      }
    }
    assert.ok(lastCall > 8 && rewritten > 0, 'there were calls to cut short')
  })

  it('goes on with the old journal when the new one cannot be written, and can be tried again', async () => {
    const codes = new Set<string>()
    for (let at = 1; ; at++) {
      const { files, journal } = await prepared()
      files.failure = { at, power: false, after: false }
      const { outcome, confirmed } = await run(journal)
      if (files.calls < at) break
      codes.add(outcome)
      if (outcome === 'JOURNAL_REWRITE') {
        assert.deepEqual(confirmed, [5, 6, 8], `call ${at}`)
        await journal.rewrite([record(9)])
        assert.deepEqual(numbers(await readAll(journal)), [9])
      } else if (outcome === 'JOURNAL_FAILED')
        await assert.rejects(journal.append([record(9)], { sync: true }), { code: outcome })
    }
    assert.deepEqual([...codes].sort(), ['JOURNAL_FAILED', 'JOURNAL_REWRITE', 'done'])
  })

  it('is given up by a close, which leaves the old journal', async () => {
    const { files, journal } = await prepared()
    const large = Array.from({ length: 40 }, (_, index) => new Uint8Array(100_000).fill(index))
    const rewriting = journal.rewrite(large)
    const closing = journal.close()
    await assert.rejects(rewriting, { code: 'JOURNAL_REWRITE' })
    await closing
    assert.deepEqual(numbers(await readAll(await open(files))), [1, 2, 3, 4])
    assert.deepEqual(files.names(), [PATH])
  })

  it('reads its records lazily, while appends go on', async () => {
    const { journal } = await prepared()
    let confirmed = 0
    let seen = 0
    function* records(): Iterable<Uint8Array> {
      for (let index = 0; index < 60; index++) {
        seen = Math.max(seen, confirmed)
        yield new Uint8Array(50_000).fill(1)
      }
    }
    const rewriting = journal.rewrite(records())
    await journal.append([record(6)], { sync: true })
    confirmed = 1
    await rewriting
    assert.equal(seen, 1)
    assert.equal((await readAll(journal)).length, 61)
  })
})
