import assert from 'node:assert/strict'
import type { Archive, ArchiveEntry } from '../../src/ports/index.ts'

/** One archive's storage over several lives. */
export type ArchiveHome = {
  open(): Promise<Archive>
  dispose(): Promise<void>
}

const text = new TextEncoder()

export function archiveEntry(thread: string, openedAt: number, records = 3): ArchiveEntry {
  return {
    thread,
    openedAt,
    summary: text.encode(`${thread} since ${openedAt}`),
    records: Array.from({ length: records }, (_, index) => text.encode(`${thread} ${index}`))
  }
}

/** What every implementation of the Archive port does. Goal: memory and disk can be exchanged under the driver. */
export function runArchiveContract(name: string, setup: () => Promise<ArchiveHome>): void {
  describe(`contract/archive: ${name}`, () => {
    let home: ArchiveHome
    let archive: Archive
    beforeEach(async () => {
      home = await setup()
      archive = await home.open()
    })
    afterEach(async () => {
      await archive.close()
      await home.dispose()
    })
    const reopen = async (): Promise<void> => {
      await archive.close()
      archive = await home.open()
    }
    const threads = async (limit: number, before?: { thread: string; openedAt: number }) =>
      (await archive.list({ limit, ...(before && { before }) })).map(({ thread }) => thread)

    it('is empty when new', async () => {
      assert.equal(await archive.get('a'), undefined)
      assert.deepEqual(await archive.list({ limit: 10 }), [])
      assert.equal(archive.count(), 0)
    })

    it('gives back what was put, byte for byte and in order, after it was opened again', async () => {
      const entries = [archiveEntry('a', 5, 40), archiveEntry('b', 7, 0)]
      await archive.put(entries)
      await reopen()
      for (const entry of entries) {
        const got = await archive.get(entry.thread)
        assert.deepEqual(
          got && {
            ...got,
            summary: new Uint8Array(got.summary),
            records: got.records.map(bytes => new Uint8Array(bytes))
          },
          entry
        )
      }
      const { records: _, ...line } = archiveEntry('a', 5)
      const { thread, openedAt, summary } = (await archive.line('a')) ?? line
      assert.deepEqual({ thread, openedAt, summary: new Uint8Array(summary) }, line)
      assert.equal(await archive.line('c'), undefined)
      assert.equal(archive.count(), 2)
    })

    it('lists the newest first, in pages without gaps, ties by id', async () => {
      await archive.put([
        archiveEntry('b', 1_000),
        archiveEntry('a', 1_000),
        archiveEntry('old', 9),
        archiveEntry('new', 1_800_000_000_000)
      ])
      await reopen()
      assert.deepEqual(await threads(10), ['new', 'b', 'a', 'old'])
      assert.deepEqual(await threads(2), ['new', 'b'])
      assert.deepEqual(await threads(2, { thread: 'b', openedAt: 1_000 }), ['a', 'old'])
      assert.deepEqual(await threads(2, { thread: 'aa', openedAt: 1_000 }), ['a', 'old'])
      assert.deepEqual(await threads(2, { thread: 'old', openedAt: 9 }), [])
    })

    it('replaces a thread that is there, with all of its records', async () => {
      await archive.put([archiveEntry('a', 5, 8)])
      await Promise.all([
        archive.put([archiveEntry('a', 5, 2)]),
        archive.put([archiveEntry('b', 6)])
      ])
      assert.equal((await archive.get('a'))?.records.length, 2)
      assert.equal(archive.count(), 2)
      await reopen()
      assert.equal(archive.count(), 2)
    })

    it('forgets threads for good, with all of their records, and no others', async () => {
      await archive.put([archiveEntry('a', 1), archiveEntry('aa', 2), archiveEntry('b', 3)])
      await archive.drop(['a', 'b', 'a', 'absent'])
      await archive.drop([])
      assert.equal(archive.count(), 1)
      await reopen()
      assert.equal(archive.count(), 1)
      assert.equal(await archive.get('a'), undefined)
      assert.equal(await archive.line('b'), undefined)
      assert.deepEqual(await threads(10), ['aa'])
      assert.equal((await archive.get('aa'))?.records.length, 3)
      await archive.put([archiveEntry('a', 9, 1)])
      assert.equal((await archive.get('a'))?.records.length, 1)
      assert.equal(archive.count(), 2)
    })

    it('tells threads apart whose ids begin alike', async () => {
      await archive.put([archiveEntry('a', 1, 2), archiveEntry('aa', 2, 3)])
      assert.equal((await archive.get('a'))?.records.length, 2)
      assert.equal((await archive.get('aa'))?.records.length, 3)
    })
  })
}
