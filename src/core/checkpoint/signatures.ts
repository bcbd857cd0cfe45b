import { assert, concat, equals, ok, type Result, refuse, utf8 } from '../base/index.ts'
import { hash } from '../codec/index.ts'
import { PUBLIC_KEY_BYTES, parseDid, SIGNATURE_BYTES } from '../identity/index.ts'
import { type Checkpoint, originOf, parseCheckpoint } from './body.ts'
import type { NoteSignature, SignedNote } from './note.ts'

/** Algorithm of the origin's signature: Ed25519 over the text (C2SP signed-note). */
const ED25519 = 0x01
/** Algorithm of a witness: Ed25519 over time and text (C2SP tlog-cosignature). */
const COSIGNATURE_V1 = 0x04
/** Bytes of the time in a cosignature. */
const TIME_BYTES = 8

type Verify = (did: string, bytes: Uint8Array, signature: Uint8Array) => boolean

/** A note whose signatures hold. */
export type CheckedNote = {
  readonly checkpoint: Checkpoint
  readonly network: string
  /** Whose log it is. */
  readonly did: string
  /** When each witness cosigned, in seconds since 1970, by DID. The origin itself is none. */
  readonly witnesses: ReadonlyMap<string, number>
  /** The lines that say so: the origin's first, then one of each witness, its newest, under its DID. */
  readonly lines: readonly NoteSignature[]
}

/** The line of the log's own node; `sig` is its signature over the text's UTF-8 bytes. */
export function originSignature(origin: string, did: string, sig: Uint8Array): NoteSignature {
  return { name: origin, keyId: keyIdOf(origin, ED25519, publicKeyOf(did)), bytes: sig }
}

/** What a witness signs: that at `seconds` since 1970 this was the largest tree of this origin that it had seen. */
export function cosignedBytes(text: string, seconds: number): Uint8Array {
  assert(Number.isSafeInteger(seconds) && seconds >= 0, 'a time is whole seconds since 1970')
  return utf8(`cosignature/v1\ntime ${seconds}\n${text}`)
}

/** The line of a witness; `sig` is its signature over `cosignedBytes`. */
export function cosignature(did: string, seconds: number, sig: Uint8Array): NoteSignature {
  const time = new Uint8Array(TIME_BYTES)
  new DataView(time.buffer).setBigUint64(0, BigInt(seconds))
  return {
    name: did,
    keyId: keyIdOf(did, COSIGNATURE_V1, publicKeyOf(did)),
    bytes: concat([time, sig])
  }
}

/**
 * Whether a note is a checkpoint signed by its origin, and who witnessed it. A witness counts once. Refusals: as `parseCheckpoint` and
 * `originOf`; `CHECKPOINT_UNSIGNED` without the origin's signature; `CHECKPOINT_SIGNATURE` when one that names a key of ours is wrong.
 */
export function checkNote({ text, signatures }: SignedNote, verify: Verify): Result<CheckedNote> {
  const checkpoint = parseCheckpoint(text)
  if (!checkpoint.ok) return checkpoint
  const origin = originOf(checkpoint.value.origin)
  if (!origin.ok) return origin
  const { did, network } = origin.value
  const witnesses = new Map<string, number>()
  const cosignatures = new Map<string, NoteSignature>()
  let own: NoteSignature | null = null
  for (const signature of signatures) {
    if (isOf(signature, checkpoint.value.origin, did, ED25519)) {
      if (!verify(did, utf8(text), signature.bytes)) return wrongSignature(signature.name)
      own = signature
      continue
    }
    const seconds = cosignedAt(signature)
    if (seconds === null || signature.name === did) continue
    const sig = signature.bytes.slice(TIME_BYTES)
    if (!verify(signature.name, cosignedBytes(text, seconds), sig))
      return wrongSignature(signature.name)
    const known = witnesses.get(signature.name)
    if (known !== undefined && known >= seconds) continue
    witnesses.set(signature.name, seconds)
    cosignatures.set(signature.name, signature)
  }
  if (own === null)
    return refuse('CHECKPOINT_UNSIGNED', 'the checkpoint is not signed by the node whose log it is')
  const lines = [own, ...cosignatures.values()]
  return ok({ checkpoint: checkpoint.value, network, did, witnesses, lines })
}

/** The time in a cosignature of a DID, or null for every other kind of signature. */
function cosignedAt(signature: NoteSignature): number | null {
  if (signature.bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return null
  if (!isOf(signature, signature.name, signature.name, COSIGNATURE_V1)) return null
  const { bytes } = signature
  const seconds = new DataView(bytes.buffer, bytes.byteOffset, TIME_BYTES).getBigUint64(0)
  return seconds <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seconds) : null
}

/** Whether this is a signature with this algorithm by the key of this DID, under this name. Whether it holds is another question. */
function isOf(signature: NoteSignature, name: string, did: string, algorithm: number): boolean {
  if (signature.name !== name) return false
  const key = parseDid(did)
  return key.ok && equals(signature.keyId, keyIdOf(name, algorithm, key.value))
}

function keyIdOf(name: string, algorithm: number, publicKey: Uint8Array): Uint8Array {
  assert(publicKey.length === PUBLIC_KEY_BYTES, 'an Ed25519 key has 32 bytes')
  return hash(concat([utf8(`${name}\n`), Uint8Array.of(algorithm), publicKey])).slice(0, 4)
}

function publicKeyOf(did: string): Uint8Array {
  const key = parseDid(did)
  assert(key.ok, 'a node knows the DIDs that it signs for')
  return key.value
}

function wrongSignature(name: string): Result<never> {
  return refuse('CHECKPOINT_SIGNATURE', `the signature of ${name} does not hold`)
}
