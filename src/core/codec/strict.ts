import { decode as decodeDagCbor, encode as encodeDagCbor } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { DEPTH_MAX, equals, ok, type Result, refuse } from '../base/index.ts'
import { CID_CODECS, SHA2_256 } from './canonical.ts'
import { scanDepth } from './depth.ts'
import { readPlain } from './plain-reader.ts'
import { RESERVED_KEYS } from './reserved-keys.ts'

/**
 * Decodes DAG-CBOR and accepts it only in its one canonical form (R1).
 *
 * 1. The caller has checked the size.
 * 2. Refusals: `TOO_DEEP` (more than DEPTH_MAX lists and maps inside each other), `NOT_CANONICAL` (everything else).
 * 3. Never throws on any bytes.
 *
 * `views`: byte fields of the value are views of `bytes`, which the caller then keeps as they are. A node holds the envelopes of thousands of open
 * threads. What is canonical is read in one pass; why anything else is refused is said by `decodeReference`.
 */
export function decodeStrict(bytes: Uint8Array, views = false): Result<unknown> {
  const value = readPlain(bytes, views)
  return value === undefined ? decodeReference(bytes) : ok(value)
}

/**
 * The rule, by the library. The library decoder takes unsorted keys, `undefined`, short floats, bad UTF-8 and a leading byte order mark; all of them
 * encode to other bytes than they came from, so the comparison refuses them. What survives the round trip and still is not
 * allowed (floats, foreign CIDs, reserved keys) is found by a walk over the value.
 */
export function decodeReference(bytes: Uint8Array): Result<unknown> {
  const scan = scanDepth(bytes)
  if (scan === 'too-deep') return refuse('TOO_DEEP', `nesting is deeper than ${DEPTH_MAX}`)
  if (scan === 'malformed')
    return notCanonical('the bytes are not one complete CBOR item of definite length')
  let value: unknown
  try {
    value = decodeDagCbor(bytes)
    if (!equals(encodeDagCbor(value), bytes))
      return notCanonical('the bytes are not in canonical form')
  } catch {
    // The library's message can quote the stranger's bytes; a refusal must not.
    return notCanonical('the bytes are not DAG-CBOR')
  }
  const flaw = findFlaw(value)
  return flaw === undefined ? ok(value) : notCanonical(flaw)
}

function notCanonical(message: string): Result<never> {
  return refuse('NOT_CANONICAL', message)
}

function findFlaw(value: unknown): string | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? undefined : 'floats are not allowed'
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  if (value instanceof CID) return cidFlaw(value)
  if (Array.isArray(value)) return firstFlaw(value)
  for (const key of Object.keys(value)) {
    if (RESERVED_KEYS.has(key)) return 'a map has a reserved key'
  }
  return firstFlaw(Object.values(value))
}

function firstFlaw(items: readonly unknown[]): string | undefined {
  for (const item of items) {
    const flaw = findFlaw(item)
    if (flaw !== undefined) return flaw
  }
  return undefined
}

/**
 * The four bytes before the digest are compared as bytes: the library keeps a multihash head as it came, so a longer
 * varint of the same number would survive the round trip and give one block two names.
 */
function cidFlaw({ bytes }: CID): string | undefined {
  const fits = bytes.length === 36 && bytes[0] === 1 && bytes[2] === SHA2_256 && bytes[3] === 32
  return fits && CID_CODECS.has(bytes[1] as number)
    ? undefined
    : 'a CID must be v1, sha2-256, of codec dag-cbor, dag-pb or raw'
}
