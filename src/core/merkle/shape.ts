import { nodeHash } from './hashes.ts'

/** Hash of the leaves `from` to `to`, a range that the tree's shape has as a node or as its right edge. */
export type RangeHash = (from: number, to: number) => Uint8Array

/** Leaves of the left part: the largest power of two below `count`. For 1 it is 1: a leaf has no parts. */
export function splitOf(count: number): number {
  let half = 1
  while (half * 2 < count) half *= 2
  return half
}

/** A range by its two parts. */
export function joined(from: number, to: number, hashOf: RangeHash): Uint8Array {
  const middle = from + splitOf(to - from)
  return nodeHash(hashOf(from, middle), hashOf(middle, to))
}

/** Hashes of the complete subtrees that the first `size` leaves make, largest first. */
export function peaksOf(size: number, hashOf: RangeHash): Uint8Array[] {
  const peaks: Uint8Array[] = []
  for (let from = 0; from < size; ) {
    let count = 1
    while (count * 2 <= size - from) count *= 2
    peaks.push(hashOf(from, from + count))
    from += count
  }
  return peaks
}

/** Hashes that show that the tree of `size` leaves begins with that of `oldSize` leaves (RFC 9162, 2.1.4.1). */
export function consistencyOf(oldSize: number, size: number, hashOf: RangeHash): Uint8Array[] {
  if (oldSize === 0 || oldSize === size) return []
  const proof: Uint8Array[] = []
  let from = 0
  let to = size
  while (oldSize !== to) {
    const middle = from + splitOf(to - from)
    if (oldSize <= middle) {
      proof.push(hashOf(middle, to))
      to = middle
    } else {
      proof.push(hashOf(from, middle))
      from = middle
    }
  }
  // The old tree itself needs no saying when it is a node of the new one.
  if (from > 0) proof.push(hashOf(from, to))
  return proof.reverse()
}
