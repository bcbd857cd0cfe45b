// Goal: what goes to disk and to peers comes back the same, and nothing else is taken. Method: one sample of every kind, then each of them spoilt.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ENVELOPE_BYTES_MAX, MESSAGE_BYTES_MAX } from '../../../src/core/base/index.ts'
import { cidOf, encode } from '../../../src/core/codec/index.ts'
import type { RaftMessage } from '../../../src/core/raft/index.ts'
import type { PeerMessage } from '../../../src/core/swarm/index.ts'
import {
  decodeMessage,
  decodeRecord,
  decodeStored,
  encodeMessage,
  encodeRecord,
  type SeenRecord
} from '../../../src/runtime/index.ts'
import { RECORDS } from '../../support/sample-records.ts'

const bytes = Uint8Array.of(1, 2, 3)
const hash = new Uint8Array(32).fill(1)
const sig = new Uint8Array(64).fill(2)
const entries = [
  { term: 1, index: 1, data: bytes },
  { term: 2, index: 2, data: new Uint8Array(0) }
]
const candidates = [{ did: 'did:key:a', manifest: 'bafy' }]

const head = { from: 'a', to: 'b', term: 4 }
/** Of a group that neither shortens its log nor changes its members. */
type Carried = Exclude<RaftMessage['type'], 'snapshot'>
const RAFT: { readonly [T in Carried]: RaftMessage & { readonly type: T } } = {
  'pre-vote': { ...head, type: 'pre-vote', lastIndex: 1, lastTerm: 1, transfer: false },
  vote: { ...head, type: 'vote', lastIndex: 1, lastTerm: 1, transfer: true },
  'pre-vote-reply': { ...head, type: 'pre-vote-reply', granted: true },
  'vote-reply': { ...head, type: 'vote-reply', granted: false },
  append: { ...head, type: 'append', previousIndex: 0, previousTerm: 0, entries, commit: 0 },
  'append-reply': { ...head, type: 'append-reply', success: false, matchIndex: 3, conflictTerm: 2 },
  heartbeat: { ...head, type: 'heartbeat', commit: 7, quiesce: false },
  'heartbeat-reply': { ...head, type: 'heartbeat-reply' },
  'timeout-now': { ...head, type: 'timeout-now' },
  forward: { ...head, type: 'forward', data: bytes }
}

const MESSAGES: { readonly [T in PeerMessage['type']]: Extract<PeerMessage, { type: T }> } = {
  hello: { type: 'hello', threads: ['t'] },
  envelopes: { type: 'envelopes', items: [bytes, bytes] },
  pull: { type: 'pull', thread: 't', have: ['a', 'b'], group: 'g', entries: 4 },
  invite: { type: 'invite', need: bytes, epoch: 0 },
  available: { type: 'available', thread: 't', epoch: 0 },
  bind: { type: 'bind', thread: 't', epoch: 0, candidates, roster: ['did:key:a'] },
  join: { type: 'join', thread: 't', epoch: 0, rosterHash: hash, sig },
  refused: { type: 'refused', envelope: 'bafy', code: 'POLICY_DENIED', reasons: ['verb: "X"'] },
  decline: { type: 'decline', thread: 't', epoch: 0, reason: 'busy' },
  lacking: { type: 'lacking', thread: 't', epoch: 0, manifests: ['bafy'] },
  manifests: { type: 'manifests', thread: 't', epoch: 0, items: [bytes] },
  'seal-ask': { type: 'seal-ask', thread: 't', epoch: 0 },
  sealed: {
    type: 'sealed',
    thread: 't',
    epoch: 0,
    roster: hash,
    digest: hash,
    proposal: 'bafy',
    sig
  },
  raft: { type: 'raft', group: 'g', message: RAFT.append },
  vote: { type: 'vote', group: 'g', stage: 'outcome', digest: hash, sig },
  log: { type: 'log', group: 'g', thread: 't', entries }
}

describe('runtime/seen-codec', () => {
  const id = cidOf(bytes).toString()
  const window: SeenRecord = {
    type: 'seen',
    sender: 'did:key:a',
    floor: -1,
    floorUntil: 0,
    ids: [
      { id, lamport: 0, until: 1_800_000_000_000 },
      { id: cidOf(hash).toString(), lamport: 2 ** 53 - 1, until: 7 }
    ]
  }

  it('gives back windows, also empty ones', () => {
    for (const record of [window, { ...window, floor: 9, floorUntil: 10, ids: [] }])
      assert.deepEqual(decodeStored(encodeRecord(record)), { ok: true, value: record })
  })

  it('refuses what is torn, too large or of another form, and is no record of the machine', () => {
    const value = { type: 'seen', sender: 'a', floor: 0, floorUntil: 0, ids: new Uint8Array(48) }
    assert.equal(decodeStored(encode(value)).ok, true)
    assert.equal(decodeRecord(encode(value)).ok, false)
    const flawed = [
      { ...value, ids: new Uint8Array(47) },
      { ...value, ids: new Uint8Array(48 * 1025) },
      { ...value, ids: new Uint8Array(48).fill(255) },
      { ...value, floor: -2 },
      { ...value, more: 1 }
    ]
    for (const one of flawed) assert.equal(decodeStored(encode(one)).ok, false)
  })
})

