import { setImmediate as turn } from 'node:timers/promises'
import { BLOCK_LEAVES, BlockTree, leafHash, MerkleTree } from '../core/merkle/index.ts'
import type { KeyValues, KeyValueWrite } from '../ports/index.ts'
import { HistoryDamagedError } from './errors.ts'
import { indexKey } from './keys.ts'

/** The leaf hashes of a block, one after the other; the last block may have fewer than the others. */
const BLOCK = 'witnessed/block/'
/** The root of a complete block. */
const ROOT = 'witnessed/block-root/'
/** Bytes of a SHA-256. */
const HASH_BYTES = 32
/** Rows that are written at once where a tree is made anew: 16 blocks. */
const ROWS_AT_ONCE = 32

/**
 * The trees of witnessed logs, on disk beside the leaves: so that a question about a log, which anybody may ask, costs a few reads and hashes, however large the
 * log is. Where they are not there, since an older version wrote the leaves, they are made from these, one log at a time.
 */
export class WitnessedTrees {
  readonly #store: KeyValues
  #work: Promise<unknown> = Promise.resolve()

  constructor(store: KeyValues) {
    this.#store = store
  }

  /** Where the rows of a log are. */
  static prefixes(origin: string): readonly string[] {
    return [`${BLOCK}${origin}/`, `${ROOT}${origin}/`]
  }

  /** The tree of a log of `size` leaves. Rejects with HistoryDamagedError where there are not so many. */
  async read(
    origin: string,
    size: number,
    leaves: () => AsyncIterable<Uint8Array>
  ): Promise<BlockTree> {
    const kept = await this.#kept(origin, size)
    if (kept !== null) return kept
    const made = this.#work.then(() => this.#make(origin, size, leaves()))
    this.#work = made.catch(() => undefined)
    return made
  }

  /** The leaves of a block. Rejects with HistoryDamagedError where they are not there. */
  async block(origin: string, index: number): Promise<MerkleTree> {
    const block = await this.#block(origin, index)
    if (block?.size === BLOCK_LEAVES) return block
    throw new HistoryDamagedError(`block ${index} of the log of ${origin} is not there`)
  }

  /** Adds leaves to a tree; the rows that have to be written with them. The node serves in between. */
  async grow(
    origin: string,
    tree: BlockTree,
    leaves: Iterable<Uint8Array>
  ): Promise<KeyValueWrite[]> {
    const rows: KeyValueWrite[] = []
    for (const leaf of leaves) {
      const { index } = tree.last
      const block = tree.append(leafHash(leaf))
      if (block === null) continue
      rows.push(...rowsOf(origin, index, block))
      await turn()
    }
    return [...rows, ...lastRow(origin, tree)]
  }

  async #kept(origin: string, size: number): Promise<BlockTree | null> {
    const from = `${ROOT}${origin}/`
    const roots = new MerkleTree()
    for await (const [key, root] of this.#store.range({ from, to: `${from}~` })) {
      if (key !== indexKey(from, roots.size) || root.length !== HASH_BYTES) return null
      roots.append(root)
    }
    if (roots.size !== Math.floor(size / BLOCK_LEAVES)) return null
    const count = size % BLOCK_LEAVES
    const last = count === 0 ? new MerkleTree() : await this.#block(origin, roots.size)
    return last?.size === count ? new BlockTree(roots, last) : null
  }

  async #block(origin: string, index: number): Promise<MerkleTree | null> {
    const row = await this.#store.get(indexKey(`${BLOCK}${origin}/`, index))
    if (row === undefined || row.length % HASH_BYTES !== 0) return null
    const block = new MerkleTree()
    for (let at = 0; at < row.length; at += HASH_BYTES) block.append(row.slice(at, at + HASH_BYTES))
    return block
  }

  async #make(origin: string, size: number, leaves: AsyncIterable<Uint8Array>): Promise<BlockTree> {
    const tree = new BlockTree()
    let rows: KeyValueWrite[] = []
    for await (const leaf of leaves) {
      const { index } = tree.last
      const block = tree.append(leafHash(leaf))
      if (block === null) continue
      rows.push(...rowsOf(origin, index, block))
      await turn()
      if (rows.length < ROWS_AT_ONCE) continue
      await this.#store.write(rows)
      rows = []
    }
    if (tree.size !== size)
      throw new HistoryDamagedError(
        `${tree.size} of the ${size} leaves of the log of ${origin} are here`
      )
    await this.#store.write([...rows, ...lastRow(origin, tree)])
    return tree
  }
}

function rowsOf(origin: string, index: number, block: MerkleTree): KeyValueWrite[] {
  return [
    { type: 'put', key: indexKey(`${BLOCK}${origin}/`, index), value: block.leaves() },
    { type: 'put', key: indexKey(`${ROOT}${origin}/`, index), value: block.root() }
  ]
}

function lastRow(origin: string, { last }: BlockTree): KeyValueWrite[] {
  const { index, leaves } = last
  if (leaves.size === 0) return []
  return [{ type: 'put', key: indexKey(`${BLOCK}${origin}/`, index), value: leaves.leaves() }]
}
