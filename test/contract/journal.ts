import assert from 'node:assert/strict'
import type { Journal } from '../../src/ports/index.ts'

/** One journal's storage over several lives. */
export type JournalHome = {
  open(): Promise<Journal>
  dispose(): Promise<void>
}

const text = new TextEncoder()

/** Records that tests write: short, distinct, of growing length. */
export function record(number: number): Uint8Array {
  return text.encode(`record ${number} ${'x'.repeat(number % 50)}`)
}

/** All records of a journal. */
export async function readAll(journal: Journal): Promise<Uint8Array[]> {
  const records: Uint8Array[] = []
  for await (const bytes of journal.replay()) records.push(bytes)
  return records
}

/** What every implementation of the Journal port does. Goal: memory and disk can be exchanged under the driver. */
export function runJournalContract(name: string, setup: () => Promise<JournalHome>): void {
  describe(`contract/journal: ${name}`, () => {
    let home: JournalHome
    beforeEach(async () => {
      home = await setup()
    })
    afterEach(() => home.dispose())

    it('is empty when new', async () => {
      const journal = await home.open()
      assert.deepEqual(await readAll(journal), [])
      await journal.close()
    })

    it('gives back records in order, byte for byte, after it was opened again', async () => {
      const first = await home.open()
      await first.append([record(1), record(2)], { sync: false })
      await first.append([new Uint8Array([0]), new Uint8Array(70_000).fill(7)], { sync: true })
      await first.close()
      const second = await home.open()
      assert.deepEqual(await readAll(second), [
        record(1),
        record(2),
        new Uint8Array([0]),
        new Uint8Array(70_000).fill(7)
      ])
      await second.append([record(3)], { sync: true })
      await second.close()
      const third = await home.open()
      assert.equal((await readAll(third)).length, 5)
      await third.close()
    })

    it('keeps the order of concurrent appends, synced or not', async () => {
      const journal = await home.open()
      const numbers = Array.from({ length: 200 }, (_, index) => index)
      await Promise.all(
        numbers.map(number => journal.append([record(number)], { sync: number % 3 === 0 }))
      )
      await journal.close()
      const again = await home.open()
      assert.deepEqual(await readAll(again), numbers.map(record))
      await again.close()
    })

    it('grows in size with what is written', async () => {
      const journal = await home.open()
      const before = journal.size()
      await journal.append([record(1)], { sync: true })
      assert.ok(journal.size() >= before + record(1).length)
      await journal.close()
    })

    it('takes an append of no records', async () => {
      const journal = await home.open()
      await journal.append([], { sync: true })
      assert.deepEqual(await readAll(journal), [])
      await journal.close()
    })

    it('does not change records when the caller reuses its buffer after the append', async () => {
      const journal = await home.open()
      const buffer = record(1)
      await journal.append([buffer], { sync: true })
      buffer.fill(0)
      await journal.close()
      const again = await home.open()
      assert.deepEqual(await readAll(again), [record(1)])
      await again.close()
    })

    it('puts other records in the place of all, and appends after them', async () => {
      const journal = await home.open()
      await journal.append([record(1), record(2)], { sync: true })
      const before = journal.append([record(3)], { sync: false })
      const rewriting = journal.rewrite([record(10), record(11)])
      const after = journal.append([record(12)], { sync: true })
      await Promise.all([before, rewriting, after])
      await journal.append([record(13)], { sync: true })
      await journal.close()
      const again = await home.open()
      assert.deepEqual(await readAll(again), [10, 11, 12, 13].map(record))
      await again.close()
    })

    it('can be rewritten to nothing, and again', async () => {
      const journal = await home.open()
      await journal.append([record(1)], { sync: true })
      await journal.rewrite([])
      assert.deepEqual(await readAll(journal), [])
      await journal.append([record(2)], { sync: true })
      await journal.rewrite([record(3)])
      assert.deepEqual(await readAll(journal), [record(3)])
      await journal.close()
      await assert.rejects(journal.rewrite([]), { code: 'JOURNAL_CLOSED' })
    })

    it('rejects appends after close, and closes twice without harm', async () => {
      const journal = await home.open()
      await journal.close()
      await journal.close()
      await assert.rejects(journal.append([record(1)], { sync: true }), { code: 'JOURNAL_CLOSED' })
    })
  })
}
