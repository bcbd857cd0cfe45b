/** A node of all real parts in this process, without agents and RPC: what plan sync is tested and measured on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultConfig } from '../../src/config/sections.ts'
import { CID } from '../../src/core/codec/index.ts'
import {
  type Admitted,
  type Draft,
  type Fact,
  type Payload,
  sealEnvelope,
  signingBytes,
  unsignedEnvelope
} from '../../src/core/envelope/index.ts'
import { evaluationDigest, messageInput } from '../../src/core/policy/index.ts'
import { draftOf } from '../../src/node/drafts.ts'
import { needHandlers } from '../../src/node/handlers/need-handlers.ts'
import { planHandlers } from '../../src/node/handlers/plan-handlers.ts'
import { type NodeParts, openParts } from '../../src/node/node-parts.ts'
import { keepPlans, syncPlans } from '../../src/node/projections.ts'
import type { PolicyEngine, Signer } from '../../src/ports/index.ts'
import { type Handlers, localClient, type MethodResult } from '../../src/rpc/index.ts'
import { sampleCid } from './sample-drafts.ts'
import { SHORT_WINDOWS } from './testnet.ts'

export type PlanNode = NodeParts & {
  readonly address: string
  /** The heads of a thread's document, as one text. */
  heads(thread: string): Promise<string>
  stopAll(): Promise<void>
}

export type PlanNodeInit = {
  readonly networkName: string
  readonly join?: readonly string[]
  readonly unplug?: readonly string[]
}

export async function startPlanNode(init: PlanNodeInit): Promise<PlanNode> {
  const dir = mkdtempSync(join(tmpdir(), 'can-swarm-plan-'))
  const base = defaultConfig({})
  const config = {
    ...base,
    home: { ...base.home, dir },
    network: {
      ...base.network,
      name: init.networkName,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      join: init.join ?? [],
      mdns: false
    },
    log: { ...base.log, level: 'silent' as never },
    node: { unplug: init.unplug ?? [] }
  }
  const failed: Error[] = []
  const parts = await openParts(config, error => failed.push(error))
  await patiently(() => parts.policy.start())
  const stops = [keepPlans(parts)]
  await parts.driver.start()
  stops.push(syncPlans(parts))
  await parts.network.start()
  return {
    ...parts,
    address: parts.network.addresses()[0] as string,
    heads: async thread => (await parts.plan.view(thread)).heads.join(),
    stopAll: async () => {
      for (const stop of stops) stop()
      await parts.network.stop()
      await parts.driver.stop()
      await parts.plan.stop()
      await parts.policy.stop()
      await parts.close()
      rmSync(dir, { recursive: true, force: true })
      if (failed[0] !== undefined) throw failed[0]
    }
  }
}

/** Says something as somebody, under the base policy, as a node of theirs would. */
export async function speak<V extends 'NEED' | 'UPDATE_PLAN'>(
  policy: PolicyEngine,
  signer: Signer,
  {
    verb,
    thread,
    payload,
    lamport,
    notAfter
  }: {
    readonly verb: V
    readonly thread: CID | null
    readonly payload: Payload<V>
    readonly lamport: number
    /** Ms since 1970; a day from now unless given. */
    readonly notAfter?: number | undefined
  }
): Promise<Admitted<V>> {
  const drafted = draftOf(verb, thread, payload) as Draft
  const draft = { ...drafted, notAfter: notAfter ?? drafted.notAfter } as Draft
  const input = messageInput({ ...draft, sender: signer.did, lamport } as never)
  const capsule = policy.baseCapsule
  const decision = await patiently(() => policy.evaluate(capsule, input))
  if (!decision.allow) throw new Error(`the policy denies: ${decision.reasons.join('; ')}`)
  const nonce = new Uint8Array(16)
  new DataView(nonce.buffer).setUint32(0, lamport)
  const unsigned = unsignedEnvelope(draft, {
    sender: signer.did,
    lamport,
    nonce,
    policyCapsule: CID.parse(capsule),
    policyEngine: policy.engine,
    policyEvalDigest: evaluationDigest({ input, decision, capsule, engine: policy.engine })
  })
  return sealEnvelope(unsigned, signer.sign(signingBytes(unsigned))) as unknown as Admitted<V>
}

