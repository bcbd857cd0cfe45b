import { CID } from '../../core/codec/index.ts'
import type { Draft, Payload } from '../../core/envelope/index.ts'
import { evaluationDigest } from '../../core/policy/index.ts'
import type { ThreadView } from '../../core/swarm/index.ts'
import { factOf, type Handlers, type Params, RefusedError } from '../../rpc/index.ts'
import { warnOfCapsule } from '../capsule-warning.ts'
import { draftOf } from '../drafts.ts'
import { RequestRefusedError } from '../errors.ts'
import type { ManifestKeeper } from '../manifest.ts'
import type { NodeParts } from '../node-parts.ts'
import { bidQuestion, commitQuestion, envelopeOf, type Question } from '../questions.ts'
import { parseCid } from './need-handlers.ts'

type AgentHandlers = Pick<
  Handlers,
  | 'agent.announce'
  | 'agent.propose'
  | 'agent.attestPlan'
  | 'agent.claim'
  | 'agent.heartbeat'
  | 'agent.yield'
  | 'agent.commit'
  | 'agent.verdict'
  | 'agent.challenge'
>

export function agentHandlers(parts: NodeParts, manifest: ManifestKeeper): AgentHandlers {
  const acts = new AgentActs(parts)
  return {
    'agent.announce': async ({ capabilities, roles }) => ({
      manifest: await manifest.announce(capabilities, roles)
    }),
    'agent.propose': bid => acts.propose(bid),
    'agent.attestPlan': ({ thread, proposal }) => acts.attestPlan(thread, proposal),
    'agent.claim': ({ thread }) => acts.claim(thread),
    'agent.heartbeat': ({ thread, progress }) =>
      acts.onTask('HEARTBEAT', thread, task => ({ task, progress })),
    'agent.yield': ({ thread, reason }) =>
      acts.onTask('YIELD', thread, task => ({
        task,
        reason: reason.slice(0, 1_000).toWellFormed()
      })),
    'agent.commit': ({ thread, outputs, telemetry }) =>
      acts.onTask('COMMIT', thread, (task, view) => ({
        task,
        outputs: outputs.map(parseCid),
        verifyBounty: BigInt(view.verifyBounty),
        telemetry: {
          ...telemetry,
          cost: BigInt(telemetry.cost),
          // An agent that does not say where it ran has run where its node is.
          zone: telemetry.zone === '' ? parts.config.agents.zone : telemetry.zone
        }
      })),
    'agent.verdict': ({ thread, commit, pass, reasons }) =>
      acts.verdict(thread, { commit, pass, reasons }),
    'agent.challenge': ({ thread, type, evidence, note }) =>
      acts.onTask('CHALLENGE', thread, (task, view) => ({
        task,
        commit: parseCid(view.commit?.id ?? ''),
        bond: 0n,
        proof: { type, evidence: evidence.map(parseCid), note }
      }))
  }
}

/** What agents do, in terms of the thread as this node sees it. */
class AgentActs {
  readonly #parts: NodeParts

  constructor(parts: NodeParts) {
    this.#parts = parts
  }

  async propose(bid: Params<'agent.propose'>): Promise<{ envelope: string }> {
    const view = await this.#view(bid.thread)
    const thread = CID.parse(bid.thread)
    const { did } = this.#parts.signer
    const shards = (bid.shardDependencies ?? []).map(parseCid)
    const payload: Payload<'PROPOSE'> = {
      need: thread,
      patch: bid.patch?.map(factOf) ?? [
        { kind: 'ANNOTATE', task: view.task, key: 'bidder', value: did }
      ],
      ballot: { cost: BigInt(bid.cost), etaMs: bid.etaMs, bond: 0n },
      shardDependencies: shards,
      // The core says it: what this node's own manifest says.
      standing: null
    }
    return this.#publish(draftOf('PROPOSE', thread, payload, [thread, ...shards]))
  }

