/**
 * Goal: roots and proofs are those of RFC 9162, and no wrong proof is taken. Method: the published vectors of Certificate Transparency, a naive
 * tree written from the definition, and damage of every kind done to good proofs.
 */
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../../src/core/base/index.ts'
import {
  BLOCK_LEAVES,
  BlockTree,
  CompactTree,
  EMPTY_ROOT,
  leafHash,
  MerkleTree,
  nodeHash,
  TREE_SIZE_MAX,
  verifyConsistency,
  verifyInclusion
} from '../../../../src/core/merkle/index.ts'

/** Inputs and roots of the reference implementation of RFC 6962, whose hashing RFC 9162 keeps. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f'
]
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'
]

const leaves = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => leafHash(Uint8Array.of(i & 255, i >> 8)))

function treeOf(hashes: readonly Uint8Array[]): MerkleTree {
  const tree = new MerkleTree()
  for (const hash of hashes) tree.append(hash)
  return tree
}

/** The definition, as RFC 9162 2.1.1 writes it. */
function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes
  if (only === undefined) return EMPTY_ROOT
  if (hashes.length === 1) return only
  const half = 2 ** Math.ceil(Math.log2(hashes.length) - 1)
  return nodeHash(naiveRoot(hashes.slice(0, half)), naiveRoot(hashes.slice(half)))
}

/** PATH(m, D) of RFC 9162 2.1.3.1. */
function naivePath(index: number, hashes: readonly Uint8Array[]): Uint8Array[] {
  if (hashes.length === 1) return []
  const half = 2 ** Math.ceil(Math.log2(hashes.length) - 1)
  const [left, right] = [hashes.slice(0, half), hashes.slice(half)]
  return index < half
    ? [...naivePath(index, left), naiveRoot(right)]
    : [...naivePath(index - half, right), naiveRoot(left)]
}

/** SUBPROOF(m, D, b) of RFC 9162 2.1.4.1. */
function naiveSubproof(old: number, hashes: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (old === hashes.length) return whole ? [] : [naiveRoot(hashes)]
  const half = 2 ** Math.ceil(Math.log2(hashes.length) - 1)
  const [left, right] = [hashes.slice(0, half), hashes.slice(half)]
  return old <= half
    ? [...naiveSubproof(old, left, whole), naiveRoot(right)]
    : [...naiveSubproof(old - half, right, false), naiveRoot(left)]
}

const hexes = (proof: readonly Uint8Array[]): string[] => proof.map(toHex)