/** On a crowded machine the evaluator may take too long at first, and is restarted. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error
    }
  }
}

const ATTEMPTS_MAX = 8

/** A sender's updates that follow each other, under the base policy. */
export async function speakChain(
  policy: PolicyEngine,
  signer: Signer,
  init: {
    readonly thread: CID
    readonly count: number
    readonly facts: (seq: number) => Fact[]
    readonly session?: number
    readonly notAfter?: number
    readonly after?: Admitted<'UPDATE_PLAN'>
  }
): Promise<Admitted<'UPDATE_PLAN'>[]> {
  const updates: Admitted<'UPDATE_PLAN'>[] = []
  let last = init.after
  for (let at = 0; at < init.count; at++) {
    const seq = (last?.envelope.payload.seq ?? 0) + 1
    const { session = 0, thread, notAfter } = init
    const lamport = 10 + seq
    const previous = last?.cid ?? null
    const payload = { session, seq, previous, facts: init.facts(seq) }
    const said = { verb: 'UPDATE_PLAN' as const, thread, payload, lamport, notAfter }
    last = await speak(policy, signer, said)
    updates.push(last)
  }
  return updates
}

/** For each place of a chain another update of the same signer there, those of the last places first. */
export async function speakRivals(
  policy: PolicyEngine,
  signer: Signer,
  chain: readonly Admitted<'UPDATE_PLAN'>[]
): Promise<Admitted<'UPDATE_PLAN'>[]> {
  const rivals: Admitted<'UPDATE_PLAN'>[] = []
  for (let at = chain.length - 1; at >= 0; at--) {
    const after = chain[at - 1]
    const thread = chain[at]?.envelope.thread as CID
    const facts = (): Fact[] => notes(`rival-${at}`, 1)
    rivals.push(
      ...(await speakChain(policy, signer, { thread, count: 1, facts, ...(after && { after }) }))
    )
  }
  return rivals
}

/**
 * Has strangers fill a plan: each of so many writers says so many updates of 128 facts about tasks of its own. Resolves to the ids of the
 * updates.
 */
export async function fillPlan(
  node: PlanNode,
  thread: string,
  { writers, updates }: { readonly writers: readonly Signer[]; readonly updates: number }
): Promise<string[]> {
  const ids: string[] = []
  for (const [index, writer] of writers.entries()) {
    const facts = (seq: number): Fact[] =>
      Array.from({ length: 128 }, (_, at) => ({
        kind: 'ANNOTATE' as const,
        task: `fill-${index}-${seq}-${at}`,
        key: 'k',
        value: 'v'
      }))
    const init = { thread: CID.parse(thread), count: updates, facts }
    for (const { bytes, id } of await speakChain(node.policy, writer, init)) {
      ids.push(id)
      await node.driver.door.admit(bytes, 'x', 'plan')
    }
  }
  await node.driver.settled()
  return ids
}

/** Reads a plan as the CLI does, through the checks and the JSON of a client: what there is at a glance, and then a change of it. */
export async function readPlan(
  node: PlanNode,
  thread: string,
  envelope: string
): Promise<MethodResult<'plan.get'>> {
  const client = localClient(planHandlers(node) as Handlers)
  const plan = await client.call('plan.get', { thread })
  const { changes } = await client.call('plan.changes', { thread, envelope })
  if (changes[0]?.envelope !== envelope) throw new Error('the change is not in the plan')
  return plan
}

/** Notes about a task. */
export function notes(task: string, count: number): Fact[] {
  return Array.from({ length: count }, (_, at) => ({
    kind: 'ANNOTATE' as const,
    task,
    key: `key-${at}`,
    value: `note ${at} on ${task}`
  }))
}

/** States a NEED that nobody will bid for; its thread stays open for minutes. */
export async function openNeed(node: NodeParts): Promise<string> {
  const request = {
    capability: 'text/nobody',
    inputCid: sampleCid('input', 0x55).toString(),
    ttlMs: 600_000,
    windows: { ...SHORT_WINDOWS, bidMs: 300_000 }
  }
  const signal = AbortSignal.timeout(10_000)
  const stated = await needHandlers(node)['need.state'](request, { signal } as never)
  return stated.thread
}
