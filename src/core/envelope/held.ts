import type { CID } from 'multiformats/cid'
import { assert, ENVELOPE_BYTES_MAX, ok, type Result } from '../base/index.ts'
import { digestOfId, idOf, sharedLink } from '../codec/index.ts'
import type { Admitted, Envelope } from './envelope.ts'
import { decodeEnvelope } from './parse.ts'
import type { Verb } from './payloads.ts'
import { refuseEnvelope } from './refusals.ts'
import { trimLists } from './trim-lists.ts'

/**
 * Envelopes at rest that were read again and are held parsed, the latest ones. Who reads all of a thread reads each envelope several times; a thread
 * with more envelopes than this does not rest.
 */
export const READ_AGAIN_MAX = 256

/**
 * The stages of the door that need neither state nor keys, in order: length, depth, canonical form, version, verb, shape
 * of envelope and payload, place of the verb (ENV-1 to ENV-10). Whether the signature holds is asked of a verifier, with
 * `signingBytes(envelope)`.
 *
 * The id is over the bytes as received. Parsing gives amounts as BigInt and links as CID; encoding the parsed envelope
 * gives the received bytes again. The result keeps a copy, so the caller may reuse its buffer.
 */
export function parseEnvelope(received: Uint8Array): Result<Admitted> {
  if (received.length > ENVELOPE_BYTES_MAX) return refuseEnvelope('TOO_LARGE')
  // Not `slice`: on a Buffer it would share the caller's memory.
  const read = readEnvelope(new Uint8Array(received))
  if (read.ok) trimLists(read.value.envelope)
  return read
}

/**
 * The same answer for bytes that the caller hands over: the result consists of views of them. `id`: what they were found to hash to, where that
 * was looked at before.
 */
export function readEnvelope(bytes: Uint8Array, id?: string): Result<Admitted> {
  const decoded = decodeEnvelope(bytes)
  if (!decoded.ok) return decoded
  return ok(new HeldEnvelope(id ?? idOf(bytes), bytes, decoded.value))
}

/**
 * Lets an envelope rest: what its bytes say is not held beside them any more, and is read out of them again when somebody asks. To readers nothing
 * changes but time, 10 to 20 us. Parsed, an envelope takes two to three times what its bytes take.
 */
export function letRest(admitted: Admitted): void {
  if (admitted instanceof HeldEnvelope) admitted.rest()
}

/** Has an envelope be a part of bytes that are held anyway. `same`: its own bytes, there. What was parsed out of the others goes when it rests. */
export function holdIn(admitted: Admitted, same: Uint8Array): void {
  if (!(admitted instanceof HeldEnvelope)) return
  assert(same.length === admitted.bytes.length, 'an envelope moves to bytes that are the same')
  admitted.bytes = same
}

/** An envelope that passed the stages above: its bytes, and what they say while it does not rest. */
class HeldEnvelope<V extends Verb = Verb> implements Admitted<V> {
  readonly id: string
  bytes: Uint8Array
  readonly verb: V
  readonly sender: string
  readonly lamport: number
  #cid: CID | null = null
  #envelope: Envelope<V> | null

  constructor(id: string, bytes: Uint8Array, envelope: Envelope<V>) {
    this.id = id
    this.bytes = bytes
    this.verb = envelope.verb as V
    this.sender = envelope.sender
    this.lamport = envelope.lamport
    this.#envelope = envelope
  }

  /** Made when somebody asks: of most envelopes the text alone is used. */
  get cid(): CID {
    if (this.#cid === null) {
      const digest = digestOfId(this.id)
      assert(digest !== null, 'the id of an envelope has its one form')
      this.#cid = sharedLink(digest)
    }
    return this.#cid
  }

  get envelope(): Envelope<V> {
    return this.#envelope ?? this.#readAgain()
  }

  rest(): void {
    this.#envelope = null
  }

  #readAgain(): Envelope<V> {
    const decoded = decodeEnvelope(this.bytes)
    assert(decoded.ok, 'bytes that were an envelope are one')
    const envelope = decoded.value as unknown as Envelope<V>
    trimLists(envelope)
    this.#envelope = envelope
    readAgain.hold(this as unknown as HeldEnvelope)
    return envelope
  }
}

/** Those that were read again last. One that falls out rests again. */
class ReadAgain {
  readonly #places: HeldEnvelope[] = []
  #next = 0

  hold(envelope: HeldEnvelope): void {
    this.#places[this.#next]?.rest()
    this.#places[this.#next] = envelope
    this.#next = (this.#next + 1) % READ_AGAIN_MAX
  }
}

const readAgain = new ReadAgain()
