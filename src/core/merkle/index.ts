/**
 * Merkle trees of RFC 9162 (Certificate Transparency 2.0) over SHA-256: an append-only log that can prove what it holds, and that it never
 * dropped or changed anything.
 *
 * 1. A leaf is hashed with a zero byte before it, an inner node with a one, so neither can pass for the other.
 * 2. The left part of every tree is the largest complete one, so appending never changes a complete part.
 * 3. Verification takes sizes and positions up to 2^64 - 1 and costs at most 64 hashes, whatever a stranger claims.
 *
 * Specification: RFC 9162 section 2.1; protocols/checkpoint/README.md.
 */
export { BLOCK_LEAVES, type Blocks, BlockTree } from './block-tree.ts'
export { CompactTree } from './compact-tree.ts'
export { EMPTY_ROOT, leafHash, nodeHash } from './hashes.ts'
export { MerkleTree } from './merkle-tree.ts'
export { PROOF_HASHES_MAX, TREE_SIZE_MAX, verifyConsistency, verifyInclusion } from './proofs.ts'
