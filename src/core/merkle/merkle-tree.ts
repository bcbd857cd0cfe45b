import { assert } from '../base/index.ts'
import { EMPTY_ROOT, nodeHash } from './hashes.ts'
import { consistencyOf, joined, peaksOf, splitOf } from './shape.ts'

/** Bytes of a SHA-256. */
const HASH_BYTES = 32
/** Hashes that a level has room for at first. */
const ROOM_MIN = 16

/** Hashes of one level, packed. */
type Level = { bytes: Uint8Array; count: number }

/**
 * The tree of a log that this node holds: leaf hashes in, roots and proofs of any earlier size out. Keeps the hash of every complete
 * subtree, 64 bytes a leaf. Sizes are numbers here: nobody holds 2^53 leaves.
 */
export class MerkleTree {
  readonly #levels: Level[] = []

  /** Number of leaves. */
  get size(): number {
    return this.#levels[0]?.count ?? 0
  }

  /** Adds a leaf by its hash (`leafHash`). */
  append(leaf: Uint8Array): void {
    assert(leaf.length === HASH_BYTES, 'a leaf is appended by its hash')
    let hash = leaf
    for (let level = 0; ; level++) {
      const index = this.#push(level, hash)
      if ((index & 1) === 0) return
      hash = nodeHash(this.#at(level, index - 1), hash)
    }
  }

  /** Another one with the same leaves. */
  copy(): MerkleTree {
    const tree = new MerkleTree()
    for (const { bytes, count } of this.#levels) tree.#levels.push({ bytes: bytes.slice(), count })
    return tree
  }

  /** The hashes of all leaves, one after the other. */
  leaves(): Uint8Array {
    const [level] = this.#levels
    return level === undefined ? new Uint8Array(0) : level.bytes.slice(0, level.count * HASH_BYTES)
  }

  /** Hash of a leaf. */
  leaf(index: number): Uint8Array {
    assert(index >= 0 && index < this.size, 'the leaf is in the tree')
    return this.#at(0, index)
  }

  /** Root of the tree's first `size` leaves (RFC 9162, 2.1.1). */
  root(size: number = this.size): Uint8Array {
    this.#checkSize(size)
    return size === 0 ? EMPTY_ROOT : this.range(0, size)
  }

  /** Hashes of the complete subtrees that the first `size` leaves make, largest first: what is needed to go on from there (`CompactTree`). */
  peaks(size: number = this.size): Uint8Array[] {
    this.#checkSize(size)
    return peaksOf(size, (from, to) => this.range(from, to))
  }

  /** Hashes that show that leaf `index` is in the tree of the first `size` leaves, from the leaf upwards (RFC 9162, 2.1.3.1). */
  inclusionProof(index: number, size: number = this.size): Uint8Array[] {
    this.#checkSize(size)
    assert(index >= 0 && index < size, 'the leaf is in the tree')
    const proof: Uint8Array[] = []
    let from = 0
    let to = size
    while (to - from > 1) {
      const middle = from + splitOf(to - from)
      if (index < middle) {
        proof.push(this.range(middle, to))
        to = middle
      } else {
        proof.push(this.range(from, middle))
        from = middle
      }
    }
    return proof.reverse()
  }

  /** Hashes that show that the tree of `size` leaves begins with that of `oldSize` leaves (RFC 9162, 2.1.4.1). */
  consistencyProof(oldSize: number, size: number = this.size): Uint8Array[] {
    this.#checkSize(size)
    assert(oldSize >= 0 && oldSize <= size, 'the old tree is not larger')
    return consistencyOf(oldSize, size, (from, to) => this.range(from, to))
  }

  /** Hash of the leaves `from` to `to`, a range that the tree's shape has as a node or as its right edge. */
  range(from: number, to: number): Uint8Array {
    const count = to - from
    const half = splitOf(count)
    if (count === 1) return this.#at(0, from)
    if (half * 2 === count) return this.#at(levelOf(count), from / count)
    return joined(from, to, (a, b) => this.range(a, b))
  }

  #push(level: number, hash: Uint8Array): number {
    let row = this.#levels[level]
    if (row === undefined) {
      row = { bytes: new Uint8Array(ROOM_MIN * HASH_BYTES), count: 0 }
      this.#levels.push(row)
    }
    const at = row.count * HASH_BYTES
    if (at === row.bytes.length) {
      const larger = new Uint8Array(2 * at)
      larger.set(row.bytes)
      row.bytes = larger
    }
    row.bytes.set(hash, at)
    return row.count++
  }

  #at(level: number, index: number): Uint8Array {
    const row = this.#levels[level]
    assert(row !== undefined && index < row.count, 'a complete subtree has its hash')
    return row.bytes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES)
  }

  #checkSize(size: number): void {
    assert(Number.isInteger(size) && size >= 0 && size <= this.size, 'the tree has been this large')
  }
}

/** Level of a complete subtree of `count` leaves, a power of two. */
function levelOf(count: number): number {
  let level = 0
  while (2 ** level < count) level++
  return level
}
