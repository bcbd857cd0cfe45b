/**
 * Goal: a leaf says what was certified and nothing else, and a witness cosigns only a log that it recomputed and that never changed behind it.
 * Method: a finished thread's certificate, and an origin that signs honest, rolled back, rewritten and mislabelled checkpoints.
 */
import { strict as assert } from 'node:assert'
import { nodeSigner, nodeVerifier } from '../../../../src/adapters/ed25519/index.ts'
import { type Result, utf8 } from '../../../../src/core/base/index.ts'
import {
  checkFork,
  decodeFork,
  encodeFork,
  formatCheckpoint,
  formatNote,
  originSignature,
  parseNote
} from '../../../../src/core/checkpoint/index.ts'
import { decodeStrict, encode } from '../../../../src/core/codec/index.ts'
import {
  checkNotAhead,
  decodeLeaf,
  encodeLeaf,
  LEAF_AHEAD_MS_MAX,
  LEAF_TIME_MS_MAX,
  type Leaf,
  leafOf,
  leafStandsUntil,
  WitnessedLog
} from '../../../../src/core/history/index.ts'
import { BlockTree, leafHash, MerkleTree } from '../../../../src/core/merkle/index.ts'
import { outcomeDigest } from '../../../../src/core/roster/index.ts'
import { sampleEvidence } from '../../../support/sample-evidence.ts'
import { type Strange, soloEnd } from '../../../support/solo-end.ts'
import { testVerify } from '../../../support/swarm-cluster.ts'

const verify = nodeVerifier()
const DAY_MS = 86_400_000
const author = nodeSigner(new Uint8Array(32).fill(1))
const origin = `can-swarm/testnet/${author.did}`
const leaves = Array.from({ length: 40 }, (_, i) => leafHash(utf8(`leaf ${i}`)))
const others = leaves.map((leaf, i) => (i < 7 ? leaf : leafHash(utf8(`other ${i}`))))

function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  const tree = new MerkleTree()
  for (const hash of hashes) tree.append(hash)
  return tree.root()
}

function noteOf(hashes: readonly Uint8Array[], size = hashes.length): Uint8Array {
  const text = formatCheckpoint({
    origin,
    size: BigInt(size),
    root: rootOf(hashes),
    extensions: []
  })
  const signature = originSignature(origin, author.did, author.sign(utf8(text)))
  return formatNote({ text, signatures: [signature] })
}

function witnessOf(count: number): WitnessedLog {
  const note = parseNote(noteOf(leaves.slice(0, count)))
  assert(note.ok)
  const tree = new BlockTree()
  for (const leaf of leaves.slice(0, count)) tree.append(leaf)
  return new WitnessedLog({ origin, tree, note: note.value })
}

function answer(witness: WitnessedLog, note: Uint8Array, news: readonly Uint8Array[]): string {
  const { size } = witness
  const judged = witness.judge(note, { leaves: news, blocks: new Map() }, verify)
  assert.equal(witness.size, size, 'a judgement changes nothing')
  return judged.ok ? judged.value.kind : judged.refusal.code
}

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.refusal.code
}

