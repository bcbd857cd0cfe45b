import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { type CID, cidOf } from '../../src/core/codec/index.ts'
import type { AddProgress, ArtifactStore } from '../../src/ports/index.ts'

/** Stores that can reach each other, and a folder for files. */
export type ArtifactWorld = {
  readonly folder: string
  /** A started store; one name is one store. */
  store(name: string, options?: { readonly unplugged?: boolean }): Promise<ArtifactStore>
  dispose(): Promise<void>
}

const RAW = 0x55
const DAG_PB = 0x70
/** Nobody has it: the empty promise of these tests. */
export const ABSENT = cidOf(
  new TextEncoder().encode('bytes that no store of these tests ever holds'),
  RAW
).toString()
const SOON = { timeoutMs: 300 }

export function text(words: string): Uint8Array {
  return new TextEncoder().encode(words)
}

export async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A UnixFS folder block with any entry names, also those that no honest tool writes. */
export async function putFolder(
  store: ArtifactStore,
  entries: readonly [string, CID][]
): Promise<CID> {
  const sorted = entries.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const links = sorted.map(([Name, Hash]) => ({ Name, Hash, Tsize: 1 }))
  const bytes = dagPb.encode({ Data: new UnixFS({ type: 'directory' }).marshal(), Links: links })
  return putDagPb(store, bytes)
}

export async function putDagPb(store: ArtifactStore, bytes: Uint8Array): Promise<CID> {
  const cid = cidOf(bytes, DAG_PB)
  await store.putBlock(cid.toString(), bytes)
  return cid
}

