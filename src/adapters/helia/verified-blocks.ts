import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FsBlockstore } from 'blockstore-fs'
import { NextToLast } from 'blockstore-fs/sharding'
import type { CID } from '../../core/codec/index.ts'
import { blockKey, hashFits } from './cid.ts'
import { BlockAbsentError } from './errors.ts'

const LAYOUT = new NextToLast()
const BLOCK_FILE = /^[^.].*\.data$/
const STALE_FILE = /^\.(.*\.data)\.tmp$/

type StoredBlock = { readonly cid: CID; readonly key: string; readonly bytes: number }

/**
 * Blocks as files, with three promises that the file store beneath does not make:
 *
 * 1. Every read is hashed. A damaged block is removed and counts as absent, for our own calls and for peers that ask.
 * 2. Two writers of one block do not share a temporary file: the second joins the first.
 * 3. Sizes can be listed.
 */
export class VerifiedBlocks extends FsBlockstore {
  readonly #directory: string
  readonly #onDamage: (cid: CID) => void
  readonly #writing = new Map<string, Promise<CID>>()

  constructor(directory: string, onDamage: (cid: CID) => void) {
    super(directory)
    this.#directory = directory
    this.#onDamage = onDamage
  }

  override put(cid: CID, bytes: Parameters<FsBlockstore['put']>[1]): Promise<CID> {
    const key = blockKey(cid)
    const running = this.#writing.get(key)
    if (running !== undefined) return running
    // No abort signal: another writer of the same block may have joined this one.
    const write = super.put(cid, bytes).finally(() => this.#writing.delete(key))
    this.#writing.set(key, write)
    return write
  }

  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    await this.#writing.get(blockKey(cid))?.catch(() => {})
    const bytes = await this.#readFile(cid)
    if (hashFits(cid, bytes)) {
      yield bytes
      return
    }
    await this.delete(cid)
    this.#onDamage(cid)
    throw new BlockAbsentError(`the block ${cid} was damaged on disk`)
  }

  /** The good bytes of a block, or undefined when it is absent or was damaged. */
  async read(cid: CID): Promise<Uint8Array | undefined> {
    if (!(await this.has(cid))) return undefined
    try {
      for await (const bytes of this.get(cid)) return bytes
    } catch (error) {
      if ((error as Error).name !== 'NotFoundError') throw error
    }
    return undefined
  }

  /** Every block with its size in bytes, in no order. Blocks that vanish meanwhile are left out. */
  async *list(): AsyncGenerator<StoredBlock> {
    for await (const { folder, name } of this.#files()) {
      if (!BLOCK_FILE.test(name)) continue
      const info = await stat(join(folder, name)).catch(() => undefined)
      if (info === undefined) continue
      const cid = LAYOUT.decode(name)
      yield { cid, key: blockKey(cid), bytes: info.size }
    }
  }

  /** Removes temporary files that a killed process left behind. */
  async removeStale(): Promise<void> {
    for await (const { folder, name } of this.#files()) {
      const final = STALE_FILE.exec(name)?.[1]
      if (final === undefined || this.#writing.has(blockKey(LAYOUT.decode(final)))) continue
      await rm(join(folder, name), { force: true })
    }
  }

  /** The file at once: the class below streams it in pieces of 64 KiB, which halved the rate of reads and fetches. */
  async #readFile(cid: CID): Promise<Uint8Array> {
    const { dir, file } = LAYOUT.encode(cid)
    try {
      return await readFile(join(this.#directory, dir, file))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
      throw new BlockAbsentError(`the block ${cid} is not on disk`, { cause })
    }
  }

  async *#files(): AsyncGenerator<{ folder: string; name: string }> {
    for (const shard of await readdir(this.#directory)) {
      const folder = join(this.#directory, shard)
      for (const name of await readdir(folder).catch(() => [])) yield { folder, name }
    }
  }
}