describe('core/merkle', () => {
  it('has the published roots', () => {
    const tree = treeOf(LEAVES.map(hex => leafHash(fromHex(hex))))
    assert.equal(
      toHex(new MerkleTree().root()),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    )
    ROOTS.forEach((root, i) => {
      assert.equal(toHex(tree.root(i + 1)), root)
    })
  })

  it('equals the definition for every size and place up to 40', () => {
    const all = leaves(40)
    const tree = treeOf(all)
    for (let size = 1; size <= all.length; size++) {
      const part = all.slice(0, size)
      assert.equal(toHex(tree.root(size)), toHex(naiveRoot(part)))
      for (let i = 0; i < size; i++) {
        assert.deepEqual(hexes(tree.inclusionProof(i, size)), hexes(naivePath(i, part)))
        assert.deepEqual(
          hexes(tree.consistencyProof(i + 1, size)),
          hexes(naiveSubproof(i + 1, part, true))
        )
      }
    }
  })

  it('is the same by blocks, of which only those are here that a size is in', () => {
    const all = leaves(5 * BLOCK_LEAVES + 3)
    const [whole, blocks] = [new MerkleTree(), [] as MerkleTree[]]
    const tree = new BlockTree()
    for (const leaf of all) {
      whole.append(leaf)
      const block = tree.append(leaf)
      if (block !== null) blocks.push(block)
      assert.equal(toHex(tree.root()), toHex(whole.root()))
    }
    assert.deepEqual([tree.size, blocks.length], [all.length, 5])
    const near = [0, 1, 2, 3, 4, 5].flatMap(at => [-2, -1, 0, 1, 2, 77].map(by => at * 256 + by))
    const sizes = near.filter(size => size >= 0 && size <= all.length)
    const needed = (...some: number[]): Map<number, MerkleTree> =>
      new Map(
        some.flatMap(size => {
          const index = tree.blockOf(size)
          return index === null ? [] : [[index, blocks[index] as MerkleTree] as const]
        })
      )
    for (const size of sizes) {
      assert.deepEqual(tree.root(size, needed(size)), whole.root(size))
      assert.deepEqual(tree.peaks(size, needed(size)), whole.peaks(size))
      for (const old of sizes.filter(one => one <= size)) {
        const proof = tree.consistencyProof(old, size, needed(old, size))
        assert.deepEqual(proof, whole.consistencyProof(old, size), `${old} of ${size}`)
      }
    }
  })

  it('takes every proof that it makes', () => {
    const tree = treeOf(leaves(70))
    for (let size = 1; size <= 70; size++) {
      const root = tree.root(size)
      for (let i = 0; i < size; i++) {
        const inclusion = { leaf: tree.leaf(i), index: BigInt(i), size: BigInt(size), root }
        assert(verifyInclusion({ ...inclusion, proof: tree.inclusionProof(i, size) }).ok)
      }
      for (let old = 0; old <= size; old++) {
        const claim = { oldSize: BigInt(old), oldRoot: tree.root(old), newSize: BigInt(size) }
        const proof = tree.consistencyProof(old, size)
        assert(verifyConsistency({ ...claim, newRoot: root, proof }).ok, `${old} of ${size}`)
      }
    }
  })

  it('refuses a good inclusion proof after any change', () => {
    const sizes = fc.integer({ min: 1, max: 300 })
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), fc.nat(5), (size, place, where, kind) => {
        const tree = treeOf(leaves(size))
        const index = place % size
        const good = {
          leaf: tree.leaf(index),
          index: BigInt(index),
          size: BigInt(size),
          root: tree.root(),
          proof: tree.inclusionProof(index)
        }
        const bad = damaged(good, kind, where)
        assert(bad === null || !verifyInclusion(bad).ok)
      })
    )
  })

  it('refuses a good consistency proof after any change', () => {
    const sizes = fc.integer({ min: 2, max: 300 })
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, place, where) => {
        const tree = treeOf(leaves(size))
        const old = 1 + (place % (size - 1))
        const good = {
          oldSize: BigInt(old),
          oldRoot: tree.root(old),
          newSize: BigInt(size),
          newRoot: tree.root(),
          proof: tree.consistencyProof(old)
        }
        const { proof } = good
        const dropped = proof.filter((_, i) => i !== where % proof.length)
        for (const bad of [
          { ...good, proof: flippedAt(proof, where) },
          { ...good, proof: dropped },
          { ...good, proof: [...proof, good.oldRoot] },
          { ...good, oldRoot: flipped(good.oldRoot) },
          { ...good, newRoot: flipped(good.newRoot) },
          { ...good, oldSize: BigInt(size), newSize: BigInt(old) }
        ])
          assert(!verifyConsistency(bad).ok)
      })
    )
  })

  it('answers at once to sizes up to 2^64 - 1 and beyond', () => {
    const [leaf = EMPTY_ROOT] = leaves(1)
    const proof = leaves(64)
    const sizes = [
      0n,
      1n,
      2n,
      (1n << 53n) + 1n,
      TREE_SIZE_MAX - 1n,
      TREE_SIZE_MAX,
      TREE_SIZE_MAX + 1n,
      -1n
    ]
    for (const size of sizes) {
      for (const index of [...sizes, size - 1n]) {
        assert(!verifyInclusion({ leaf, index, size, root: EMPTY_ROOT, proof }).ok)
        const claim = { oldSize: index, newSize: size, oldRoot: leaf, newRoot: EMPTY_ROOT }
        assert(!verifyConsistency({ ...claim, proof }).ok)
      }
    }
    const hashes = leaves(70)
    assert(!verifyInclusion({ leaf, index: 0n, size: TREE_SIZE_MAX, root: leaf, proof: hashes }).ok)
  })

  it('verifies a leaf of the largest tree there can be', () => {
    // The last leaf of 2^64 - 1: its path has a hash for each complete subtree to its left.
    const [leaf = EMPTY_ROOT, ...proof] = leaves(64)
    const root = proof.reduce((node, left) => nodeHash(left, node), leaf)
    const index = TREE_SIZE_MAX - 1n
    assert(verifyInclusion({ leaf, index, size: TREE_SIZE_MAX, root, proof }).ok)
    assert(!verifyInclusion({ leaf, index: index - 1n, size: TREE_SIZE_MAX, root, proof }).ok)
  })

  it('goes on from the subtrees of any prefix to the same root', () => {
    const all = leaves(40)
    const whole = treeOf(all)
    for (let size = 0; size <= 40; size++) {
      const tree = CompactTree.of(size, whole.peaks(size))
      assert(tree.ok)
      assert.deepEqual(tree.value.root(), whole.root(size))
      for (let at = size; at < 40; at++) {
        tree.value.append(all[at] as Uint8Array)
        assert.deepEqual(tree.value.root(), whole.root(at + 1))
      }
    }
    assert(!CompactTree.of(3, whole.peaks(2)).ok)
    assert(!CompactTree.of(-1, []).ok)
    assert(!CompactTree.of(2 ** 53, [new Uint8Array(32)]).ok)
    assert(!CompactTree.of(1, [new Uint8Array(31)]).ok)
  })

  it('takes no larger tree than there can be, however good its proof', () => {
    const [leaf = EMPTY_ROOT, ...proof] = leaves(65)
    const root = proof.reduce((node, right) => nodeHash(node, right), leaf)
    const claim = { leaf, index: 0n, root, proof }
    assert(verifyInclusion({ ...claim, size: TREE_SIZE_MAX }).ok)
    assert(!verifyInclusion({ ...claim, size: TREE_SIZE_MAX + 1n }).ok)
  })

  it('takes no right root under a size to which its proof does not reach', () => {
    const [leaf = EMPTY_ROOT] = leaves(1)
    for (const size of [2n, 3n, 5n, 1n << 20n, TREE_SIZE_MAX])
      assert(!verifyInclusion({ leaf, index: 0n, size, root: leaf, proof: [] }).ok, `${size}`)
    for (let size = 1; size <= 16; size++) {
      const tree = treeOf(leaves(size))
      const root = tree.root()
      for (const larger of [size + 1, 2 * size, 2 * size + 1, 1000].map(BigInt)) {
        const claim = { oldSize: BigInt(size), oldRoot: root, newSize: larger, newRoot: root }
        assert(!verifyConsistency({ ...claim, proof: [] }).ok, `${size} ${larger}`)
        assert(!verifyConsistency({ ...claim, proof: [root] }).ok, `${size} ${larger}`)
      }
    }
  })

  it('takes only the empty proof for equal trees and for the empty tree', () => {
    const tree = treeOf(leaves(5))
    const [hash = EMPTY_ROOT] = leaves(1)
    const same = { oldSize: 5n, oldRoot: tree.root(), newSize: 5n, newRoot: tree.root() }
    assert(verifyConsistency({ ...same, proof: [] }).ok)
    assert(!verifyConsistency({ ...same, proof: [hash] }).ok)
    assert(!verifyConsistency({ ...same, newRoot: hash, proof: [] }).ok)
    const empty = { ...same, oldSize: 0n, oldRoot: EMPTY_ROOT }
    assert(verifyConsistency({ ...empty, proof: [] }).ok)
    assert(!verifyConsistency({ ...empty, proof: [hash] }).ok)
    assert(!verifyConsistency({ ...empty, oldRoot: hash, proof: [] }).ok)
  })
})

type Inclusion = Parameters<typeof verifyInclusion>[0]

/** A claim that is false, made from a true one; null when this kind of damage changes nothing here. */
function damaged(good: Inclusion, kind: number, where: number): Inclusion | null {
  const { proof } = good
  switch (kind) {
    case 0:
      return proof.length === 0 ? null : { ...good, proof: flippedAt(proof, where) }
    case 1:
      return proof.length === 0
        ? null
        : { ...good, proof: proof.filter((_, i) => i !== where % proof.length) }
    case 2:
      return { ...good, proof: [...proof, good.root] }
    case 3:
      return { ...good, leaf: flipped(good.leaf) }
    case 4:
      return { ...good, root: flipped(good.root) }
    default: {
      const index = BigInt(where) % good.size
      return index === good.index ? null : { ...good, index }
    }
  }
}

function flippedAt(proof: readonly Uint8Array[], where: number): Uint8Array[] {
  return proof.map((hash, i) => (i === where % proof.length ? flipped(hash) : hash))
}

function flipped(hash: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(hash)
  copy[7] = (copy[7] ?? 0) ^ 4
  return copy
}