/** What every implementation of the ArtifactStore port does. Goal: memory and Helia can be exchanged under a node. */
export function runArtifactContract(name: string, setup: () => Promise<ArtifactWorld>): void {
  describe(`contract/artifacts: ${name}`, () => {
    let world: ArtifactWorld
    let store: ArtifactStore
    beforeEach(async () => {
      world = await setup()
      store = await world.store('a')
    })
    afterEach(() => world.dispose())
    const path = (...parts: string[]): string => join(world.folder, ...parts)
    const write = (name: string, content: string | Uint8Array): string => {
      writeFileSync(path(name), content)
      return path(name)
    }
    const tree = (): string => {
      mkdirSync(path('tree/sub/empty'), { recursive: true })
      write('tree/b.txt', 'second')
      write('tree/.hidden', 'dot')
      write('tree/sub/a.txt', 'first')
      write('outside.txt', 'not inside')
      symlinkSync(path('outside.txt'), path('tree/link'))
      return path('tree')
    }

    describe('adding', () => {
      it('names bytes by CIDs that other implementations compute too', async () => {
        const small = await store.addBytes(text('hello world'), null)
        assert.deepEqual(small, {
          cid: 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
          bytes: 11,
          files: 1
        })
        const zeros = await store.addBytes(new Uint8Array(3_000_000), null)
        assert.equal(zeros.cid, KNOWN_ZEROS)
        const empty = await store.addBytes(new Uint8Array(0), null)
        assert.equal(empty.cid, 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
        assert.equal((await all(store.cat(empty.cid))).length, 0)
      })

      it('adds a file as the same artifact as its bytes, and reports progress', async () => {
        const bytes = randomBytes(2_500_000)
        const seen: AddProgress[] = []
        const added = await store.addPath(write('file', bytes), {
          pin: false,
          onProgress: step => seen.push(step)
        })
        assert.deepEqual(added, { ...(await store.addBytes(bytes, null)), files: 1 })
        assert.equal(seen.at(-1)?.bytes, bytes.length)
        assert.ok(
          seen.every(
            (step, index) => step.path === 'file' && step.bytes > (seen[index - 1]?.bytes ?? 0)
          )
        )
      })

      it('adds a folder with hidden files and empty folders, without following links', async () => {
        const added = await store.addPath(tree(), { pin: true })
        assert.equal(added.files, 3)
        assert.equal(added.bytes, 'seconddotfirst'.length)
        assert.deepEqual(await store.get(added.cid, path('copy')), { bytes: added.bytes, files: 3 })
        assert.deepEqual(readdirSync(path('copy'), { recursive: true }).sort(), [
          '.hidden',
          'b.txt',
          'sub',
          'sub/a.txt',
          'sub/empty'
        ])
        assert.equal(readFileSync(path('copy/sub/a.txt'), 'utf8'), 'first')
        const again = await store.addPath(path('copy'), { pin: false })
        assert.equal(again.cid, added.cid)
      })

      it('adds an empty folder', async () => {
        mkdirSync(path('empty'))
        const { cid } = await store.addPath(path('empty'), { pin: false })
        await store.get(cid, path('copy'))
        assert.deepEqual(readdirSync(path('copy')), [])
      })

      it('follows a link that is itself the path, as the user named it', async () => {
        symlinkSync(write('target', 'through'), path('link'))
        const { cid } = await store.addPath(path('link'), { pin: false })
        assert.equal((await all(store.cat(cid))).toString(), 'through')
      })

      it('refuses a path that does not exist', async () => {
        await assert.rejects(store.addPath(path('nowhere'), { pin: true }), {
          code: 'PATH_NOT_FOUND'
        })
      })

      it('ends with the reason of its abort signal', async () => {
        const abort = new AbortController()
        const onProgress = (): void => abort.abort(new TypeError('enough'))
        const adding = store.addPath(write('file', randomBytes(5_000_000)), {
          pin: true,
          signal: abort.signal,
          onProgress
        })
        await assert.rejects(adding, { message: 'enough' })
        assert.deepEqual(await store.pins(), [])
      })
    })

    describe('reading', () => {
      it('streams a file and any range of it', async () => {
        const bytes = randomBytes(3_333_333)
        const { cid } = await store.addBytes(bytes, null)
        assert.deepEqual(await all(store.cat(cid)), bytes)
        for (const [offset, length] of [
          [0, 1],
          [1_048_575, 2],
          [1_048_576, 1_048_576],
          [3_333_332, 10],
          [3_333_333, 1],
          [9_999_999, 5],
          [5, 0]
        ] as const) {
          assert.deepEqual(
            await all(store.cat(cid, { offset, length })),
            bytes.subarray(offset, offset + length),
            `${offset}+${length}`
          )
        }
        assert.deepEqual(
          await all(store.cat(cid, { offset: 2_000_000 })),
          bytes.subarray(2_000_000)
        )
      })

      it('refuses ranges and limits that are no whole numbers', async () => {
        const { cid } = await store.addBytes(text('x'), null)
        await assert.rejects(all(store.cat(cid, { offset: -1 })), { code: 'BAD_RANGE' })
        await assert.rejects(all(store.cat(cid, { length: 0.5 })), { code: 'BAD_RANGE' })
        await assert.rejects(store.readBytes(cid, { maxBytes: Number.NaN }), { code: 'BAD_RANGE' })
      })

      it('reads whole files up to the limit and none above it', async () => {
        const bytes = randomBytes(2_000_000)
        const { cid } = await store.addBytes(bytes, null)
        assert.deepEqual(Buffer.from(await store.readBytes(cid, { maxBytes: bytes.length })), bytes)
        await assert.rejects(store.readBytes(cid, { maxBytes: bytes.length - 1 }), {
          code: 'TOO_LARGE'
        })
        const small = await store.addBytes(text('small'), null)
        await assert.rejects(store.readBytes(small.cid, { maxBytes: 4 }), { code: 'TOO_LARGE' })
      })

      it('says that nobody has an artifact, with its CID and the wait', async () => {
        const absent = {
          code: 'ARTIFACT_NOT_FOUND',
          message: new RegExp(`${ABSENT}.*waited \\d+ ms`)
        }
        await assert.rejects(all(store.cat(ABSENT, SOON)), absent)
        await assert.rejects(store.readBytes(ABSENT, { maxBytes: 1, ...SOON }), absent)
        await assert.rejects(store.get(ABSENT, path('out'), SOON), absent)
        await assert.rejects(store.pin(ABSENT, 'x', SOON), absent)
        await assert.rejects(store.getBlock(ABSENT, SOON), absent)
        assert.ok(!existsSync(path('out')))
        assert.equal(await store.has(ABSENT), false)
      })

      it('refuses to read a folder or plain data as a file', async () => {
        const folder = await store.addPath(tree(), { pin: false })
        await assert.rejects(all(store.cat(folder.cid)), { code: 'NOT_A_FILE' })
        await assert.rejects(store.readBytes(folder.cid, { maxBytes: 1_000_000 }), {
          code: 'NOT_A_FILE'
        })
      })

      it('refuses text that is no CID of the kept profile, everywhere', async () => {
        const bad = { code: 'BAD_CID' }
        const sha512 =
          'bafkrgqe3ohjcjplc6n4f3fwunlj6upltggn7xqujbsvnvyw764srszz4u4rshq6ztos4chl4plgg4ffyyxnayrtdi5oc4xb2332g645433aeg'
        for (const cid of ['', 'bafy', '../../etc/passwd', sha512]) {
          await assert.rejects(all(store.cat(cid)), bad)
          await assert.rejects(store.readBytes(cid, { maxBytes: 1 }), bad)
          await assert.rejects(store.get(cid, path('out')), bad)
          await assert.rejects(store.has(cid), bad)
          await assert.rejects(store.pin(cid, 'x'), bad)
          await assert.rejects(store.unpin(cid), bad)
          await assert.rejects(store.exportCar(cid, path('out')), bad)
          await assert.rejects(store.providers(cid, SOON), bad)
          await assert.rejects(store.getBlock(cid, SOON), bad)
          await assert.rejects(store.putBlock(cid, text('x')), bad)
        }
      })
    })

    describe('writing to disk', () => {
      it('refuses a target that exists, and leaves it as it was', async () => {
        const { cid } = await store.addBytes(text('new'), null)
        await assert.rejects(store.get(cid, write('taken', 'old')), { code: 'TARGET_EXISTS' })
        assert.equal(readFileSync(path('taken'), 'utf8'), 'old')
        await assert.rejects(store.exportCar(cid, path('taken')), { code: 'TARGET_EXISTS' })
        await assert.rejects(store.get(cid, path('no/such/folder')), { code: 'PATH_NOT_FOUND' })
      })

      it('lets no entry name escape from the target, and removes what it had written', async () => {
        const { cid } = await store.addBytes(text('evil'), null)
        const file = cidOf(text('evil'), RAW)
        assert.equal(file.toString(), cid)
        for (const name of [
          '..',
          '.',
          '',
          '../escaped',
          'sub/escaped',
          '/escaped',
          'nul\0byte',
          'back\\slash'
        ]) {
          const folder = await putFolder(store, [
            ['!first', file],
            [name, file]
          ])
          await assert.rejects(
            store.get(folder.toString(), path('out')),
            { code: 'UNSAFE_NAME' },
            JSON.stringify(name)
          )
          const nested = await putFolder(store, [['inner', folder]])
          await assert.rejects(store.get(nested.toString(), path('out')), { code: 'UNSAFE_NAME' })
          assert.deepEqual(
            readdirSync(world.folder).filter(entry => /out|escaped/.test(entry)),
            []
          )
        }
      })

      it('removes partial output when a part is missing', async () => {
        const { cid } = await store.addBytes(text('here'), null)
        assert.equal(cid, cidOf(text('here'), RAW).toString())
        const missing = cidOf(text('absent part'), RAW)
        const folder = await putFolder(store, [
          ['1', cidOf(text('here'), RAW)],
          ['2', missing]
        ])
        await assert.rejects(store.get(folder.toString(), path('out'), SOON), {
          code: 'ARTIFACT_NOT_FOUND'
        })
        assert.ok(!existsSync(path('out')))
      })
    })

    describe('pins and garbage', () => {
      it('lists, renames and removes pins', async () => {
        const { cid } = await store.addBytes(text('pinned'), 'first name')
        const [pin] = await store.pins()
        assert.deepEqual(
          { ...pin, createdAt: 0 },
          { cid, recursive: true, name: 'first name', createdAt: 0 }
        )
        const renamed = await store.pin(cid, 'second name')
        assert.deepEqual(renamed, { ...pin, name: 'second name' })
        assert.deepEqual(await store.pins(), [renamed])
        await store.unpin(cid)
        assert.deepEqual(await store.pins(), [])
        await assert.rejects(store.unpin(cid), { code: 'NOT_PINNED' })
        assert.equal(await store.has(cid), true)
      })

      it('collects what no pin reaches, and nothing else', async () => {
        const kept = await store.addBytes(randomBytes(2_500_000), 'kept')
        const folder = await store.addPath(tree(), { pin: true })
        const loose = await store.addBytes(randomBytes(2_500_000), null)
        const before = await store.usage()
        const result = await store.gc()
        const after = await store.usage()
        assert.equal(result.removed, 4)
        assert.ok(result.bytes > 2_500_000)
        assert.deepEqual({ blocks: result.kept, bytes: before.bytes - result.bytes }, after)
        assert.equal(before.blocks, after.blocks + 4)
        assert.deepEqual(
          [await store.has(kept.cid), await store.has(folder.cid), await store.has(loose.cid)],
          [true, true, false]
        )
        assert.deepEqual(await store.gc(), { removed: 0, bytes: 0, kept: after.blocks })
      })

      it('discards what it is told to, but nothing that a pin reaches', async () => {
        const pinned = await store.addBytes(text('pinned'), 'kept')
        const [loose, other] = [
          await store.addBytes(text('loose'), null),
          await store.addBytes(text('other'), null)
        ]
        await store.discard([pinned.cid, loose.cid, cidOf(text('not here'), RAW).toString()])
        const isHere = [pinned, loose, other].map(({ cid }) => store.has(cid))
        assert.deepEqual(await Promise.all(isHere), [true, false, true])
      })

      it('keeps a block that two artifacts share while one of them is pinned', async () => {
        const shared = text('shared by two folders')
        const file = cidOf(shared, RAW)
        await store.addBytes(shared, null)
        const [one, two] = [
          await putFolder(store, [['x', file]]),
          await putFolder(store, [['y', file]])
        ]
        await store.pin(one.toString(), 'one')
        await store.pin(two.toString(), 'two')
        await store.unpin(one.toString())
        assert.equal((await store.gc()).removed, 1)
        assert.equal(await store.has(two.toString()), true)
        await store.unpin(two.toString())
        assert.equal((await store.gc()).removed, 2)
      })

      it('never collects the blocks of an add in flight', async () => {
        const bytes = randomBytes(12_000_000)
        const file = write('file', bytes)
        const collections: Promise<unknown>[] = []
        const added = await store.addPath(file, {
          pin: true,
          onProgress: () => collections.push(store.gc())
        })
        await Promise.all(collections)
        assert.ok(collections.length > 2)
        await store.gc()
        assert.equal(await store.has(added.cid), true)
        assert.deepEqual(
          Buffer.from(await store.readBytes(added.cid, { maxBytes: bytes.length, ...SOON })),
          bytes
        )
      })

      it('keeps blocks and pins over a restart', async () => {
        const { cid } = await store.addBytes(randomBytes(1_500_000), 'kept')
        const pins = await store.pins()
        await store.stop()
        await store.stop()
        await assert.rejects(store.pins(), { code: 'ARTIFACT_STORE_STOPPED' })
        await assert.rejects(all(store.cat(cid)), { code: 'ARTIFACT_STORE_STOPPED' })
        await store.start()
        assert.deepEqual(await store.pins(), pins)
        assert.equal(await store.has(cid), true)
      })
    })

    describe('blocks and CAR files', () => {
      it('takes a block whose bytes fit its CID, and no other', async () => {
        const bytes = text('a block')
        const cid = cidOf(bytes).toString()
        await store.putBlock(cid, bytes)
        assert.deepEqual(Buffer.from(await store.getBlock(cid, SOON)), Buffer.from(bytes))
        await assert.rejects(store.putBlock(cid, text('other bytes')), { code: 'BLOCK_MISMATCH' })
        const huge = new Uint8Array(2 * 1024 * 1024 + 1)
        await assert.rejects(store.putBlock(cidOf(huge, RAW).toString(), huge), {
          code: 'TOO_LARGE'
        })
      })

      it('carries an artifact to a store that was never connected', async () => {
        const added = await store.addPath(tree(), { pin: true })
        const exported = await store.exportCar(added.cid, path('tree.car'))
        assert.equal(exported.bytes, readFileSync(path('tree.car')).length)
        const island = await world.store('island', { unplugged: true })
        const imported = await island.importCar(path('tree.car'))
        assert.deepEqual(imported, { roots: [added.cid], blocks: exported.blocks })
        await island.gc()
        await island.get(added.cid, path('copy'))
        assert.equal(readFileSync(path('copy/.hidden'), 'utf8'), 'dot')
      })

      it('refuses a CAR that is cut off, altered or something else', async () => {
        const { cid } = await store.addBytes(randomBytes(2_200_000), null)
        const whole = await store.exportCar(cid, path('whole.car'))
        const bytes = readFileSync(path('whole.car'))
        const island = await world.store('island', { unplugged: true })
        const corrupt = { code: 'CAR_CORRUPT' }
        for (const length of [0, 1, 20, 70, 1_000_000, whole.bytes - 1]) {
          write('cut.car', bytes)
          truncateSync(path('cut.car'), length)
          await assert.rejects(island.importCar(path('cut.car')), corrupt, `cut at ${length}`)
        }
        for (const position of [0, 5, 30, 59, 100, 1_500_000]) {
          const altered = Buffer.from(bytes)
          altered.writeUInt8(altered.readUInt8(position) ^ 1, position)
          await assert.rejects(
            island.importCar(write('altered.car', altered)),
            corrupt,
            `flipped at ${position}`
          )
        }
        await assert.rejects(island.importCar(write('text.car', 'not a CAR at all')), corrupt)
        await assert.rejects(island.importCar(path('nowhere.car')), { code: 'PATH_NOT_FOUND' })
        assert.deepEqual(await island.pins(), [])
      })
    })

    describe('other stores', () => {
      it('fetches by CID what another store has, and pins it whole', async () => {
        const other = await world.store('b')
        const bytes = randomBytes(2_700_000)
        const { cid } = await store.addBytes(bytes, 'mine')
        assert.equal(await other.has(cid), false)
        assert.deepEqual(await all(other.cat(cid)), bytes)
        const folder = await store.addPath(tree(), { pin: true })
        await other.pin(folder.cid, 'copy')
        assert.equal(await other.has(folder.cid), true)
        await other.gc()
        assert.deepEqual([await other.has(folder.cid), await other.has(cid)], [true, false])
      })

      it('neither fetches nor serves when unplugged', async () => {
        const island = await world.store('island', { unplugged: true })
        const mine = await store.addBytes(text('mine'), 'mine')
        const its = await island.addBytes(text('its own'), 'its')
        await assert.rejects(island.readBytes(mine.cid, { maxBytes: 10, ...SOON }), {
          code: 'ARTIFACT_NOT_FOUND'
        })
        await assert.rejects(store.readBytes(its.cid, { maxBytes: 10, ...SOON }), {
          code: 'ARTIFACT_NOT_FOUND'
        })
        assert.deepEqual(await island.providers(mine.cid, SOON), [])
        assert.equal((await all(island.cat(its.cid))).toString(), 'its own')
      })
    })
  })
}

/** 3,000,000 zero bytes in raw leaves of 1 MiB, CIDv1; computed without any UnixFS library. */
const KNOWN_ZEROS = 'bafybeigmdn54ysmbug2zhflk2dygoxlh6yn2tnjmaoyp55mtxqvje7erxi'
