import { hash } from '../codec/index.ts'

const LEAF = 0
const NODE = 1

/** Root of the tree without leaves: the hash of nothing (RFC 9162, 2.1.1). */
export const EMPTY_ROOT: Uint8Array = hash(new Uint8Array(0))

/** Hash of one leaf's data. */
export function leafHash(data: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + data.length)
  input[0] = LEAF
  input.set(data, 1)
  return hash(input)
}

/** Hash of an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + left.length + right.length)
  input[0] = NODE
  input.set(left, 1)
  input.set(right, 1 + left.length)
  return hash(input)
}
