import { equals, ok, type Result, refuse } from '../base/index.ts'
import { EMPTY_ROOT, nodeHash } from './hashes.ts'

/** Hashes of the longest proof: one for each bit of a size, and one more where a consistency proof begins with a subtree. */
export const PROOF_HASHES_MAX = 65
/** Leaves of the largest tree that a proof may speak of. */
export const TREE_SIZE_MAX: bigint = (1n << 64n) - 1n

/** Where a path through the tree stands: position of the node on its level, and of the last node of that level. */
type Place = { node: bigint; last: bigint }

/**
 * Whether `proof` shows that the leaf with this hash is at `index` of the tree of `size` leaves with this root (RFC 9162,
 * 2.1.3.2). Refusals: `MERKLE_PROOF_MALFORMED` when the numbers or the length cannot be right, `MERKLE_PROOF_WRONG` when the hashes are not.
 */
export function verifyInclusion(claim: {
  readonly leaf: Uint8Array
  readonly index: bigint
  readonly size: bigint
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}): Result<void> {
  const { leaf, index, size, root, proof } = claim
  if (!isSize(size) || index < 0n || index >= size || !isProof(proof))
    return malformed('an inclusion proof')
  const place: Place = { node: index, last: size - 1n }
  let computed = leaf
  for (const sibling of proof) {
    if (place.last === 0n) return malformed('an inclusion proof')
    computed = step(place) === 'left' ? nodeHash(sibling, computed) : nodeHash(computed, sibling)
  }
  if (place.last !== 0n) return malformed('an inclusion proof')
  return equals(computed, root) ? ok(undefined) : wrong('the leaf is not in the tree of this root')
}

/**
 * Whether `proof` shows that the tree of `newSize` leaves begins with the tree of `oldSize` leaves (RFC 9162, 2.1.4.2). Trees of equal size
 * are consistent when their roots are equal, and every tree begins with the empty one; both take an empty proof. Refusals: as `verifyInclusion`.
 */
export function verifyConsistency(claim: {
  readonly oldSize: bigint
  readonly oldRoot: Uint8Array
  readonly newSize: bigint
  readonly newRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}): Result<void> {
  const { oldSize, oldRoot, newSize, proof } = claim
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize || !isProof(proof))
    return malformed('a consistency proof')
  if (oldSize === 0n || oldSize === newSize) return verifyWithoutHashes(claim)
  // A complete old tree is a node of the new one, and so its root opens the proof unsaid.
  const isComplete = (oldSize & (oldSize - 1n)) === 0n
  const path = isComplete ? [oldRoot, ...proof] : [...proof]
  const [first, ...rest] = path
  if (first === undefined) return malformed('a consistency proof')
  return foldConsistency(claim, first, rest)
}

function foldConsistency(
  claim: Parameters<typeof verifyConsistency>[0],
  first: Uint8Array,
  rest: readonly Uint8Array[]
): Result<void> {
  const place: Place = { node: claim.oldSize - 1n, last: claim.newSize - 1n }
  while ((place.node & 1n) === 1n) up(place)
  let before = first
  let after = first
  for (const sibling of rest) {
    if (place.last === 0n) return malformed('a consistency proof')
    if (step(place) === 'left') {
      before = nodeHash(sibling, before)
      after = nodeHash(sibling, after)
    } else {
      after = nodeHash(after, sibling)
    }
  }
  if (place.last !== 0n) return malformed('a consistency proof')
  if (!equals(before, claim.oldRoot)) return wrong('the proof does not lead to the old root')
  return equals(after, claim.newRoot)
    ? ok(undefined)
    : wrong('the proof does not lead to the new root')
}

function verifyWithoutHashes({
  oldSize,
  oldRoot,
  newSize,
  newRoot,
  proof
}: Parameters<typeof verifyConsistency>[0]): Result<void> {
  if (proof.length > 0) return malformed('a consistency proof')
  if (oldSize === 0n && !equals(oldRoot, EMPTY_ROOT))
    return wrong('a tree without leaves has another root')
  if (newSize === 0n || oldSize > 0n) {
    if (!equals(oldRoot, newRoot)) return wrong('trees of one size have different roots')
  }
  return ok(undefined)
}

/** On which side the next hash of a path joins; moves to the level above it. */
function step(place: Place): 'left' | 'right' {
  const isRightmost = place.node === place.last
  const isRightChild = (place.node & 1n) === 1n
  if (!isRightChild && !isRightmost) {
    up(place)
    return 'right'
  }
  // The last node of a level without a sibling rises until it is a right child.
  while ((place.node & 1n) === 0n && place.node !== 0n) up(place)
  up(place)
  return 'left'
}

function up(place: Place): void {
  place.node >>= 1n
  place.last >>= 1n
}

function isSize(size: bigint): boolean {
  return size >= 0n && size <= TREE_SIZE_MAX
}

function isProof(proof: readonly Uint8Array[]): boolean {
  return proof.length <= PROOF_HASHES_MAX && proof.every(hash => hash.length === 32)
}

function malformed(what: string): Result<void> {
  return refuse('MERKLE_PROOF_MALFORMED', `${what} of other sizes or length: ask for it anew`)
}

function wrong(message: string): Result<void> {
  return refuse('MERKLE_PROOF_WRONG', message)
}
