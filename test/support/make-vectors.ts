/**
 * Writes protocols/envelope/vectors. Run it with `node test/support/make-vectors.ts` after a deliberate change of the
 * protocol and review the difference: the files are the reference that the code is held to, not the other way round.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { encode } from '../../src/core/codec/index.ts'
import { type Envelope, VERBS, type Verb } from '../../src/core/envelope/index.ts'
import { SAMPLE_NOW_MS, SIGNERS, sampleCid, sampleDraft, sampleHash } from './sample-drafts.ts'
import { sampleEnvelope, sign } from './sample-envelopes.ts'

const FOLDER = new URL('../../protocols/envelope/vectors/', import.meta.url)

/** One input that a rule refuses. */
type Invalid = {
  readonly name: string
  readonly rule: string
  readonly refusal: string
  readonly input: Uint8Array
  /** Zero bytes are appended up to this size. */
  readonly padTo?: number
  /** The receiver's clock; the samples' instant where absent. */
  readonly nowMs?: number
  /** Envelopes accepted before. */
  readonly before?: readonly Uint8Array[]
  /** Envelopes of the same sender accepted before in the same instant. */
  readonly spent?: number
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The canonical bytes of a sample with some fields replaced; undefined removes one. The signature stays as it was. */
function changed(verb: Verb, change: Readonly<Record<string, unknown>>): Uint8Array {
  const fields = { ...sampleEnvelope(verb).envelope, ...change }
  return encode(
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  )
}

function payloadChanged(verb: Verb, change: Readonly<Record<string, unknown>>): Uint8Array {
  return changed(verb, { payload: { ...sampleEnvelope(verb).envelope.payload, ...change } })
}

/** A sample's bytes with one stretch of hex replaced: what a lenient encoder would have written. */
function respelt(verb: Verb, from: string, to: string): Uint8Array {
  const text = hex(sampleEnvelope(verb).bytes)
  const at = text.indexOf(from)
  if (at < 0 || at % 2 !== 0) throw new RangeError(`${from} is not in the sample of ${verb}`)
  return Uint8Array.from(Buffer.from(text.slice(0, at) + to + text.slice(at + from.length), 'hex'))
}

function nested(levels: number): unknown {
  return levels === 0 ? 0 : [nested(levels - 1)]
}

const text = (value: string): string => Buffer.from(value).toString('hex')
const need = sampleEnvelope('NEED')
const heartbeat = sampleEnvelope('HEARTBEAT')
const identity = Uint8Array.from([1, ...new Array(31).fill(0)])

/** ENV-1 to ENV-3: length, depth, canonical form. */
const bytesRules: readonly Invalid[] = [
  {
    name: 'one byte too long',
    rule: 'ENV-1',
    refusal: 'TOO_LARGE',
    input: need.bytes,
    padTo: 65_537
  },
  {
    name: 'nested 33 deep',
    rule: 'ENV-2',
    refusal: 'TOO_DEEP',
    input: changed('NEED', { payload: nested(32) })
  },
  { name: 'empty', rule: 'ENV-3', refusal: 'NOT_CANONICAL', input: new Uint8Array() },
  { name: 'cut short', rule: 'ENV-3', refusal: 'NOT_CANONICAL', input: need.bytes.slice(0, -1) },
  {
    name: 'trailing byte',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: need.bytes,
    padTo: need.bytes.length + 1
  },
  {
    name: 'integer longer than needed',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt('HEARTBEAT', `${text('lamport')}07`, `${text('lamport')}1807`)
  },
  {
    name: 'integer as float',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt('HEARTBEAT', `${text('lamport')}07`, `${text('lamport')}fb401c000000000000`)
  },
  {
    name: 'half float',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt('HEARTBEAT', `${text('lamport')}07`, `${text('lamport')}f94700`)
  },
  {
    name: 'real float',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: changed('HEARTBEAT', { lamport: 7.5 })
  },
  {
    name: 'undefined for null',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt('NEED', `${text('epoch')}f6`, `${text('epoch')}f7`)
  },
  {
    name: 'keys out of order',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt(
      'NEED',
      `b1617601${'63'}${text('sig')}5840${hex(need.envelope.sig)}`,
      `b163${text('sig')}5840${hex(need.envelope.sig)}617601`
    )
  },
  {
    name: 'key twice',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt('NEED', 'b1617601', 'b2617601617601')
  },
  {
    name: 'map of indefinite length',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: Uint8Array.from([0xbf, ...need.bytes.slice(1), 0xff])
  },
  {
    name: 'bad UTF-8',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt('NEED', text('swarm/need'), `ff${text('warm/need')}`)
  },
  {
    name: 'reserved key',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: changed('NEED', { constructor: 1 })
  },
  {
    name: 'CID of another hash',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt('HEARTBEAT', '58250001711220', '58250001711b20')
  },
  {
    name: 'CID with a longer varint',
    rule: 'ENV-3',
    refusal: 'NOT_CANONICAL',
    input: respelt('HEARTBEAT', '58250001711220', '5826000171920020')
  }
]

/** ENV-4 to ENV-10: version, verb, shape, place. */
const shapeRules: readonly Invalid[] = [
  {
    name: 'version 2',
    rule: 'ENV-4',
    refusal: 'UNSUPPORTED_VERSION',
    input: changed('NEED', { v: 2 })
  },
  {
    name: 'unknown verb',
    rule: 'ENV-5',
    refusal: 'UNKNOWN_VERB',
    input: changed('NEED', { verb: 'WANT' })
  },
  {
    name: 'verb in lower case',
    rule: 'ENV-5',
    refusal: 'UNKNOWN_VERB',
    input: changed('NEED', { verb: 'need' })
  },
  { name: 'a list', rule: 'ENV-6', refusal: 'BAD_SHAPE', input: encode([need.envelope]) },
  {
    name: 'field missing',
    rule: 'ENV-6',
    refusal: 'BAD_SHAPE',
    input: changed('NEED', { traceparent: undefined })
  },
  {
    name: 'field unknown',
    rule: 'ENV-6',
    refusal: 'BAD_SHAPE',
    input: changed('NEED', { note: 'x' })
  },
  {
    name: 'nonce of 15 bytes',
    rule: 'ENV-6',
    refusal: 'BAD_SHAPE',
    input: changed('NEED', { nonce: new Uint8Array(15) })
  },
  {
    name: 'sender no did-key',
    rule: 'ENV-6',
    refusal: 'BAD_SHAPE',
    input: changed('NEED', { sender: 'did:web:example.org' })
  },
  {
    name: 'lamport beyond 2^53',
    rule: 'ENV-6',
    refusal: 'BAD_SHAPE',
    input: changed('NEED', { lamport: 2n ** 53n })
  },
  {
    name: '257 refs',
    rule: 'ENV-6',
    refusal: 'BAD_SHAPE',
    input: changed('NEED', { refs: new Array(257).fill(sampleCid('x')) })
  },
  {
    name: 'payload of another verb',
    rule: 'ENV-7',
    refusal: 'BAD_PAYLOAD',
    input: changed('NEED', { payload: heartbeat.envelope.payload })
  },
  {
    name: 'payload field unknown',
    rule: 'ENV-7',
    refusal: 'BAD_PAYLOAD',
    input: payloadChanged('NEED', { extra: 1 })
  },
  {
    name: 'payload field missing',
    rule: 'ENV-7',
    refusal: 'BAD_PAYLOAD',
    input: changed('RELEASE', { payload: {} })
  },
  {
    name: 'amount below zero',
    rule: 'ENV-7',
    refusal: 'BAD_PAYLOAD',
    input: payloadChanged('NEED', { budget: -1 })
  },
  {
    name: 'amount of 2^63',
    rule: 'ENV-7',
    refusal: 'BAD_PAYLOAD',
    input: payloadChanged('NEED', { budget: 2n ** 63n })
  },
  {
    name: 'progress of 101',
    rule: 'ENV-7',
    refusal: 'BAD_PAYLOAD',
    input: payloadChanged('HEARTBEAT', { progress: 101 })
  },
  {
    name: 'thread missing',
    rule: 'ENV-8',
    refusal: 'BAD_THREAD',
    input: changed('PROPOSE', { thread: null })
  },
  {
    name: 'thread in a NEED',
    rule: 'ENV-8',
    refusal: 'BAD_THREAD',
    input: changed('NEED', { thread: sampleCid('x') })
  },
  {
    name: 'epoch missing',
    rule: 'ENV-9',
    refusal: 'BAD_EPOCH',
    input: changed('CLAIM', { epoch: null })
  },
  {
    name: 'epoch in a PROPOSE',
    rule: 'ENV-9',
    refusal: 'BAD_EPOCH',
    input: changed('PROPOSE', { epoch: 0 })
  },
  {
    name: 'fence missing',
    rule: 'ENV-10',
    refusal: 'BAD_FENCE',
    input: changed('COMMIT', { fence: null })
  },
  {
    name: 'fence of another epoch',
    rule: 'ENV-10',
    refusal: 'BAD_FENCE',
    input: changed('COMMIT', { fence: [1, 3, 17] })
  },
  {
    name: 'fence in a CLAIM',
    rule: 'ENV-10',
    refusal: 'BAD_FENCE',
    input: changed('CLAIM', { fence: [0, 3, 17] })
  }
]

/** ENV-11 to ENV-16: signature, freshness, replay, rate. */
const stateRules: readonly Invalid[] = [
  {
    name: 'signature of zeros',
    rule: 'ENV-11',
    refusal: 'BAD_SIGNATURE',
    input: changed('NEED', { sig: new Uint8Array(64) })
  },
  {
    name: 'signed field changed',
    rule: 'ENV-11',
    refusal: 'BAD_SIGNATURE',
    input: changed('NEED', { lamport: 8 })
  },
  {
    name: 'signature of another',
    rule: 'ENV-11',
    refusal: 'BAD_SIGNATURE',
    input: changed('NEED', { sender: SIGNERS[1]?.did })
  },
  {
    name: 'signature without tag',
    rule: 'ENV-11',
    refusal: 'BAD_SIGNATURE',
    input: changed('NEED', { sig: signedWithoutTag() })
  },
  {
    name: 'R the identity',
    rule: 'ENV-11',
    refusal: 'BAD_SIGNATURE',
    input: changed('NEED', { sig: Uint8Array.from([...identity, ...new Uint8Array(32)]) })
  },
  {
    name: 'expired',
    rule: 'ENV-12',
    refusal: 'ENVELOPE_EXPIRED',
    input: need.bytes,
    nowMs: need.envelope.notAfter + 10_001
  },
  {
    name: 'notAfter too far ahead',
    rule: 'ENV-13',
    refusal: 'NOT_AFTER_TOO_FAR',
    input: need.bytes,
    nowMs: need.envelope.notAfter - 86_410_001
  },
  {
    name: 'said before',
    rule: 'ENV-14',
    refusal: 'REPLAYED',
    input: need.bytes,
    before: [need.bytes]
  },
  {
    name: 'another with this lamport before',
    rule: 'ENV-15',
    refusal: 'EQUIVOCATION',
    input: need.bytes,
    before: [heartbeat.bytes]
  },
  {
    name: '401st in one instant',
    rule: 'ENV-16',
    refusal: 'RATE_LIMITED',
    input: need.bytes,
    spent: 400
  }
]

function signedWithoutTag(): Uint8Array {
  const { sig: _, ...unsigned } = need.envelope as Envelope
  return (SIGNERS[0] as (typeof SIGNERS)[0]).sign(encode(unsigned))
}

function write(folder: string, name: string, vector: object): void {
  writeFileSync(new URL(`${folder}/${name}.json`, FOLDER), `${JSON.stringify(vector, null, 2)}\n`)
}

function slug(rule: string, name: string): string {
  return `${rule.toLowerCase().replace(/-(?=\d$)/u, '-0')}-${name.toLowerCase().replace(/[^a-z0-9]+/gu, '-')}`
}

function writeValid(
  name: string,
  admitted: { readonly bytes: Uint8Array; readonly id: string },
  verb: Verb
): void {
  write('valid', name, {
    name,
    verb,
    nowMs: SAMPLE_NOW_MS,
    input: hex(admitted.bytes),
    id: admitted.id
  })
}

for (const folder of ['valid', 'invalid']) {
  rmSync(new URL(`${folder}/`, FOLDER), { recursive: true, force: true })
  mkdirSync(new URL(`${folder}/`, FOLDER), { recursive: true })
}
for (const verb of VERBS)
  writeValid(verb.toLowerCase().replace('_', '-'), sampleEnvelope(verb), verb)
const attest = sampleDraft('ATTEST')
const revealed = {
  ...attest.payload,
  seal: null,
  salt: sampleHash('salt'),
  evaluation: sampleHash('evaluation'),
  reasons: ['equal']
}
writeValid('attest-revealed', sign({ ...attest, payload: revealed }), 'ATTEST')
for (const { name, rule, refusal, input, before, ...rest } of [
  ...bytesRules,
  ...shapeRules,
  ...stateRules
]) {
  const vector = {
    name,
    rule,
    input: hex(input),
    ...rest,
    ...(before && { before: before.map(hex) }),
    refusal
  }
  write('invalid', slug(rule, name), vector)
}
