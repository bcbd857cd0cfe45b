import { assert, ok, type Result, refuse } from '../base/index.ts'
import { EMPTY_ROOT, nodeHash } from './hashes.ts'

/** Bytes of a SHA-256. */
const HASH_BYTES = 32

/**
 * A log that is followed and not held: the roots of the complete subtrees that its leaves make, at most 53, largest first. Enough to go on from and to have
 * the root, whatever came before.
 */
export class CompactTree {
  #size = 0
  readonly #peaks: Uint8Array[] = []

  /** A tree of so many leaves by its `peaks` (see `MerkleTree.peaks`). Refusals: `MERKLE_PROOF_MALFORMED` when there cannot be these. */
  static of(size: number, peaks: readonly Uint8Array[]): Result<CompactTree> {
    if (!Number.isSafeInteger(size) || size < 0 || peaks.length !== onesIn(size))
      return refuse('MERKLE_PROOF_MALFORMED', `a tree of ${size} leaves has other subtrees`)
    if (!peaks.every(({ length }) => length === HASH_BYTES))
      return refuse('MERKLE_PROOF_MALFORMED', 'a subtree is said by its hash')
    const tree = new CompactTree()
    tree.#size = size
    tree.#peaks.push(...peaks)
    return ok(tree)
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size
  }

  /** Another one with the same leaves. */
  copy(): CompactTree {
    const tree = new CompactTree()
    tree.#size = this.#size
    tree.#peaks.push(...this.#peaks)
    return tree
  }

  /** Adds a leaf by its hash (`leafHash`). */
  append(leaf: Uint8Array): void {
    assert(leaf.length === HASH_BYTES, 'a leaf is appended by its hash')
    let hash = leaf
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2))
      hash = nodeHash(this.#peaks.pop() as Uint8Array, hash)
    this.#peaks.push(hash)
    this.#size += 1
  }

  /** Root of the tree (RFC 9162, 2.1.1). */
  root(): Uint8Array {
    const last = this.#peaks.at(-1)
    if (last === undefined) return EMPTY_ROOT
    return this.#peaks.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last)
  }
}

function onesIn(size: number): number {
  let count = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}
