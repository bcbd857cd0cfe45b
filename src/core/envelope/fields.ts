import { CID } from 'multiformats/cid'
import * as v from 'valibot'
import { LIST_ITEMS_MAX, TEXT_LENGTH_MAX } from '../base/index.ts'

/** Form of a `did:key` of an Ed25519 key, of a name, and of a W3C traceparent of version 00. */
export const DID: RegExp = /^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/u
export const NAME: RegExp = /^[a-z0-9][a-z0-9/._-]{0,127}$/u
export const TRACEPARENT: RegExp = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/u

/** A link to a block: an artifact, an envelope or a capsule. Decoding has checked the CID profile (R1). */
export const cid: v.GenericSchema<unknown, CID> = v.pipe(
  v.custom<CID>(input => CID.asCID(input) !== null, 'must be a CID'),
  v.transform(input => CID.asCID(input) as CID)
)

/** A `did:key` of an Ed25519 public key. Full parsing happens once, at admission of the key (R3). */
export const did: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(DID, 'must be a did:key of an Ed25519 key')
)

/** A whole number, 0 to 2^53 - 1. */
export const uint: v.GenericSchema<number> = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** A whole number of either sign, within 2^53 - 1. */
export const int: v.GenericSchema<number> = v.pipe(v.number(), v.safeInteger())

/** Credits in the smallest unit. DAG-CBOR gives small integers as numbers; protocol state holds BigInt only. */
export const amount: v.GenericSchema<number | bigint, bigint> = v.pipe(
  v.union([v.bigint(), v.pipe(v.number(), v.safeInteger())]),
  v.transform(value => BigInt(value)),
  v.minValue(0n, 'must not be negative'),
  v.maxValue((1n << 63n) - 1n, 'must be below 2^63')
)

/**
 * Text shown to people or matched by rules; bounded. A lone surrogate or a leading byte order mark cannot come out of the
 * decoder; here they are refused in drafts, which have not been through it.
 */
export const text: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.maxLength(TEXT_LENGTH_MAX),
  v.check(value => value.isWellFormed() && !value.startsWith('\ufeff'), 'must survive UTF-8')
)

/** A short name: capability, tag, task type. */
export const name: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(NAME, 'must be a lower-case name such as text/upper')
)

/** W3C Trace Context, version 00. */
export const traceparent: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(TRACEPARENT, 'must be a W3C traceparent of version 00')
)

/** A 32-byte hash. */
export const hash32: v.GenericSchema<Uint8Array> = bytesOf(32)

/** Bytes of one exact length. */
export function bytesOf(length: number): v.GenericSchema<Uint8Array> {
  return v.pipe(
    v.instance(Uint8Array),
    v.check(bytes => bytes.length === length, `must be ${length} bytes`)
  )
}

/** Bytes of any length; the envelope's own limit bounds them. */
export const anyBytes: v.GenericSchema<Uint8Array> = v.instance(Uint8Array)

/** A bounded list. */
export function listOf<S extends v.GenericSchema<unknown, unknown>>(
  item: S,
  max: number = LIST_ITEMS_MAX
): v.GenericSchema<unknown, v.InferOutput<S>[]> {
  return v.pipe(
    v.array(item),
    v.maxLength(max, `must have at most ${max} items`)
  ) as v.GenericSchema<unknown, v.InferOutput<S>[]>
}

/** Fencing token: epoch, term, index of the grant, compared lexicographically. */
export type Fence = readonly [epoch: number, term: number, index: number]

export const fence: v.GenericSchema<unknown, Fence> = v.pipe(
  v.strictTuple([uint, uint, uint]),
  v.readonly()
) as v.GenericSchema<unknown, Fence>

/** Lexicographic order of fencing tokens. */
export function compareFence(a: Fence, b: Fence): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}
