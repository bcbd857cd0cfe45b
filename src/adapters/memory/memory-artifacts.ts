import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { realpath, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type UnixFS, unixfs } from '@helia/unixfs'
import { CarBlockIterator, CarWriter } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { createUnsafe } from 'multiformats/block'
import * as raw from 'multiformats/codecs/raw'
import { compareText, concat, equals } from '../../core/base/index.ts'
import { CID } from '../../core/codec/index.ts'
import type { AddResult, ArtifactStore, GcResult, PinInfo } from '../../ports/index.ts'
import {
  type Count,
  candidates,
  fileChunks,
  MemoryArtifactError,
  pathError,
  requireVacant,
  writeOut
} from './memory-artifact-paths.ts'

/** Stores that can fetch from each other, as if on one network. */
export class MemoryArtifactNetwork {
  readonly members = new Map<string, MemoryArtifactStore>()
}

export type MemoryArtifactStoreInit = {
  /** Named in `providers`. */
  readonly id?: string
  readonly network?: MemoryArtifactNetwork
  readonly unplug?: ReadonlySet<string>
  readonly nowMs?: () => number
}

/** The content store without disk, Helia and network. What nobody has is missing at once; blocks and pins survive stop and start. */
export function memoryArtifactStore(init: MemoryArtifactStoreInit = {}): ArtifactStore {
  return new MemoryArtifactStore(init)
}

type Blocks = Map<string, Uint8Array>

class MemoryArtifactStore implements ArtifactStore {
  readonly #init: MemoryArtifactStoreInit
  readonly #id: string
  readonly #blocks: Blocks = new Map()
  readonly #pins = new Map<string, PinInfo>()
  /** Blocks that calls in flight wrote or read. */
  readonly #held = new Set<Set<string>>()
  #started = false

  constructor(init: MemoryArtifactStoreInit) {
    this.#init = init
    this.#id = init.id ?? `memory-${init.network?.members.size ?? 0}`
  }

