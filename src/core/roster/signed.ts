import { ok, type Result, refuse } from '../base/index.ts'
import { type Admitted, parseEnvelope, signedBytes, type Verb } from '../envelope/index.ts'
import type { Verify } from './key.ts'

/** An envelope out of bytes that never passed a door: its form, its verb and its sender's signature are checked here. */
export function openSigned<V extends Verb>(
  bytes: Uint8Array,
  verbs: readonly V[],
  verify: Verify
): Result<Admitted<V>> {
  const parsed = parseEnvelope(bytes)
  if (!parsed.ok) return parsed
  const { envelope } = parsed.value
  if (!verbs.some(verb => verb === envelope.verb))
    return refuse('PROOF_VERB', `${verbs.join(' or ')} is wanted here, not ${envelope.verb}`)
  if (!verify(envelope.sender, signedBytes(parsed.value), envelope.sig))
    return refuse('BAD_SIGNATURE', `the signature of the ${envelope.verb} is wrong`)
  return ok(parsed.value as Admitted<V>)
}

/** A file that does not name the format that is wanted. What it names instead is told when it is short enough to be a name. */
export function otherFormat(value: unknown, wanted: string): Result<never> {
  const named = (value as { format?: unknown } | null)?.format
  const isName = typeof named === 'string' && /^[a-z0-9/.-]{1,64}$/u.test(named)
  return refuse('PROOF_FORMAT', `${wanted} is wanted, found ${isName ? named : 'no format'}`)
}
