import { equals, toHex } from '../core/base/index.ts'
import type { Admitted, Verb } from '../core/envelope/index.ts'
import {
  bidInput,
  commitInput,
  evaluationDigest,
  messageInput,
  type PolicyInput
} from '../core/policy/index.ts'
import type { AskedPolicy } from '../rpc/index.ts'
import { RequestRefusedError } from './errors.ts'
import type { NodeParts } from './node-parts.ts'

/** What a gate asks, and which capsule. */
export type Question = { readonly capsule: string; readonly input: PolicyInput }

/** An envelope of a thread; with `verb`, one of that. Rejects with RequestRefusedError when there is none. */
export async function envelopeOf<V extends Verb>(
  { threads }: NodeParts,
  thread: string,
  id: string,
  verb?: V
): Promise<Admitted<V>> {
  const admitted = await threads.envelope(thread, id)
  if (admitted === undefined || (verb !== undefined && admitted.envelope.verb !== verb))
    throw new RequestRefusedError(`the thread has no ${verb ?? 'envelope'} ${id}`)
  return admitted as Admitted<V>
}

/** The bid gate's question about a PROPOSE of the log, and the capsule that the NEED names for it. */
export async function bidQuestion(
  { threads }: NodeParts,
  thread: string,
  proposal: string
): Promise<Question> {
  const subject = await threads.bidSubject(thread, proposal)
  if (subject === undefined)
    throw new RequestRefusedError(`the log of the thread has no PROPOSE ${proposal} yet`)
  return { capsule: subject.need.capsule.toString(), input: bidInput(subject) }
}

/** The commit gate's question about a COMMIT of the log, and the capsule that the NEED names for it. */
export async function commitQuestion(
  { threads }: NodeParts,
  thread: string,
  commit: string
): Promise<Question> {
  const subject = await threads.commitSubject(thread, commit)
  if (subject === undefined)
    throw new RequestRefusedError(`the log of the thread has no COMMIT ${commit} to judge`)
  return { capsule: subject.need.capsule.toString(), input: commitInput(subject) }
}

/** Asks the gates of an envelope again: the message gate, and for a PROPOSE or a COMMIT the gate that judges it too. */
export async function askAgain(
  parts: NodeParts,
  thread: string,
  id: string
): Promise<AskedPolicy[]> {
  const { envelope } = await envelopeOf(parts, thread, id)
  const message = { capsule: envelope.policyCapsule.toString(), input: messageInput(envelope) }
  const asked = [await ask(parts, message, envelope.policyEvalDigest)]
  if (envelope.verb === 'PROPOSE')
    asked.push(await ask(parts, await bidQuestion(parts, thread, id), null))
  if (envelope.verb === 'COMMIT')
    asked.push(await ask(parts, await commitQuestion(parts, thread, id), null))
  return asked
}

async function ask(
  { capsules, policy }: NodeParts,
  { capsule, input }: Question,
  signed: Uint8Array | null
): Promise<AskedPolicy> {
  const decision = await capsules.evaluate(capsule, input)
  const digest = evaluationDigest({ input, decision, capsule, engine: policy.engine })
  const matches = signed === null ? null : equals(signed, digest)
  return { gate: input.gate, capsule, input, decision, digest: toHex(digest), matches }
}