describe('core/history', function () {
  this.timeout(60_000)

  it('makes a leaf of a certified outcome, the same from any of its certificates', () => {
    const { need, decide, finalize } = sampleEvidence()
    const leaf = leafOf({ need: need.bytes, envelope: finalize.bytes }, testVerify)
    assert(leaf.ok)
    assert.equal(leaf.value.need.toString(), need.id)
    assert.equal(leaf.value.result, 'FINAL')
    assert.equal(leaf.value.requester, need.envelope.sender)
    const read = decodeLeaf(encodeLeaf(leaf.value))
    assert(read.ok)
    assert.deepEqual(encodeLeaf(read.value), encodeLeaf(leaf.value))
    const open = leafOf({ need: need.bytes, envelope: decide.bytes }, testVerify)
    assert.equal(!open.ok && open.refusal.code, 'LEAF_OPEN')
    const unsigned = leafOf({ need: need.bytes, envelope: finalize.bytes }, () => false)
    assert(!unsigned.ok)
  })

  it('takes no time after the latest, from a certificate or from bytes', () => {
    const { need, finalize } = sampleEvidence()
    const whole = leafOf({ need: need.bytes, envelope: finalize.bytes }, testVerify)
    assert(whole.ok)
    for (const key of ['expiresAt', 'notAfter', 'stamp'] as const) {
      const last: Leaf = { ...whole.value, [key]: LEAF_TIME_MS_MAX }
      assert(decodeLeaf(encodeLeaf(last)).ok)
      assert(leafStandsUntil(last) < 2 ** 48, 'a tombstone keeps it in six bytes')
      for (const late of [LEAF_TIME_MS_MAX + 1, Number.MAX_SAFE_INTEGER])
        assert.equal(codeOf(decodeLeaf(encodeLeaf({ ...last, [key]: late }))), 'LEAF_SHAPE')
    }
    const { outcome, certificate } = finalize.envelope.payload
    const opened = decodeStrict(finalize.bytes)
    assert(opened.ok)
    const at = (stamp: number): Uint8Array => {
      const changed = { ...outcome, stamp }
      const digest = outcomeDigest(changed)
      const payload = { outcome: changed, certificate: { ...certificate, digest } }
      return encode({ ...(opened.value as object), payload })
    }
    const made = (stamp: number) =>
      codeOf(leafOf({ need: need.bytes, envelope: at(stamp) }, () => true))
    assert.equal(made(LEAF_TIME_MS_MAX), null)
    assert.equal(made(LEAF_TIME_MS_MAX + 1), 'LEAF_SHAPE')
  })

  it('makes none of a thread that nobody follows, whoever certified it', () => {
    const ofEnd = (strange: Strange) => codeOf(leafOf(soloEnd(strange), verify))
    const nowMs = 1_800_000_000_000
    assert.equal(ofEnd({}), null)
    assert.equal(ofEnd({ need: { slot: 'x'.repeat(4_096) } }), null)
    assert.equal(ofEnd({ need: { epoch: 300 } }), 'NEED_EPOCH')
    assert.equal(ofEnd({ need: { epoch: 1 } }), 'NEED_EPOCH')
    assert.equal(ofEnd({ need: { expiresAt: nowMs + 40 * DAY_MS } }), 'NEED_EXPIRY')
    assert.equal(ofEnd({ outcome: { stamp: LEAF_TIME_MS_MAX + 1 } }), 'LEAF_SHAPE')
  })

  it('takes from bytes what a NEED and an outcome can say, and nothing beyond', () => {
    const { need, finalize } = sampleEvidence()
    const whole = leafOf({ need: need.bytes, envelope: finalize.bytes }, testVerify)
    assert(whole.ok)
    const taken: Partial<Leaf>[] = [
      { epoch: 3 },
      { slot: 'x'.repeat(4_096) },
      { reason: 'x'.repeat(4_096) },
      { task: 'x'.repeat(128) }
    ]
    const refused: Partial<Leaf>[] = [
      { epoch: 4 },
      { epoch: 255 },
      { slot: 'x'.repeat(4_097) },
      { reason: 'x'.repeat(4_097) },
      { task: 'x'.repeat(129) },
      { task: 'not a name' }
    ]
    const read = (change: Partial<Leaf>) =>
      codeOf(decodeLeaf(encodeLeaf({ ...whole.value, ...change })))
    assert.deepEqual(
      taken.map(read),
      taken.map(() => null)
    )
    assert.deepEqual(
      refused.map(read),
      refused.map(() => 'LEAF_SHAPE')
    )
  })

  it('stands for no longer than a thread that is followed can', () => {
    const made = leafOf(soloEnd({}), verify)
    assert(made.ok)
    const nowMs = 1_800_000_000_000
    for (const key of ['expiresAt', 'notAfter', 'stamp'] as const) {
      const at = (ms: number): string | null =>
        codeOf(checkNotAhead({ ...made.value, [key]: ms }, nowMs))
      assert.equal(at(nowMs + 31 * DAY_MS), null)
      assert.equal(at(nowMs + LEAF_AHEAD_MS_MAX + 1), 'LEAF_AHEAD')
      assert.equal(at(LEAF_TIME_MS_MAX), 'LEAF_AHEAD')
    }
  })

  it('refuses bytes that are no leaf', () => {
    assert(!decodeLeaf(new Uint8Array(20_000)).ok)
    assert(!decodeLeaf(utf8('nonsense')).ok)
  })

  it('follows a log that grows', () => {
    const witness = new WitnessedLog({ origin, tree: new BlockTree(), note: null })
    for (const [from, to] of [
      [0, 5],
      [5, 6],
      [6, 30],
      [30, 40]
    ] as const) {
      const news = leaves.slice(from, to)
      const judged = witness.judge(
        noteOf(leaves.slice(0, to)),
        { leaves: news, blocks: new Map() },
        verify
      )
      assert(judged.ok && judged.value.kind === 'grown')
      const tree = witness.tree()
      for (const leaf of news) tree.append(leaf)
      witness.accept(judged.value.note, tree)
      assert.equal(witness.size, to)
    }
    assert.equal(answer(witness, noteOf(leaves), []), 'held')
  })

  it('refuses an older tree, another origin, missing and foreign leaves, and a right root of a wrong size', () => {
    const witness = witnessOf(20)
    assert.equal(answer(witness, noteOf(leaves.slice(0, 19)), []), 'CHECKPOINT_ROLLBACK')
    assert.equal(answer(witness, noteOf([]), []), 'CHECKPOINT_ROLLBACK')
    assert.equal(answer(witness, noteOf(leaves), leaves.slice(20, 39)), 'CHECKPOINT_LEAVES')
    assert.equal(answer(witness, noteOf(leaves), others.slice(20)), 'CHECKPOINT_ROOT')
    assert.equal(
      answer(witness, noteOf(leaves.slice(0, 20), 21), leaves.slice(20, 21)),
      'CHECKPOINT_ROOT'
    )
    assert.equal(answer(witness, noteOf(leaves.slice(0, 20), 2 ** 40), []), 'CHECKPOINT_LEAVES')
    const foreign = new WitnessedLog({ origin: `${origin}x`, tree: new BlockTree(), note: null })
    assert.equal(answer(foreign, noteOf(leaves), leaves), 'CHECKPOINT_ORIGIN')
    assert.equal(answer(witness, utf8('no note'), []), 'NOTE_MALFORMED')
  })

  it('turns two logs of one origin into evidence that convicts it offline', () => {
    const witness = witnessOf(20)
    for (const size of [20, 19, 12, 8]) {
      const judged = witness.judge(
        noteOf(others.slice(0, size)),
        { leaves: [], blocks: new Map() },
        verify
      )
      assert(judged.ok && judged.value.kind === 'fork', `of ${size}`)
      const fork = decodeFork(encodeFork(judged.value.fork))
      assert(fork.ok)
      const convicted = checkFork(fork.value, verify)
      assert(convicted.ok, `of ${size}`)
      assert.deepEqual(convicted.value, { did: author.did, origin, size: BigInt(size) })
    }
  })

  it('convicts nobody by checkpoints that agree, are not signed, or prove nothing', () => {
    const witness = witnessOf(20)
    const judged = witness.judge(
      noteOf(others.slice(0, 12)),
      { leaves: [], blocks: new Map() },
      verify
    )
    assert(judged.ok && judged.value.kind === 'fork')
    const { fork } = judged.value
    const code = (value: typeof fork, by = verify): string => {
      const checked = checkFork(value, by)
      return checked.ok ? 'convicted' : checked.refusal.code
    }
    assert.equal(code(fork), 'convicted')
    assert.equal(
      code(fork, () => false),
      'CHECKPOINT_SIGNATURE'
    )
    assert.equal(code({ ...fork, prefix: null }), 'PROOF_UNRELATED')
    assert.equal(code({ ...fork, older: noteOf(leaves.slice(0, 12)) }), 'PROOF_AGREES')
    assert.equal(code({ ...fork, newer: noteOf(leaves) }), 'MERKLE_PROOF_MALFORMED')
    assert.equal(code({ older: fork.newer, newer: fork.newer, prefix: null }), 'PROOF_AGREES')
    const { prefix } = fork
    assert(prefix !== null)
    const forged = { ...prefix, root: rootOf(leaves.slice(0, 13)) }
    assert.equal(code({ ...fork, prefix: forged }), 'MERKLE_PROOF_WRONG')
  })
})
