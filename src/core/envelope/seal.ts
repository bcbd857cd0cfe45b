import { assert } from '../base/index.ts'
import { cidOf, encode, tagBytes, taggedBytes } from '../codec/index.ts'
import type { Admitted, Draft, Envelope, Stamp, Unsigned } from './envelope.ts'
import type { Verb } from './payloads.ts'
import { TAGS } from './statements.ts'

/** A draft with everything that its sender's node adds, ready to be signed. */
export function unsignedEnvelope<V extends Verb>(draft: Draft<V>, stamp: Stamp): Unsigned<V> {
  return signedFields({ ...draft, ...stamp, v: 1 } as unknown as Unsigned<V>)
}

/**
 * The bytes that the sender signs: the envelope tag, a zero byte, and the canonical bytes of every field but `sig`.
 * Takes an envelope as well as one that is not signed yet.
 */
export function signingBytes(envelope: Unsigned): Uint8Array {
  return taggedBytes(TAGS.envelope, signedFields(envelope))
}

/** What stands before the signature in the bytes of every envelope: a map of 17 fields, `v` of 1, and the head of `sig`, 64 bytes. */
const HEAD = Uint8Array.of(0xb1, 0x61, 0x76, 0x01, 0x63, 0x73, 0x69, 0x67, 0x58, 0x40)
const SIG_END = HEAD.length + 64
/** The same up to `sig`, of the 16 fields that are signed. */
const SIGNED_HEAD = Uint8Array.of(0xb0, 0x61, 0x76, 0x01)

/**
 * `signingBytes` of an envelope that was parsed, cut out of its bytes: the encoding is canonical, so the signed fields are these bytes
 * without the signature.
 */
export function signedBytes({ bytes }: Pick<Admitted, 'bytes'>): Uint8Array {
  assert(
    HEAD.every((byte, at) => bytes[at] === byte),
    'the bytes of an envelope begin with version and signature'
  )
  return tagBytes(TAGS.envelope, SIGNED_HEAD, bytes.subarray(SIG_END))
}

/**
 * The complete envelope, with its id over exactly the bytes that go out. The bytes still have to pass the door: a draft
 * that breaks a rule is refused there, not here.
 */
export function sealEnvelope<V extends Verb>(unsigned: Unsigned<V>, sig: Uint8Array): Admitted<V> {
  assert(sig.length === 64, 'an Ed25519 signature has 64 bytes')
  const envelope = { ...signedFields(unsigned), sig } as unknown as Envelope<V>
  const bytes = encode(envelope)
  const cid = cidOf(bytes)
  const { verb, sender, lamport } = unsigned
  return { id: cid.toString(), cid, bytes, verb: verb as V, sender, lamport, envelope }
}

/** Exactly the fields that are signed, whatever else the object has. */
function signedFields<V extends Verb>(envelope: Unsigned<V>): Unsigned<V> {
  return {
    v: envelope.v,
    verb: envelope.verb,
    thread: envelope.thread,
    capability: envelope.capability,
    sender: envelope.sender,
    lamport: envelope.lamport,
    nonce: envelope.nonce,
    epoch: envelope.epoch,
    fence: envelope.fence,
    refs: envelope.refs,
    payload: envelope.payload,
    policyCapsule: envelope.policyCapsule,
    policyEngine: envelope.policyEngine,
    policyEvalDigest: envelope.policyEvalDigest,
    traceparent: envelope.traceparent,
    notAfter: envelope.notAfter
  } as unknown as Unsigned<V>
}
