import * as v from 'valibot'
import { ENVELOPE_BYTES_MAX, ok, type Result } from '../base/index.ts'
import { CID, decodeStrict } from '../codec/index.ts'
import type { Draft, Envelope } from './envelope.ts'
import { bytesOf, cid, did, fence, hash32, listOf, text, traceparent, uint } from './fields.ts'
import { type Payload, payloads, type Verb } from './payloads.ts'
import { PLACE_OF_VERB } from './place.ts'
import { hasPlainShape } from './plain-shape.ts'
import { isPlainUpdate } from './plain-update.ts'
import { refuseEnvelope } from './refusals.ts'

/** The fields of a draft around its payload. */
const draftFields = {
  verb: v.string(),
  thread: v.nullable(cid),
  capability: text,
  epoch: v.nullable(uint),
  fence: v.nullable(fence),
  refs: listOf(cid),
  payload: v.unknown(),
  notAfter: uint,
  traceparent: v.nullable(traceparent)
}

const draftShape = v.strictObject(draftFields)

const envelopeShape = v.strictObject({
  ...draftFields,
  v: v.literal(1),
  sender: did,
  lamport: uint,
  nonce: bytesOf(16),
  policyCapsule: cid,
  policyEngine: hash32,
  policyEvalDigest: hash32,
  sig: bytesOf(64)
})

/** What the bytes of an envelope say: its fields, whose bytes are views of these, or what is wrong with them (see `parseEnvelope`). */
export function decodeEnvelope(bytes: Uint8Array): Result<Envelope> {
  if (bytes.length > ENVELOPE_BYTES_MAX) return refuseEnvelope('TOO_LARGE')
  const decoded = decodeStrict(bytes, true)
  return decoded.ok ? shapeOf(decoded.value) : decoded
}

/**
 * Checks what a local user or agent wants to say before it is evaluated, signed and encoded: the same shape, payload and
 * place rules as at the door. The value that comes back is the draft as receivers will see it.
 */
export function checkDraft<V extends Verb>(draft: Draft<V>): Result<Draft<V>> {
  if (!isVerb(draft.verb)) return refuseEnvelope('UNKNOWN_VERB')
  const parsed = v.safeParse(draftShape, draft, { abortEarly: true })
  if (!parsed.success) return refuseEnvelope('BAD_SHAPE', placeOf(parsed.issues[0]))
  const payload = payloadOf(draft.verb, draft.payload)
  if (!payload.ok) return payload
  const checked = { ...parsed.output, payload: payload.value } as unknown as Draft<V>
  return checkPlace(checked as unknown as Draft) ?? ok(checked)
}

function shapeOf(value: unknown): Result<Envelope> {
  if (!isMap(value)) return refuseEnvelope('BAD_SHAPE', 'it is not a map')
  if (value['v'] !== 1 && typeof value['v'] === 'number')
    return refuseEnvelope('UNSUPPORTED_VERSION')
  const { verb } = value as { readonly verb?: unknown }
  if (typeof verb === 'string' && !isVerb(verb)) return refuseEnvelope('UNKNOWN_VERB')
  const fields = hasPlainShape(value) ? ok(value as Envelope) : parseFields(value)
  if (!fields.ok) return fields
  const payload = receivedPayload(fields.value)
  if (!payload.ok) return payload
  const envelope = { ...fields.value, payload: payload.value } as Envelope
  return checkPlace(envelope) ?? ok(envelope)
}

/** The fields around the payload, which is any. */
export function parseFields(value: unknown): Result<Envelope> {
  const parsed = v.safeParse(envelopeShape, value, { abortEarly: true })
  return parsed.success
    ? ok(parsed.output as unknown as Envelope)
    : refuseEnvelope('BAD_SHAPE', placeOf(parsed.issues[0]))
}

function isMap(value: unknown): value is { readonly [field: string]: unknown } {
  if (typeof value !== 'object' || value === null) return false
  return !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof CID)
}

function isVerb(verb: string): verb is Verb {
  return Object.hasOwn(payloads, verb)
}

function receivedPayload({ verb, payload }: Envelope): Result<Payload<Verb>> {
  return verb === 'UPDATE_PLAN' && isPlainUpdate(payload) ? ok(payload) : payloadOf(verb, payload)
}

/** The schema's answer. */
export function payloadOf<V extends Verb>(verb: V, payload: unknown): Result<Payload<V>> {
  const parsed = v.safeParse(payloads[verb], payload, { abortEarly: true })
  if (!parsed.success) return refuseEnvelope('BAD_PAYLOAD', placeOf(parsed.issues[0]))
  return ok(parsed.output as Payload<V>)
}

/** ENV-8 to ENV-10. */
function checkPlace(draft: Draft): Result<never> | undefined {
  const place = PLACE_OF_VERB[draft.verb]
  if ((draft.thread !== null) !== place.thread) return refuseEnvelope('BAD_THREAD')
  if ((draft.epoch !== null) !== place.epoch) return refuseEnvelope('BAD_EPOCH')
  if ((draft.fence !== null) !== place.fence) return refuseEnvelope('BAD_FENCE')
  if (draft.fence !== null && draft.fence[0] !== draft.epoch) return refuseEnvelope('BAD_FENCE')
  return undefined
}

/** Where a schema found fault, such as `windows.bidMs`. Keys can be a stranger's text, so all but plain names is dropped. */
function placeOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? ''
  return path.replace(/[^A-Za-z0-9_.]/gu, '').slice(0, 80) || 'at the top'
}
