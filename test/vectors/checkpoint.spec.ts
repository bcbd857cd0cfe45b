// protocols/checkpoint/vectors: trees, proofs, notes, forks and a leaf, and what breaks each rule, held against core/merkle, core/checkpoint and
// core/history with the reference verifier. Nothing here writes the files.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fromHex, toHex, utf8 } from '../../src/core/base/index.ts'
import { checkFork, checkNote, decodeFork, parseNote } from '../../src/core/checkpoint/index.ts'
import {
  checkNotAhead,
  decodeLeaf,
  encodeLeaf,
  leafOf,
  standingOf
} from '../../src/core/history/index.ts'
import { verifyReference } from '../../src/core/identity/index.ts'
import {
  CompactTree,
  leafHash,
  MerkleTree,
  verifyConsistency,
  verifyInclusion
} from '../../src/core/merkle/index.ts'
import { decodeCertificateFile } from '../../src/core/roster/index.ts'

const FOLDER = new URL('../../protocols/checkpoint/vectors/', import.meta.url)

function load<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as T
}

type Inclusion = Record<'leaf' | 'index' | 'size' | 'root', string> & { readonly proof: string[] }
type Consistency = Record<'oldSize' | 'oldRoot' | 'newSize' | 'newRoot', string> & {
  readonly proof: string[]
}
type Trees = {
  readonly leaves: string[]
  readonly roots: string[]
  readonly inclusion: Inclusion[]
  readonly consistency: Consistency[]
  readonly badInclusion: Inclusion[]
  readonly badConsistency: Consistency[]
}

type Standings = {
  readonly size: string
  readonly valid: { readonly lines: string[]; readonly standing: object | null }[]
  readonly invalid: { readonly lines: string[]; readonly refusal: string }[]
  /** By size of the tree of `merkle`. */
  readonly peaks: string[][]
}

const includes = ({ leaf, index, size, root, proof }: Inclusion): boolean =>
  verifyInclusion({
    leaf: fromHex(leaf),
    index: BigInt(index),
    size: BigInt(size),
    root: fromHex(root),
    proof: proof.map(fromHex)
  }).ok

const isConsistent = ({ oldSize, oldRoot, newSize, newRoot, proof }: Consistency): boolean =>
  verifyConsistency({
    oldSize: BigInt(oldSize),
    oldRoot: fromHex(oldRoot),
    newSize: BigInt(newSize),
    newRoot: fromHex(newRoot),
    proof: proof.map(fromHex)
  }).ok