describe('runtime/journal-codec', () => {
  for (const record of Object.values(RECORDS)) {
    it(`gives back ${record.type}`, () => {
      assert.deepEqual(decodeRecord(encodeRecord(record)), { ok: true, value: record })
    })
  }

  it('gives back who was absent in an epoch, and takes no more of them than a roster has', () => {
    const record = { ...RECORDS.sealing, absent: ['did:key:a'] }
    assert.deepEqual(decodeRecord(encodeRecord(record)), { ok: true, value: record })
    const many = { ...record, absent: Array<string>(100).fill('did:key:a') }
    assert.equal(decodeRecord(encode(many)).ok, false)
  })

  it('refuses a record with a field too many, too few, or of another form', () => {
    for (const record of Object.values(RECORDS)) {
      for (const spoilt of spoil(record))
        assert.equal(decodeRecord(encode(spoilt)).ok, false, JSON.stringify(spoilt))
    }
  })

  it('throws on a value that has no canonical form: that is a bug', () => {
    assert.throws(() =>
      encodeRecord({ ...RECORDS.abandoned, reason: undefined as unknown as string })
    )
  })

  it('throws on a number that would be written as a float, wherever it is', () => {
    for (const nowMs of [2 ** 53, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => encodeRecord({ ...RECORDS.abandoned, nowMs }), { code: 'ASSERTION' })
    const [entry] = RECORDS.entries.entries
    assert(entry !== undefined)
    const entries = [{ ...entry, index: 2 ** 60 }]
    assert.throws(() => encodeRecord({ ...RECORDS.entries, entries }), { code: 'ASSERTION' })
  })
})

describe('runtime/message-codec', () => {
  const all: readonly PeerMessage[] = [
    ...Object.values(MESSAGES),
    ...Object.values(RAFT).map(message => ({ type: 'raft', group: 'g', message }) as const)
  ]
  for (const message of all) {
    it(`gives back ${message.type}${message.type === 'raft' ? ` ${message.message.type}` : ''}`, () => {
      const [encoded, ...more] = encodeMessage(message)
      assert.deepEqual(more, [])
      assert.deepEqual(decodeMessage(encoded as Uint8Array), { ok: true, value: message })
    })
  }

  it('refuses a message with a field too many, too few, or of another form', () => {
    for (const message of all) {
      for (const spoilt of spoil(message))
        assert.equal(decodeMessage(encode(spoilt)).ok, false, JSON.stringify(spoilt))
    }
  })

  it('refuses what is larger than a message or an envelope may be', () => {
    assert.equal(codeOf(new Uint8Array(MESSAGE_BYTES_MAX + 1)), 'MESSAGE_TOO_LARGE')
    assert.equal(
      codeOf(encode({ type: 'envelopes', items: [new Uint8Array(ENVELOPE_BYTES_MAX + 1)] })),
      'MESSAGE_UNKNOWN'
    )
  })

  it('does not throw on any bytes, however they were spoilt', () => {
    const valid = all.map(message => encodeMessage(message)[0] as Uint8Array)
    const damaged = fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.nat(255))
      .map(([source, at, value]) => {
        const copy = source.slice()
        copy[at % copy.length] = value
        return copy
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), input => {
        const message = decodeMessage(input)
        // What is taken must be exactly what was sent: a second form of one message would be a fork.
        if (message.ok) assert.deepEqual(encodeMessage(message.value), [input])
      }),
      { numRuns: 2000 }
    )
  })
})

/** A value with each field missing, each of a wrong form, and one unknown field. */
function* spoil(value: object): Generator<unknown> {
  yield { ...value, extra: 1 }
  for (const [key, field] of Object.entries(value)) {
    yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key))
    yield { ...value, [key]: typeof field === 'boolean' ? 1 : true }
    if (typeof field === 'number') yield { ...value, [key]: -1 }
    if (Array.isArray(field)) yield { ...value, [key]: [true] }
  }
}

function codeOf(encoded: Uint8Array): string | null {
  const message = decodeMessage(encoded)
  return message.ok ? null : message.refusal.code
}