  /** The bid gate: the NEED's capsule judges the proposal; a deny is no attestation. */
  async attestPlan(threadId: string, proposalId: string): Promise<{ envelope: string }> {
    const thread = CID.parse(threadId)
    const proposal = await envelopeOf(this.#parts, threadId, proposalId, 'PROPOSE')
    const question = await bidQuestion(this.#parts, threadId, proposalId)
    const { digest, denied } = await this.#evaluate(threadId, question)
    if (denied !== null) throw new RequestRefusedError(`the proposal is not sound: ${denied}`)
    return this.#publish(
      draftOf(
        'ATTEST_PLAN',
        thread,
        { need: thread, proposal: proposal.cid, evaluation: digest, standing: null },
        [proposal.cid]
      )
    )
  }

  claim(threadId: string): Promise<{ envelope: string }> {
    return this.onTask('CLAIM', threadId, async (task, view) => {
      const { ballot } = (await envelopeOf(this.#parts, threadId, task.toString(), 'PROPOSE'))
        .envelope.payload
      return { task, leaseTtlMs: view.windows.leaseTtlMs, cost: ballot.cost, etaMs: ballot.etaMs }
    })
  }

  /** Publishes an envelope about the decided task. */
  async onTask<V extends 'CLAIM' | 'HEARTBEAT' | 'YIELD' | 'COMMIT' | 'CHALLENGE'>(
    verb: V,
    threadId: string,
    payload: (task: CID, view: ThreadView) => Payload<V> | Promise<Payload<V>>
  ): Promise<{ envelope: string }> {
    const view = await this.#view(threadId)
    if (view.decide === null) throw new RequestRefusedError('nothing is decided in this thread yet')
    const task = CID.parse(view.decide.proposal)
    return this.#publish(
      draftOf(verb, CID.parse(threadId), await payload(task, view), [task]) as Draft
    )
  }

  /** The commit gate: the capsule judges the telemetry; its deny outweighs the verifier's own finding. */
  async verdict(
    threadId: string,
    finding: { commit: string; pass: boolean; reasons: readonly string[] }
  ): Promise<{ sealed: true }> {
    const question = await commitQuestion(this.#parts, threadId, finding.commit)
    const { digest, denied } = await this.#evaluate(threadId, question)
    const result = await this.#parts.driver.command({
      type: 'verdict',
      thread: threadId,
      commit: finding.commit,
      pass: finding.pass && denied === null,
      evaluation: digest,
      reasons:
        denied === null
          ? finding.reasons
          : [`commit gate: ${denied}`, ...finding.reasons].slice(0, 8)
    })
    if (!result.ok) throw new RefusedError(result.refusal)
    return { sealed: true }
  }

  /** What this node cannot say, and why, is shown in the thread. */
  async #evaluate(
    threadId: string,
    { capsule, input }: Question
  ): Promise<{ digest: Uint8Array; denied: string | null }> {
    const { policy, capsules } = this.#parts
    const decision = await capsules.evaluate(capsule, input).catch((error: unknown) => {
      warnOfCapsule(this.#parts, threadId, error)
      throw error
    })
    const digest = evaluationDigest({ input, decision, capsule, engine: policy.engine })
    return { digest, denied: decision.allow ? null : denialOf(decision.reasons) }
  }

  async #publish(draft: Draft): Promise<{ envelope: string }> {
    const result = await this.#parts.driver.command({ type: 'publish', draft })
    if (!result.ok) throw new RefusedError(result.refusal)
    return result.value as { envelope: string }
  }

  #view(thread: string): Promise<ThreadView> {
    return this.#parts.threads.view(thread)
  }
}

/** Characters of a capsule's reasons that go into a verdict: what an envelope takes is more, what a person reads is less. */
const DENIAL_LENGTH_MAX = 1_000

function denialOf(reasons: readonly string[]): string {
  return reasons.join('; ').slice(0, DENIAL_LENGTH_MAX).toWellFormed()
}
