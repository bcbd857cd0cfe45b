import { CarBufferReader } from '@ipld/car/buffer-reader'
import * as CarBufferWriter from '@ipld/car/buffer-writer'
import * as v from 'valibot'
import { toHex } from '../core/base/index.ts'
import { CID, cidOf, decodeStrict, encode } from '../core/codec/index.ts'
import type { KeyValues, KeyValueWrite } from '../ports/index.ts'
import type { ColdFiles } from './cold-files.ts'
import { type Block, type ColdThread, fromBlocks, threadOf, toBlocks } from './cold-thread.ts'
import { ColdDamagedError, ColdMissingError } from './errors.ts'

/** Names the shape and its version; a reader refuses any other. */
const SEGMENT_FORMAT = 'can-swarm/cold/v1'
const THREAD = 'cold/thread/'
const SEGMENT = 'cold/segment/'

const placeSchema = v.strictObject({
  segment: v.string(),
  offset: v.pipe(v.number(), v.safeInteger()),
  length: v.pipe(v.number(), v.safeInteger()),
  root: v.custom<CID>(value => CID.asCID(value) !== null)
})
type Place = v.InferOutput<typeof placeSchema>

/** What a run of `add` wrote. */
export type Segment = { readonly name: string; readonly bytes: number }

/**
 * Threads in CAR files that are written once and never changed, and an index of where each lies. A file is on disk under its name before the
 * index names it; one that the index does not know is read again and taken in, so neither a crash nor an older index loses a thread.
 */
export class ColdStore {
  readonly #files: ColdFiles
  readonly #store: KeyValues

  private constructor(files: ColdFiles, store: KeyValues) {
    this.#files = files
    this.#store = store
  }

  /** Takes in files that the index does not know. Rejects with ColdDamagedError. */
  static async open(files: ColdFiles, store: KeyValues): Promise<ColdStore> {
    const cold = new ColdStore(files, store)
    for (const name of await files.names()) {
      if (!name.endsWith('.car') || (await store.get(SEGMENT + name)) !== undefined) continue
      await cold.#adopt(name)
    }
    return cold
  }

  /** Rejects with ColdMissingError when the file was moved away, with ColdDamagedError when it is not what was written. */
  async get(thread: string): Promise<ColdThread | undefined> {
    const kept = await this.#store.get(THREAD + thread)
    if (kept === undefined) return undefined
    const { segment, root, ...range } = placeOf(kept)
    const part = await this.#files.read(segment, range)
    if (part === null) throw new ColdMissingError(thread, segment)
    return whole(segment, () => fromBlocks(root, blocksOf(root, part)))
  }

  /** One file of these threads. They are on disk and in the index when it resolves. */
  async add(threads: readonly ColdThread[]): Promise<Segment> {
    const parts = await Promise.all(threads.map(toBlocks))
    const roots = parts.map(([root]) => root.cid)
    const manifest = encode({ format: SEGMENT_FORMAT, threads: roots })
    const first = { cid: cidOf(manifest), bytes: manifest }
    const { bytes, starts } = carOf(first, parts)
    const name = `${toHex(first.cid.multihash.digest).slice(0, 32)}.car`
    await this.#files.write(name, bytes)
    const places = threads.map(({ thread }, at): [string, Place] => {
      const offset = starts[at] as number
      const length = (starts[at + 1] as number) - offset
      return [thread, { segment: name, offset, length, root: roots[at] as CID }]
    })
    await this.#index(name, bytes.length, places)
    return { name, bytes: bytes.length }
  }

  #index(name: string, size: number, places: readonly [string, Place][]): Promise<void> {
    const threads = places.map(
      ([thread, place]): KeyValueWrite => ({
        type: 'put',
        key: THREAD + thread,
        value: encode(place)
      })
    )
    return this.#store.write([
      ...threads,
      { type: 'put', key: SEGMENT + name, value: encode({ bytes: size, threads: places.length }) }
    ])
  }

  /** A file of which a crash, or an index from before it, knows nothing. */
  async #adopt(name: string): Promise<void> {
    const bytes = await this.#files.read(name)
    if (bytes === null) return
    const places = await whole(name, async () => {
      const reader = CarBufferReader.fromBytes(bytes)
      const [root] = reader.getRoots()
      if (root === undefined) throw new RangeError('it has no root')
      return placesIn(name, bytes.length, root, reader.blocks())
    })
    await this.#index(name, bytes.length, places)
  }
}

/** Where the threads of a file lie: each begins with the block that names its others. */
function placesIn(
  segment: string,
  size: number,
  root: CID,
  blocks: readonly Block[]
): [string, Place][] {
  let offset = CarBufferWriter.headerLength({ roots: [root] })
  const found: { thread: string; root: CID; offset: number }[] = []
  for (const block of blocks) {
    const thread = threadOf(block.bytes)
    if (thread !== null) found.push({ thread, root: block.cid, offset })
    offset += CarBufferWriter.blockLength(block)
  }
  return found.map((one, at) => [
    one.thread,
    {
      segment,
      root: one.root,
      offset: one.offset,
      length: (found[at + 1]?.offset ?? size) - one.offset
    }
  ])
}

/** The bytes of a file, where each thread begins in it, and where the last ends. */
function carOf(
  first: Block,
  threads: readonly (readonly Block[])[]
): { bytes: Uint8Array; starts: number[] } {
  const roots = [first.cid]
  let size = CarBufferWriter.headerLength({ roots }) + CarBufferWriter.blockLength(first)
  const starts = [size]
  for (const blocks of threads) {
    for (const block of blocks) size += CarBufferWriter.blockLength(block)
    starts.push(size)
  }
  const writer = CarBufferWriter.createWriter(new ArrayBuffer(size), { roots })
  for (const block of [first, ...threads.flat()]) writer.write(block)
  return { bytes: writer.close(), starts }
}

/** The blocks of a part of a file: it is read as a file of its own. */
function blocksOf(root: CID, part: Uint8Array): Block[] {
  const roots = [root]
  const length = CarBufferWriter.headerLength({ roots })
  const bytes = new Uint8Array(length + part.length)
  bytes.set(CarBufferWriter.createWriter(new ArrayBuffer(length), { roots }).close())
  bytes.set(part, length)
  return CarBufferReader.fromBytes(bytes).blocks()
}

function placeOf(kept: Uint8Array): Place {
  const value = decodeStrict(kept)
  return v.parse(placeSchema, value.ok ? value.value : null)
}

async function whole<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new ColdDamagedError(name, cause)
  }
}
