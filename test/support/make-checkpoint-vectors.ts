/**
 * Writes protocols/checkpoint/vectors. Run it with `node test/support/make-checkpoint-vectors.ts` after a deliberate change of the
 * protocol and review the difference: the files are the reference that the code is held to, not the other way round.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { nodeSigner } from '../../src/adapters/ed25519/index.ts'
import { toHex, utf8 } from '../../src/core/base/index.ts'
import {
  type CheckpointFork,
  cosignature,
  cosignedBytes,
  encodeFork,
  formatCheckpoint,
  formatNote,
  type NoteSignature,
  originSignature
} from '../../src/core/checkpoint/index.ts'
import {
  encodeLeaf,
  LEAF_AHEAD_MS_MAX,
  LEAF_TIME_MS_MAX,
  type Leaf,
  leafOf
} from '../../src/core/history/index.ts'
import { leafHash, MerkleTree } from '../../src/core/merkle/index.ts'
import { encodeCertificateFile } from '../../src/core/roster/index.ts'
import { sampleEvidence } from './sample-evidence.ts'
import { type Strange, soloEnd } from './solo-end.ts'
import { testVerify } from './swarm-cluster.ts'

const FOLDER = new URL('../../protocols/checkpoint/vectors/', import.meta.url)
const LEAVES = 9
const MAX = String(2n ** 64n - 1n)
const SECONDS = 1_800_000_000
const NOW_MS = SECONDS * 1000

const signerOf = (byte: number) => nodeSigner(new Uint8Array(32).fill(byte))
const author = signerOf(1)
const origin = `can-swarm/main/${author.did}`
const leaves = Array.from({ length: LEAVES }, (_, index) => utf8(`leaf ${index}`))

function treeOf(parts: readonly Uint8Array[]): MerkleTree {
  const tree = new MerkleTree()
  for (const part of parts) tree.append(leafHash(part))
  return tree
}

function write(name: string, value: object): void {
  writeFileSync(new URL(`${name}.json`, FOLDER), `${JSON.stringify(value, null, 2)}\n`)
}

function merkle(): object {
  const tree = treeOf(leaves)
  const roots = Array.from({ length: LEAVES + 1 }, (_, size) => toHex(tree.root(size)))
  const inclusion = [0, 3, 8].map(index => ({
    leaf: toHex(leafHash(leaves[index] as Uint8Array)),
    index: String(index),
    size: String(LEAVES),
    root: toHex(tree.root()),
    proof: tree.inclusionProof(index).map(toHex)
  }))
  const consistency = [1, 4, 6, 9].map(oldSize => ({
    oldSize: String(oldSize),
    oldRoot: toHex(tree.root(oldSize)),
    newSize: String(LEAVES),
    newRoot: toHex(tree.root()),
    proof: tree.consistencyProof(oldSize).map(toHex)
  }))
  const [, included] = inclusion
  const [, consistent] = consistency
  return {
    leaves: leaves.map(toHex),
    roots,
    inclusion,
    consistency,
    badInclusion: [
      { ...included, index: '4' },
      { ...included, size: '17' },
      { ...included, size: MAX },
      { ...included, index: MAX, size: MAX },
      { ...included, proof: included?.proof.slice(1) }
    ],
    badConsistency: [
      { ...consistent, oldSize: '5' },
      { ...consistent, newSize: MAX },
      { ...consistent, oldSize: MAX, newSize: MAX },
      { ...consistent, newRoot: consistent?.oldRoot },
      { ...consistent, proof: [] }
    ]
  }
}

/** The text of a checkpoint over the first leaves, or over others. */
function textOf(size: number, of: readonly Uint8Array[] = leaves, name: string = origin): string {
  const root = treeOf(of).root(size)
  return formatCheckpoint({ origin: name, size: BigInt(size), root, extensions: [] })
}

const signed = (text: string, who = author, name = origin): NoteSignature =>
  originSignature(name, who.did, who.sign(utf8(text)))

function witnessed(text: string, byte: number, over = text): NoteSignature {
  const witness = signerOf(byte)
  return cosignature(witness.did, SECONDS, witness.sign(cosignedBytes(over, SECONDS)))
}

const noteOf = (text: string, ...signatures: NoteSignature[]): Uint8Array =>
  formatNote({ text, signatures })

function notes(): object {
  const text = textOf(5)
  const utf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const good = noteOf(text, signed(text), witnessed(text, 2), witnessed(text, 3))
  const bad = (rule: string, refusal: string, note: Uint8Array | string) => ({
    rule,
    refusal,
    note: typeof note === 'string' ? note : utf(note)
  })
  const foreign = 'example.com/log'
  return {
    valid: [
      { note: utf(good), size: '5', witnesses: [signerOf(2).did, signerOf(3).did] },
      {
        note: utf(noteOf(text, signed(text), witnessed(text, 2), witnessed(text, 2))),
        size: '5',
        witnesses: [signerOf(2).did]
      },
      {
        note: utf(noteOf(text, signed(text), witnessed(text, 1))),
        size: '5',
        witnesses: []
      }
    ],
    invalid: [
      bad('CKPT-1', 'NOTE_MALFORMED', utf(good).replace('\n\n', '\n')),
      bad('CKPT-1', 'NOTE_MALFORMED', utf(good).slice(0, -1)),
      bad('CKPT-1', 'CHECKPOINT_MALFORMED', noteOf(text.replace('\n5\n', '\n05\n'), signed(text))),
      bad(
        'CKPT-1',
        'CHECKPOINT_MALFORMED',
        noteOf(text.replace('\n5\n', `\n${2n ** 64n}\n`), signed(text))
      ),
      bad(
        'CKPT-2',
        'CHECKPOINT_ORIGIN',
        noteOf(textOf(5, leaves, foreign), signed(textOf(5, leaves, foreign), author, foreign))
      ),
      bad('CKPT-2', 'CHECKPOINT_UNSIGNED', noteOf(text, witnessed(text, 2))),
      bad('CKPT-2', 'CHECKPOINT_SIGNATURE', noteOf(textOf(6), signed(text))),
      bad(
        'CKPT-3',
        'CHECKPOINT_SIGNATURE',
        noteOf(text, signed(text), witnessed(text, 2, textOf(6)))
      )
    ]
  }
}