  async start(): Promise<void> {
    this.#started = true
    if (this.#init.unplug?.has('artifacts') !== true)
      this.#init.network?.members.set(this.#id, this)
  }

  async stop(): Promise<void> {
    this.#started = false
    this.#init.network?.members.delete(this.#id)
  }

  addBytes(bytes: Uint8Array, pinName: string | null): Promise<AddResult> {
    return this.#call(async fs => {
      const cid = await fs.addBytes(bytes)
      if (pinName !== null) this.#keep(cid, pinName)
      return { cid: cid.toString(), bytes: bytes.length, files: 1 }
    })
  }

  addPath(path: string, options: Parameters<ArtifactStore['addPath']>[1]): Promise<AddResult> {
    return this.#call(async fs => {
      const count: Count = { bytes: 0, files: 0 }
      const advance = (bytes: number, below: string): void => {
        options.signal?.throwIfAborted()
        count.bytes += bytes
        options.onProgress?.({ bytes: count.bytes, path: below })
      }
      const root = await realpath(path).catch(error => {
        throw pathError(path, error)
      })
      const cid = await importPath(fs, root, advance, count)
      if (options.pin) this.#keep(cid, basename(root))
      return { cid: cid.toString(), ...count }
    })
  }

  async *cat(
    text: string,
    options: Parameters<ArtifactStore['cat']>[1] = {}
  ): AsyncIterable<Uint8Array> {
    const cid = parseCid(text)
    const offset = wholeNumber(options.offset ?? 0)
    const bytes = await this.#call(fs => this.#fileBytes(fs, cid, Number.POSITIVE_INFINITY))
    const end = options.length === undefined ? bytes.length : offset + wholeNumber(options.length)
    for (let at = offset; at < Math.min(end, bytes.length); at += CHUNK_BYTES) {
      options.signal?.throwIfAborted()
      yield bytes.subarray(at, Math.min(at + CHUNK_BYTES, end))
    }
  }

  async readBytes(text: string, options: { readonly maxBytes: number }): Promise<Uint8Array> {
    const cid = parseCid(text)
    return this.#call(fs => this.#fileBytes(fs, cid, wholeNumber(options.maxBytes)))
  }

  async get(
    text: string,
    path: string,
    options: Parameters<ArtifactStore['get']>[2] = {}
  ): Promise<Count> {
    const cid = parseCid(text)
    return this.#call(fs => writeOut(fs, cid, path, options.onProgress))
  }

  async has(text: string): Promise<boolean> {
    const cid = parseCid(text)
    return this.#call(async () => this.#isComplete(cid))
  }

  async pin(text: string, name: string): Promise<PinInfo> {
    const cid = parseCid(text)
    return this.#call(async (_, load) => {
      for (const _block of dag(cid, load));
      return this.#keep(cid, name)
    })
  }

  async unpin(text: string): Promise<void> {
    const cid = parseCid(text).toString()
    await this.#call(async () => {
      if (!this.#pins.delete(cid))
        throw new MemoryArtifactError('NOT_PINNED', `${cid} is not pinned`)
    })
  }

  pins(): Promise<readonly PinInfo[]> {
    return this.#call(async () =>
      [...this.#pins.values()].sort(
        (a, b) => a.createdAt - b.createdAt || compareText(a.cid, b.cid)
      )
    )
  }

  discard(texts: readonly string[]): Promise<void> {
    const keys = texts.map(text => blockKey(parseCid(text)))
    return this.#call(async () => {
      const live = this.#live()
      for (const key of keys) if (!live.has(key)) this.#blocks.delete(key)
    })
  }

  gc(): Promise<GcResult> {
    return this.#call(async () => {
      const live = this.#live()
      const result = { removed: 0, bytes: 0 }
      for (const [key, bytes] of this.#blocks) {
        if (live.has(key)) continue
        this.#blocks.delete(key)
        result.removed += 1
        result.bytes += bytes.length
      }
      return { ...result, kept: this.#blocks.size }
    })
  }

  async exportCar(
    text: string | readonly string[],
    path: string
  ): Promise<{ blocks: number; bytes: number }> {
    const roots = [text].flat().map(parseCid)
    return this.#call(async (_, load) => {
      await requireVacant(path)
      const blocks = roots.flatMap(root => [...dag(root, load)])
      const { writer, out } = CarWriter.create(roots)
      const file = createWriteStream(path, { flags: 'wx' })
      const writing = pipeline(Readable.from(out), file)
      try {
        for (const block of blocks) await writer.put(block)
        await writer.close()
        await writing
      } catch (error) {
        await rm(path, { force: true })
        throw pathError(path, error)
      }
      return { blocks: blocks.length, bytes: file.bytesWritten }
    })
  }

  importCar(path: string): Promise<{ roots: readonly string[]; blocks: number }> {
    return this.#call(async (_fs, _load, hold) => {
      let blocks = 0
      let roots: CID[]
      try {
        const car = await CarBlockIterator.fromIterable(createReadStream(path))
        roots = (await car.getRoots()).map(root => parseCid(root.toString()))
        for await (const { cid, bytes } of car) {
          this.#put(cid, bytes, hold)
          blocks += 1
        }
      } catch (error) {
        const known = pathError(path, error)
        throw known === error ? carCorrupt(path, error) : known
      }
      if (!roots.every(root => this.#isComplete(root))) throw carCorrupt(path)
      for (const root of roots) this.#keep(root, basename(path))
      return { roots: roots.map(String), blocks }
    })
  }

  async providers(text: string): Promise<readonly string[]> {
    const key = blockKey(parseCid(text))
    return this.#call(async () => {
      if (this.#init.unplug?.has('artifacts') === true) return []
      const members = [...(this.#init.network?.members ?? [])]
      return members.flatMap(([id, member]) => (member.#blocks.has(key) ? [id] : []))
    })
  }

  async getBlock(text: string): Promise<Uint8Array> {
    const cid = parseCid(text)
    return this.#call(async (_, load) => load(cid))
  }

  async putBlock(text: string, bytes: Uint8Array): Promise<void> {
    const cid = parseCid(text)
    await this.#call(async (_fs, _load, hold) => {
      if (bytes.length > BLOCK_BYTES_MAX)
        throw new MemoryArtifactError('TOO_LARGE', `${bytes.length} bytes are too many for a block`)
      this.#put(cid, bytes, hold)
    })
  }

  usage(): Promise<{ blocks: number; bytes: number }> {
    return this.#call(async () => {
      const bytes = [...this.#blocks.values()].reduce((sum, block) => sum + block.length, 0)
      return { blocks: this.#blocks.size, bytes }
    })
  }

  /** Keys of what a pin reaches or a call in flight uses. */
  #live(): Set<string> {
    const live = new Set([...this.#held].flatMap(keys => [...keys]))
    for (const { cid } of this.#pins.values())
      for (const { key } of dag(parseCid(cid), part => this.#blocks.get(blockKey(part))))
        live.add(key)
    return live
  }

  async #call<T>(
    body: (fs: UnixFS, load: (cid: CID) => Uint8Array, hold: Set<string>) => Promise<T>
  ): Promise<T> {
    if (!this.#started)
      throw new MemoryArtifactError('ARTIFACT_STORE_STOPPED', 'the content store is not started')
    const hold = new Set<string>()
    this.#held.add(hold)
    const load = (cid: CID): Uint8Array => this.#load(cid, hold)
    const view = {
      async *get(cid: CID) {
        yield load(cid)
      },
      put: async (cid: CID, bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>) =>
        this.#put(cid, bytes instanceof Uint8Array ? bytes : await collect(bytes), hold),
      has: async (cid: CID) => this.#blocks.has(blockKey(cid))
    }
    try {
      return await body(unixfs({ blockstore: view }), load, hold)
    } finally {
      this.#held.delete(hold)
    }
  }

  #load(cid: CID, hold: Set<string>): Uint8Array {
    const key = blockKey(cid)
    hold.add(key)
    const plugged = this.#init.unplug?.has('artifacts') !== true
    const others = plugged ? [...(this.#init.network?.members.values() ?? [])] : []
    const owner = [this, ...others].find(store => store.#blocks.has(key))
    if (owner === undefined) {
      throw new MemoryArtifactError('ARTIFACT_NOT_FOUND', `nobody has ${cid}; waited 0 ms`)
    }
    const bytes = owner.#blocks.get(key) as Uint8Array
    this.#blocks.set(key, bytes)
    return bytes
  }

  #put(cid: CID, bytes: Uint8Array, hold: Set<string>): CID {
    const digest = createHash('sha256').update(bytes).digest()
    if (!equals(digest, cid.multihash.digest))
      throw new MemoryArtifactError('BLOCK_MISMATCH', `the bytes do not hash to ${cid}`)
    hold.add(blockKey(cid))
    this.#blocks.set(blockKey(cid), bytes.slice())
    return cid
  }

  #keep(cid: CID, name: string): PinInfo {
    const createdAt = this.#pins.get(cid.toString())?.createdAt ?? (this.#init.nowMs ?? Date.now)()
    const info: PinInfo = { cid: cid.toString(), recursive: true, name, createdAt }
    this.#pins.set(info.cid, info)
    return info
  }

  #isComplete(root: CID): boolean {
    let complete = true
    for (const { bytes } of dag(root, cid => this.#blocks.get(blockKey(cid))))
      complete &&= bytes !== undefined
    return complete
  }

  async #fileBytes(fs: UnixFS, cid: CID, maxBytes: number): Promise<Uint8Array> {
    const kind = cid.code === dagCbor.code ? undefined : await fs.stat(cid)
    if (kind === undefined || kind.type === 'directory')
      throw new MemoryArtifactError('NOT_A_FILE', `${cid} is no file`)
    if (kind.size > maxBytes)
      throw new MemoryArtifactError(
        'TOO_LARGE',
        `${cid} has ${kind.size} bytes, more than ${maxBytes}`
      )
    return collect(fs.cat(cid))
  }
}

/** Bytes that `cat` yields at once. */
const CHUNK_BYTES: number = 1024 * 1024
/** As in the store on disk: what other bitswap nodes accept. */
const BLOCK_BYTES_MAX: number = 2 * 1024 * 1024

type DagBlock<B> = { readonly cid: CID; readonly key: string; readonly bytes: B }

/** Every block below a root once. */
function* dag<B extends Uint8Array | undefined>(
  root: CID,
  load: (cid: CID) => B
): Generator<DagBlock<B>> {
  const seen = new Set<string>()
  const waiting = [root]
  for (let cid = waiting.shift(); cid !== undefined; cid = waiting.shift()) {
    if (seen.has(cid.toString())) continue
    seen.add(cid.toString())
    const bytes = load(cid)
    yield { cid, key: blockKey(cid), bytes }
    if (bytes === undefined || cid.code === raw.code) continue
    const block =
      cid.code === dagPb.code
        ? createUnsafe({ cid, bytes, codec: dagPb })
        : createUnsafe({ cid, bytes, codec: dagCbor })
    for (const [, link] of block.links()) waiting.push(link)
  }
}

async function importPath(
  fs: UnixFS,
  root: string,
  advance: (bytes: number, path: string) => void,
  count: Count
): Promise<CID> {
  const info = await stat(root)
  if (info.isFile()) return fs.addByteStream(fileChunks(root, basename(root), advance, count))
  if (!info.isDirectory())
    throw new MemoryArtifactError('NOT_A_FILE', `${root} is neither a file nor a folder`)
  let cid: CID | undefined
  for await (const entry of fs.addAll(candidates(root, advance, count), {
    wrapWithDirectory: true
  }))
    cid = entry.cid
  return cid ?? fs.addDirectory()
}

async function collect(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return concat(chunks)
}

function blockKey(cid: CID): string {
  return Buffer.from(cid.multihash.digest).toString('base64')
}

function parseCid(text: string): CID {
  try {
    const cid = CID.parse(text).toV1()
    const codecs: readonly number[] = [dagPb.code, raw.code, dagCbor.code]
    if (cid.multihash.code === 0x12 && codecs.includes(cid.code)) return cid
  } catch (cause) {
    throw new MemoryArtifactError('BAD_CID', `"${text}" is not a CID`, cause)
  }
  throw new MemoryArtifactError('BAD_CID', `${text} names a hash or codec that is not kept here`)
}

function wholeNumber(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new MemoryArtifactError('BAD_RANGE', `a whole number from 0 is wanted, not ${value}`)
}

function carCorrupt(path: string, cause?: unknown): MemoryArtifactError {
  return new MemoryArtifactError('CAR_CORRUPT', `the CAR file ${path} is corrupt`, cause)
}
