import { equals, toHex } from '../core/base/index.ts'
import type { Admitted, Verb } from '../core/envelope/index.ts'
import {
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

/** The commit gate's question about a COMMIT, and the capsule that the NEED names for it. */
export async function commitQuestion(
  parts: NodeParts,
  threadId: string,
  commitId: string
): Promise<Question> {
  const view = await parts.threads.view(threadId)
  const commit = await envelopeOf(parts, threadId, commitId, 'COMMIT')
  const need = await envelopeOf(parts, threadId, threadId, 'NEED')
  const proposal = await envelopeOf(parts, threadId, view.decide?.proposal ?? '', 'PROPOSE')
  const input = commitInput({
    thread: threadId,
    sender: commit.envelope.sender,
    epoch: commit.envelope.epoch,
    fence: commit.envelope.fence,
    need: need.envelope.payload,
    ballot: proposal.envelope.payload.ballot,
    commit: commit.envelope.payload
  })
  return { capsule: need.envelope.payload.capsule.toString(), input }
}

/** Asks the gates of an envelope again: the message gate, and for a COMMIT the commit gate too. */
export async function askAgain(
  parts: NodeParts,
  thread: string,
  id: string
): Promise<AskedPolicy[]> {
  const { envelope } = await envelopeOf(parts, thread, id)
  const message = { capsule: envelope.policyCapsule.toString(), input: messageInput(envelope) }
  const asked = [await ask(parts, message, envelope.policyEvalDigest)]
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