function forks(): object {
  const note = (size: number, of: readonly Uint8Array[]): Uint8Array =>
    noteOf(textOf(size, of), signed(textOf(size, of)))
  const others = leaves.map((leaf, index) => (index === 2 ? utf8('another') : leaf))
  const tree = treeOf(others)
  const shown = { root: tree.root(5), proof: tree.consistencyProof(5) }
  const hex = (fork: CheckpointFork): string => toHex(encodeFork(fork))
  const same = { older: note(5, leaves), newer: note(5, others), prefix: null }
  const grown = { older: note(5, leaves), newer: note(9, others), prefix: shown }
  const theirs = signerOf(4)
  const text = textOf(5, others, `can-swarm/main/${theirs.did}`)
  const foreign = noteOf(text, signed(text, theirs, `can-swarm/main/${theirs.did}`))
  return {
    valid: [
      { fork: hex(same), convicted: author.did, size: '5' },
      { fork: hex(grown), convicted: author.did, size: '5' }
    ],
    invalid: [
      { refusal: 'PROOF_AGREES', fork: hex({ ...same, newer: same.older }) },
      { refusal: 'PROOF_UNRELATED', fork: hex({ ...grown, prefix: null }) },
      { refusal: 'PROOF_UNRELATED', fork: hex({ ...same, newer: foreign }) },
      {
        refusal: 'MERKLE_PROOF_WRONG',
        fork: hex({ ...grown, newer: note(9, leaves) })
      },
      { refusal: 'PROOF_SHAPE', fork: toHex(encodeFork({ ...same, older: [] as never })) }
    ]
  }
}

function leaf(): object {
  const { need, finalize, decide } = sampleEvidence()
  const file = { need: need.bytes, envelope: finalize.bytes }
  const made = leafOf(file, testVerify)
  if (!made.ok) throw new RangeError(made.refusal.message)
  const bytes = encodeLeaf(made.value)
  const long = 'x'.repeat(4_097)
  const strange: [string, Strange][] = [
    ['NEED_EPOCH', { need: { epoch: 300 } }],
    ['NEED_EXPIRY', { need: { expiresAt: NOW_MS + 40 * 86_400_000 } }],
    ['LEAF_SHAPE', { outcome: { stamp: LEAF_TIME_MS_MAX + 1 } }]
  ]
  const odd: Partial<Leaf>[] = [
    { epoch: 4 },
    { epoch: 300 },
    { slot: long },
    { reason: long },
    { task: 'x'.repeat(129) },
    { expiresAt: LEAF_TIME_MS_MAX + 1 }
  ]
  return {
    certificate: toHex(encodeCertificateFile(file)),
    leaf: toHex(bytes),
    hash: toHex(leafHash(bytes)),
    open: toHex(encodeCertificateFile({ need: need.bytes, envelope: decide.bytes })),
    uncertified: strange.map(([refusal, end]) => ({
      refusal,
      certificate: toHex(encodeCertificateFile(soloEnd(end)))
    })),
    malformed: odd.map(change => ({
      refusal: 'LEAF_SHAPE',
      leaf: toHex(encodeLeaf({ ...made.value, ...change }))
    })),
    ahead: { nowMs: NOW_MS, last: NOW_MS + LEAF_AHEAD_MS_MAX }
  }
}

/** Lines about what stands, and the subtrees from which a log of 16 leaves is gone on with. */
function standing(): object {
  const [time, size] = [1_800_000_000_000, 5]
  const tree = treeOf(leaves)
  const valid = [
    { lines: [`standing 0 ${time}`], standing: { from: 0, atMs: time } },
    { lines: ['other', `standing 5 ${time}`], standing: { from: 5, atMs: time } },
    { lines: [], standing: null }
  ]
  const invalid = [
    ['standing'],
    [`standing 6 ${time}`],
    [`standing 05 ${time}`],
    ['standing 5'],
    [`standing 5 ${time} 1`],
    ['standing 5 -1'],
    [`standing 1 ${time}`, `standing 2 ${time}`]
  ].map(lines => ({ lines, refusal: 'CHECKPOINT_STANDING' }))
  const peaks = Array.from({ length: tree.size + 1 }, (_, at) => tree.peaks(at).map(toHex))
  return { size: String(size), valid, invalid, peaks }
}

mkdirSync(FOLDER, { recursive: true })
write('standing', standing())
write('merkle', merkle())
write('notes', notes())
write('forks', forks())
write('leaf', leaf())
