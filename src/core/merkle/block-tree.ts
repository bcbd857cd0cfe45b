import { assert } from '../base/index.ts'
import { EMPTY_ROOT } from './hashes.ts'
import { MerkleTree } from './merkle-tree.ts'
import { consistencyOf, joined, peaksOf, splitOf } from './shape.ts'

/** Leaves of one block, a power of two: their hashes are 8 KiB. */
export const BLOCK_LEAVES = 256

/** Blocks by their index, with all their leaves. */
export type Blocks = ReadonlyMap<number, MerkleTree>

const NONE: Blocks = new Map()

/**
 * The tree of a log whose leaf hashes lie elsewhere, in blocks: the root of each complete block and the leaves of the last one are here, a quarter of a byte a leaf. What
 * is asked of a size inside a complete block needs the leaves of that block (`blockOf`).
 */
export class BlockTree {
  readonly #roots: MerkleTree
  #last: MerkleTree

  /** Of the roots of the complete blocks, and the leaves after them. */
  constructor(roots: MerkleTree = new MerkleTree(), last: MerkleTree = new MerkleTree()) {
    assert(last.size < BLOCK_LEAVES, 'the last block is not complete')
    this.#roots = roots
    this.#last = last
  }

  /** Number of leaves. */
  get size(): number {
    return this.#roots.size * BLOCK_LEAVES + this.#last.size
  }

  /** The block that is not complete, and so the index of the next one to be. */
  get last(): { readonly index: number; readonly leaves: MerkleTree } {
    return { index: this.#roots.size, leaves: this.#last }
  }

  /** Another one with the same leaves. */
  copy(): BlockTree {
    return new BlockTree(this.#roots.copy(), this.#last.copy())
  }

  /** Adds a leaf by its hash (`leafHash`). Returns the block that it completes, or null. */
  append(leaf: Uint8Array): MerkleTree | null {
    const block = this.#last
    block.append(leaf)
    if (block.size < BLOCK_LEAVES) return null
    this.#roots.append(block.root())
    this.#last = new MerkleTree()
    return block
  }

  /** Index of the complete block whose leaves it takes to speak of the first `size` leaves, or null. */
  blockOf(size: number): number | null {
    const index = Math.floor(size / BLOCK_LEAVES)
    return size % BLOCK_LEAVES === 0 || index >= this.#roots.size ? null : index
  }

  /** Root of the first `size` leaves. */
  root(size: number = this.size, blocks: Blocks = NONE): Uint8Array {
    this.#checkSize(size)
    return size === 0 ? EMPTY_ROOT : this.#range(0, size, blocks)
  }

  /** See `MerkleTree.peaks`. */
  peaks(size: number = this.size, blocks: Blocks = NONE): Uint8Array[] {
    this.#checkSize(size)
    return peaksOf(size, (from, to) => this.#range(from, to, blocks))
  }

  /** See `MerkleTree.consistencyProof`. */
  consistencyProof(oldSize: number, size: number = this.size, blocks: Blocks = NONE): Uint8Array[] {
    this.#checkSize(size)
    assert(oldSize >= 0 && oldSize <= size, 'the old tree is not larger')
    return consistencyOf(oldSize, size, (from, to) => this.#range(from, to, blocks))
  }

  #range(from: number, to: number, blocks: Blocks): Uint8Array {
    const index = Math.floor(from / BLOCK_LEAVES)
    const start = index * BLOCK_LEAVES
    const count = to - from
    if (from === start && count >= BLOCK_LEAVES && splitOf(count) * 2 === count)
      return this.#roots.range(index, to / BLOCK_LEAVES)
    if (to > start + BLOCK_LEAVES) return joined(from, to, (a, b) => this.#range(a, b, blocks))
    const block = index === this.#roots.size ? this.#last : blocks.get(index)
    assert(block !== undefined, 'the block that a size is in was read')
    return block.range(from - start, to - start)
  }

  #checkSize(size: number): void {
    assert(Number.isInteger(size) && size >= 0 && size <= this.size, 'the tree has been this large')
  }
}
