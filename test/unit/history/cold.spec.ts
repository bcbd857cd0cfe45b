// Goal: old threads leave the archive without anything being lost, whatever cut comes when. Method: a log of real certificates, stores and folders that
// fail at their nth write, every n, and a reader that compares bytes.
import { strict as assert } from 'node:assert'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CarBufferReader } from '@ipld/car/buffer-reader'
import { memoryArchive } from '../../../src/adapters/memory/index.ts'
import { utf8 } from '../../../src/core/base/index.ts'
import {
  formatCheckpoint,
  formatNote,
  originSignature
} from '../../../src/core/checkpoint/index.ts'
import {
  type ColdFiles,
  ColdStore,
  Compactor,
  coldFolder,
  type LogFiles,
  logFolder,
  tieredArchive
} from '../../../src/history/index.ts'
import type { Archive, ArchiveEntry, KeyValues } from '../../../src/ports/index.ts'
import {
  certificateFiles,
  HistoryRoom,
  historyNode,
  type MemoryKeyValues,
  openLog,
  verifyBoth
} from '../../support/history-room.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const DAY_MS = 86_400_000
const text = new TextEncoder()

/** Writes that may still happen, of all that is durable. */
type Cut = { left: number }

function cutting<T extends unknown[]>(
  cut: Cut,
  write: (...given: T) => Promise<void>
): (...given: T) => Promise<void> {
  return async (...given) => {
    if (cut.left-- <= 0) throw new DOMException('cut', 'AbortError')
    await write(...given)
  }
}

