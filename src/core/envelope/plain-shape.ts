import { LIST_ITEMS_MAX, TEXT_LENGTH_MAX } from '../base/index.ts'
import { CID } from '../codec/index.ts'
import { DID, TRACEPARENT } from './fields.ts'

/** Fields of an envelope. */
const FIELDS = 17

/**
 * Whether the fields of a decoded envelope around its payload are plainly as they must be: the schema's answer in a tenth of its time, for nearly every
 * envelope that comes. When this says no, the schema says what is wrong; a test holds both together.
 */
export function hasPlainShape(value: { readonly [field: string]: unknown }): boolean {
  return (
    Object.keys(value).length === FIELDS &&
    value['v'] === 1 &&
    typeof value['verb'] === 'string' &&
    Object.hasOwn(value, 'payload') &&
    areNames(value) &&
    areNumbers(value) &&
    areLinks(value) &&
    isBytes(value['nonce'], 16) &&
    isBytes(value['policyEngine'], 32) &&
    isBytes(value['policyEvalDigest'], 32) &&
    isBytes(value['sig'], 64)
  )
}

function areNames(value: { readonly [field: string]: unknown }): boolean {
  const { sender, capability, traceparent } = value
  if (typeof sender !== 'string' || !DID.test(sender)) return false
  if (typeof capability !== 'string' || capability.length > TEXT_LENGTH_MAX) return false
  if (!capability.isWellFormed() || capability.startsWith('\ufeff')) return false
  return traceparent === null || (typeof traceparent === 'string' && TRACEPARENT.test(traceparent))
}

function areNumbers(value: { readonly [field: string]: unknown }): boolean {
  const { lamport, notAfter, epoch, fence } = value
  if (!isCount(lamport) || !isCount(notAfter)) return false
  if (epoch !== null && !isCount(epoch)) return false
  return fence === null || (Array.isArray(fence) && fence.length === 3 && fence.every(isCount))
}

function areLinks(value: { readonly [field: string]: unknown }): boolean {
  const { thread, refs, policyCapsule } = value
  if (thread !== null && !(thread instanceof CID)) return false
  if (!(policyCapsule instanceof CID) || !Array.isArray(refs)) return false
  return refs.length <= LIST_ITEMS_MAX && refs.every(ref => ref instanceof CID)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isBytes(value: unknown, size: number): boolean {
  return value instanceof Uint8Array && value.length === size
}