describe('vectors/checkpoint', () => {
  it('has the roots of its trees, and takes their proofs and no others', () => {
    const trees = load<Trees>('merkle')
    const tree = new MerkleTree()
    for (const [size, root] of trees.roots.entries()) {
      assert.equal(toHex(tree.root()), root, `${size} leaves`)
      tree.append(leafHash(fromHex(trees.leaves[size] ?? '')))
    }
    assert.ok(trees.badInclusion.length >= 5 && trees.badConsistency.length >= 5)
    assert.ok(trees.inclusion.every(includes) && trees.consistency.every(isConsistent))
    assert.ok(!trees.badInclusion.some(includes))
    assert.ok(!trees.badConsistency.some(isConsistent))
  })

  const notes = load<{
    valid: { note: string; size: string; witnesses: string[] }[]
    invalid: { rule: string; refusal: string; note: string }[]
  }>('notes')
  for (const [at, { note, size, witnesses }] of notes.valid.entries())
    it(`takes checkpoint ${at} with ${witnesses.length} witnesses`, () => {
      const parsed = parseNote(utf8(note))
      const checked = parsed.ok ? checkNote(parsed.value, verifyReference) : parsed
      assert.ok(checked.ok)
      assert.equal(String(checked.value.checkpoint.size), size)
      assert.deepEqual([...checked.value.witnesses.keys()], witnesses)
    })
  for (const [at, { rule, refusal, note }] of notes.invalid.entries())
    it(`refuses checkpoint ${at} by ${rule}: ${refusal}`, () => {
      const parsed = parseNote(utf8(note))
      const checked = parsed.ok ? checkNote(parsed.value, verifyReference) : parsed
      assert.equal(!checked.ok && checked.refusal.code, refusal)
    })

  it('convicts by forks, and by nothing else', () => {
    const forks = load<{
      valid: { fork: string; convicted: string; size: string }[]
      invalid: { refusal: string; fork: string }[]
    }>('forks')
    const judge = (hex: string) => {
      const decoded = decodeFork(fromHex(hex))
      return decoded.ok ? checkFork(decoded.value, verifyReference) : decoded
    }
    for (const { fork, convicted, size } of forks.valid) {
      const checked = judge(fork)
      assert.ok(checked.ok)
      assert.deepEqual([checked.value.did, String(checked.value.size)], [convicted, size])
    }
    assert.ok(forks.invalid.length >= 5)
    for (const { fork, refusal } of forks.invalid) {
      const checked = judge(fork)
      assert.equal(!checked.ok && checked.refusal.code, refusal)
    }
  })

  it('reads what stands, and goes on from the subtrees of each size', () => {
    const { size, valid, invalid, peaks } = load<Standings>('standing')
    const of = (lines: string[]) =>
      standingOf({ origin: '', size: BigInt(size), root: new Uint8Array(32), extensions: lines })
    for (const { lines, standing } of valid)
      assert.deepEqual(of(lines), { ok: true, value: standing })
    for (const { lines, refusal } of invalid) {
      const read = of(lines)
      assert.equal(read.ok ? 'taken' : read.refusal.code, refusal, lines.join())
    }
    const { leaves, roots } = load<Trees>('merkle')
    assert.ok(peaks.length > leaves.length)
    for (const [at, hashes] of peaks.entries()) {
      const tree = CompactTree.of(at, hashes.map(fromHex))
      assert.ok(tree.ok)
      for (const leaf of leaves.slice(at)) tree.value.append(leafHash(fromHex(leaf)))
      assert.equal(toHex(tree.value.root()), roots[leaves.length])
    }
  })

  it('makes the leaf of a certified end, and none of a decision', () => {
    const { certificate, leaf, hash, open } =
      load<Record<'certificate' | 'leaf' | 'hash' | 'open', string>>('leaf')
    const of = (hex: string) => {
      const file = decodeCertificateFile(fromHex(hex))
      return file.ok ? leafOf(file.value, verifyReference) : file
    }
    const made = of(certificate)
    assert.ok(made.ok)
    assert.equal(toHex(encodeLeaf(made.value)), leaf)
    assert.equal(toHex(leafHash(fromHex(leaf))), hash)
    const decided = of(open)
    assert.equal(!decided.ok && decided.refusal.code, 'LEAF_OPEN')
  })

  it('makes and takes no leaf of what no node follows', () => {
    const { leaf, uncertified, malformed, ahead } = load<{
      leaf: string
      uncertified: { refusal: string; certificate: string }[]
      malformed: { refusal: string; leaf: string }[]
      ahead: { nowMs: number; last: number }
    }>('leaf')
    assert.ok(uncertified.length >= 3 && malformed.length >= 5)
    for (const { refusal, certificate } of uncertified) {
      const file = decodeCertificateFile(fromHex(certificate))
      const made = file.ok ? leafOf(file.value, verifyReference) : file
      assert.equal(made.ok ? 'taken' : made.refusal.code, refusal)
    }
    for (const { refusal, leaf: bytes } of malformed) {
      const read = decodeLeaf(fromHex(bytes))
      assert.equal(read.ok ? 'taken' : read.refusal.code, refusal)
    }
    const read = decodeLeaf(fromHex(leaf))
    assert.ok(read.ok)
    const at = (expiresAt: number) => checkNotAhead({ ...read.value, expiresAt }, ahead.nowMs)
    assert.ok(at(ahead.last).ok)
    const late = at(ahead.last + 1)
    assert.equal(!late.ok && late.refusal.code, 'LEAF_AHEAD')
  })
})