describe('history/cold', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()

  /** A disk with three archived threads, their audit logs, and a log of them; two of the three are covered by a stable checkpoint. */
  async function disk(stable = 2) {
    const room = new HistoryRoom()
    const one = await historyNode(room, 2)
    const two = await historyNode(room, 3)
    const author = await historyNode(room, 1, { witnesses: () => [one.did, two.did] })
    const files = certificateFiles(3)
    for (const file of files.slice(0, stable)) assert((await author.own.append(file)).ok)
    await author.checkpointer.run()
    for (const file of files) assert((await author.own.append(file)).ok)
    const kept = new Map<string, ArchiveEntry>()
    const cold = new Map<string, Uint8Array>()
    const logs = new Map<string, Uint8Array>()
    const threads: string[] = []
    let endedAt = 0
    for await (const { leaf, index } of author.own.entries(0, 3)) {
      const thread = leaf.need.toString()
      threads.push(thread)
      endedAt = Math.max(endedAt, leaf.stamp)
      const records = Array.from({ length: 20 + index }, (_, at) => text.encode(`${thread} ${at}`))
      const summary = text.encode(thread)
      kept.set(thread, { thread, openedAt: 1000 + index, summary, records })
      logs.set(`${thread}.jsonl`, text.encode(`the log of ${thread}\n`))
      logs.set(`${thread}.jsonl.1`, text.encode('its second part\n'))
    }
    const { store } = author
    return { author, store, kept, cold, logs, threads, endedAt, written: new Map(kept) }
  }
  /** Adds threads without a certified end: `idle` in which nobody did anything, and `taken`, of which the node had its part. */
  function addUncertified({ kept, logs, written }: Disk): void {
    for (const [at, thread] of ['idle', 'taken', 'other-idle'].entries()) {
      const entry = {
        thread,
        openedAt: 500 - at,
        summary: text.encode(thread),
        records: [text.encode(`${thread} 0`)]
      }
      kept.set(thread, entry)
      if (thread === 'taken') written.set(thread, entry)
      logs.set(`${thread}.jsonl`, text.encode(`the log of ${thread}\n`))
      logs.set(`${thread}.jsonl.1`, text.encode('its second part\n'))
    }
  }

  type Disk = Awaited<ReturnType<typeof disk>>

  function coldFilesOf({ cold }: Disk, cut: Cut): ColdFiles {
    return {
      names: async () => [...cold.keys()],
      read: async (name, range) => {
        const bytes = cold.get(name)
        if (bytes === undefined || range === undefined) return bytes ?? null
        return bytes.slice(range.offset, range.offset + range.length)
      },
      write: cutting(cut, async (name: string, bytes: Uint8Array) => {
        cold.set(name, bytes)
      })
    }
  }

  function logFilesOf({ logs }: Disk, cut: Cut): LogFiles {
    const namesOf = (thread: string) => [...logs.keys()].filter(name => name.startsWith(thread))
    return {
      read: async thread =>
        namesOf(thread).map(name => ({ name, bytes: logs.get(name) as Uint8Array })),
      remove: async thread => {
        const remove = cutting(cut, async (name: string) => void logs.delete(name))
        for (const name of namesOf(thread).reverse()) await remove(name)
      }
    }
  }

  /** The parts of a node as they come up on a disk. */
  async function open(
    on: Disk,
    { cut = { left: 1e9 }, days = 7, live = new Set<string>(), now = on.endedAt + 8 * DAY_MS } = {}
  ) {
    const store: KeyValues = Object.assign(Object.create(on.store) as MemoryKeyValues, {
      write: cutting(cut, (changes: Parameters<KeyValues['write']>[0]) => on.store.write(changes))
    })
    const memory = memoryArchive(on.kept)
    const hot: Archive = {
      ...memory,
      put: cutting(cut, entries => memory.put(entries)),
      drop: cutting(cut, threads => memory.drop(threads))
    }
    const own = await openLog(store)
    const cold = await ColdStore.open(coldFilesOf(on, cut), store)
    const archive = tieredArchive(hot, cold)
    const compactor = new Compactor({
      store,
      own,
      hot,
      cold,
      logs: logFilesOf(on, cut),
      clock: { nowMs: () => now, after: () => () => undefined },
      retentionMs: days * DAY_MS,
      isLive: thread => live.has(thread),
      uncertified: ({ thread }) => ({ endedAt: on.endedAt, isIdle: thread.endsWith('idle') })
    })
    return { own, cold, archive, compactor }
  }

  async function assertWhole(on: Disk, archive: Archive): Promise<void> {
    for (const entry of on.written.values()) {
      const got = await archive.get(entry.thread)
      assert.deepEqual(
        got?.records.map(bytes => new TextDecoder().decode(bytes)),
        entry.records.map(bytes => new TextDecoder().decode(bytes))
      )
    }
    const listed = await archive.list({ limit: 10 })
    const certified = listed.filter(({ thread }) => on.threads.includes(thread))
    assert.deepEqual(certified.map(({ thread }) => thread).reverse(), on.threads)
  }

  it('moves what is old and covered by a stable checkpoint, and reads it as before', async () => {
    const on = await disk()
    const { compactor, archive } = await open(on)
    const moved = await compactor.run()
    assert.equal(moved.threads, 2)
    assert.deepEqual(moved.stays, { young: 0, unwitnessed: 1, live: 0 })
    assert.deepEqual(
      on.threads.map(thread => on.kept.get(thread)?.records.length),
      [0, 0, 22]
    )
    assert.equal(on.cold.size, 1)
    assert.equal(on.logs.size, 2, 'the logs of the third')
    await assertWhole(on, archive)
    await assertWhole(on, (await open(on)).archive)
    const again = await compactor.run()
    assert.deepEqual([again.threads, again.files], [0, []])
  })

  it('says in a dry run what it would move, and changes nothing', async () => {
    const on = await disk()
    const before = new Map(on.store.map)
    const { compactor } = await open(on, { cut: { left: 0 } })
    const moved = await compactor.run({ dryRun: true })
    assert.equal(moved.threads, 2)
    assert.ok(moved.hotBytes > 1_000)
    assert.deepEqual(on.store.map, before)
    assert.equal(on.cold.size + on.logs.size, 6)
  })

  it('leaves what is young, and takes it when its time has come', async () => {
    const on = await disk(3)
    const young = await (await open(on, { now: on.endedAt })).compactor.run()
    assert.deepEqual([young.threads, young.stays.young], [0, 3])
    assert.equal((await (await open(on)).compactor.run()).threads, 3)
    assert.equal((await (await open(on, { days: 0 })).compactor.run()).threads, 0)
  })

  it('leaves threads that are in memory, where challenges may be open (R20)', async () => {
    const on = await disk(3)
    const [first = ''] = on.threads
    const moved = await (await open(on, { live: new Set([first]) })).compactor.run()
    assert.deepEqual([moved.threads, moved.stays.live], [2, 1])
    assert.equal(on.kept.get(first)?.records.length, 20)
    assert.equal((await (await open(on)).compactor.run()).threads, 1)
  })

  it('takes nothing when no checkpoint is stable', async () => {
    const on = await disk(0)
    const moved = await (await open(on)).compactor.run()
    assert.deepEqual([moved.threads, moved.stays.unwitnessed], [0, 3])
  })

  it('never touches leaves, certificates, checkpoints and forks (R20)', async () => {
    const on = await disk(3)
    const { origin, did, signer, witnessed } = on.author
    const noteOf = (fill: number): Uint8Array => {
      const root = new Uint8Array(32).fill(fill)
      const note = formatCheckpoint({ origin, size: 1n, root, extensions: [] })
      const signature = originSignature(origin, did, signer.sign(utf8(note)))
      return formatNote({ text: note, signatures: [signature] })
    }
    const fork = { older: noteOf(1), newer: noteOf(2), prefix: null }
    assert.ok(await witnessed.keepFork(origin, fork, verifyBoth))
    const others = () => new Map([...on.store.map].filter(([key]) => !key.startsWith('cold/')))
    const before = others()
    assert.equal((await (await open(on)).compactor.run()).threads, 3)
    assert.deepEqual(others(), before)
    const { own } = await open(on)
    const certified = await own.leaves(0, true)
    assert.ok(certified.length === 3 && certified.every(leaf => leaf.certificate !== null))
  })

  it('moves threads without a certified end too, and drops those of which nothing came', async () => {
    const on = await disk(0)
    addUncertified(on)
    const young = await (await open(on, { now: on.endedAt })).compactor.run()
    assert.deepEqual([young.threads, young.dropped, young.stays.young], [0, 0, 3])
    const live = await (await open(on, { live: new Set(['idle', 'taken']) })).compactor.run({
      dryRun: true
    })
    assert.deepEqual([live.threads, live.dropped, live.stays.live], [0, 1, 2])
    const { compactor, archive } = await open(on)
    const dry = await compactor.run({ dryRun: true })
    assert.deepEqual([dry.threads, dry.dropped], [1, 2])
    assert.ok(dry.droppedBytes > 50)
    assert.deepEqual([on.kept.size, on.logs.size], [6, 12])
    const moved = await compactor.run()
    assert.deepEqual([moved.threads, moved.dropped, moved.droppedBytes], [1, 2, dry.droppedBytes])
    assert.deepEqual(moved.stays, { young: 0, unwitnessed: 3, live: 0 })
    await assertWhole(on, archive)
    assert.equal(await archive.get('idle'), undefined)
    assert.deepEqual([on.kept.size, on.kept.get('taken')?.records.length], [4, 0])
    assert.equal(
      [...on.logs.keys()].filter(name => !on.threads.includes(name.split('.')[0] ?? '')).length,
      0
    )
    const again = await compactor.run()
    assert.deepEqual([again.threads, again.dropped], [0, 0])
  })

  it('loses nothing by a cut at any write, and is finished by the next run', async () => {
    const writes = await countWrites()
    assert.ok(writes >= 14, `${writes} writes`)
    for (let left = 0; left < writes; left++) {
      const on = await disk()
      addUncertified(on)
      const cut = { left }
      await assert.rejects(
        async () => (await open(on, { cut })).compactor.run(),
        `cut after ${left}`
      )
      const next = await open(on)
      await assertWhole(on, next.archive)
      await next.compactor.run()
      await assertWhole(on, next.archive)
      assert.equal(on.logs.size, 2, `logs after a cut after ${left}`)
      assert.equal(on.kept.get(on.threads[0] ?? '')?.records.length, 0)
      assert.equal(on.kept.get('taken')?.records.length, 0)
      assert.equal(on.kept.size, 4, `lines after a cut after ${left}`)
      assert.ok([...on.store.map.keys()].some(key => key === 'cold/next'))
    }
  })

  async function countWrites(): Promise<number> {
    const cut = { left: 1_000 }
    const on = await disk()
    addUncertified(on)
    await (await open(on, { cut })).compactor.run()
    return 1_000 - cut.left
  }

  it('takes cold files in that its index does not know', async () => {
    const on = await disk()
    await (await open(on)).compactor.run()
    for (const key of on.store.map.keys()) if (key.startsWith('cold/')) on.store.map.delete(key)
    await assertWhole(on, (await open(on)).archive)
  })

  it('says which file is missing or damaged', async () => {
    const on = await disk()
    const { compactor, archive } = await open(on)
    const [name = ''] = (await compactor.run()).files
    const good = on.cold.get(name) as Uint8Array
    const [first = ''] = on.threads
    on.cold.delete(name)
    await assert.rejects(archive.get(first), { code: 'COLD_MISSING', message: new RegExp(name) })
    for (let at = 200; at < good.length; at += 37) {
      on.cold.set(
        name,
        Uint8Array.from(good, (byte, i) => (i === at ? byte ^ 4 : byte))
      )
      for (const thread of on.threads) {
        const got = await archive.get(thread).catch((error: { code: string }) => error.code)
        if (got === 'COLD_DAMAGED') continue
        assert.ok(typeof got === 'object')
        assert.deepEqual(got.records, on.written.get(thread)?.records)
      }
    }
  })

  it('writes files that other programs read: a CAR, and logs in gzip', async () => {
    const on = await disk()
    const audit = join(folder.path, 'audit')
    await mkdir(audit)
    for (const [name, bytes] of on.logs) await writeFile(join(audit, name), bytes)
    const { own } = await open(on)
    const files = coldFolder(join(folder.path, 'cold'))
    const cold = await ColdStore.open(files, on.store)
    const compactor = new Compactor({
      store: on.store,
      own,
      hot: memoryArchive(on.kept),
      cold,
      logs: logFolder(audit),
      clock: { nowMs: () => on.endedAt, after: () => () => undefined },
      retentionMs: 0,
      isLive: () => false,
      // The third is in the log of ends, and waits for its checkpoint.
      uncertified: () => assert.fail('all have a certified end')
    })
    await writeFile(join(folder.path, 'audit', 'other.jsonl'), 'of another thread')
    const [name = ''] = (await compactor.run()).files
    assert.deepEqual(await readdir(join(folder.path, 'cold')), [name])
    assert.equal((await readdir(audit)).length, 3)
    const reader = CarBufferReader.fromBytes(await readFile(join(folder.path, 'cold', name)))
    const plain = reader.blocks().flatMap(({ cid, bytes }) => {
      return cid.code === 0x55 ? [gunzipSync(bytes).toString()] : []
    })
    assert.ok(plain.includes(`the log of ${on.threads[0]}\n`))
    const kept = await cold.get(on.threads[1] ?? '')
    assert.deepEqual(
      kept?.logs.map(log => log.name),
      [`${on.threads[1]}.jsonl`, `${on.threads[1]}.jsonl.1`]
    )
    await writeFile(join(folder.path, 'cold', 'half.car.tmp'), 'what a crash left')
    assert.deepEqual(await files.names(), [name])
    assert.deepEqual(await readdir(join(folder.path, 'cold')), [name])
  })
})
