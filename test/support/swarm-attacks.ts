import { strict as assert } from 'node:assert'
import { CID } from '../../src/core/codec/index.ts'
import type {
  Admitted,
  Certificate,
  Decision,
  Draft,
  Payload
} from '../../src/core/envelope/index.ts'
import {
  decisionDigest,
  drawOrder,
  groupIdOf,
  joinBytes,
  rosterHash,
  voteBytes
} from '../../src/core/roster/index.ts'
import { type ClusterNode, type SwarmCluster, testDraft, testKeys } from './swarm-cluster.ts'

/** A NEED stated by node 0; its thread id. */
export function stateNeed(cluster: SwarmCluster, overrides: Partial<Payload<'NEED'>> = {}): string {
  const requester = cluster.nodes[0] as ClusterNode
  const id = cluster.command(requester, { type: 'state-need', draft: cluster.need(overrides) })
  cluster.run(1)
  return (requester.replies.get(id) as { value: { envelope: string } }).value.envelope
}

/** Gives an envelope to nodes as their door would. */
export function give(
  cluster: SwarmCluster,
  nodes: readonly ClusterNode[],
  admitted: Admitted
): void {
  for (const node of nodes)
    cluster.input(node, { kind: 'envelope', nowMs: cluster.nowMs, admitted, local: false })
}

const SYBILS = [100, 101, 102, 103].map(testKeys)
const ATTACK_LAMPORT = 5_000

/** What an equivocating requester (node 0) can make with four identities of its own: a second FORM and a certified DECIDE under it. */
export function secondGroup(
  cluster: SwarmCluster,
  thread: string
): { form: Admitted<'FORM'>; decide: Admitted<'DECIDE'> } {
  const requester = cluster.nodes[0] as ClusterNode
  const need = CID.parse(thread)
  const key = { thread, slot: 'slot-1', epoch: 0 }
  const roster = drawOrder(
    thread,
    0,
    SYBILS.map(({ did }) => did)
  )
  const sign = (did: string, bytes: Uint8Array): Uint8Array =>
    (SYBILS.find(sybil => sybil.did === did) ?? requester.keys).sign(bytes)
  const hash = rosterHash(key, roster)
  const form = cluster.seal(
    requester.keys,
    act(cluster, 'FORM', need, {
      need,
      slot: 'slot-1',
      epoch: 0,
      seal: null,
      earlierSeals: [],
      checkpoint: null,
      tier: 'discovery',
      candidates: roster.map(did => ({ did, manifest: need })),
      roster,
      joins: roster.map(member => ({ member, sig: sign(member, joinBytes(key, hash)) })),
      kPlan: 1,
      kResult: 1,
      quorum: 'more-than-two-thirds',
      precisionMs: 2_000
    }),
    ATTACK_LAMPORT
  )
  const decision: Decision = {
    need,
    slot: 'slot-1',
    epoch: 0,
    proposal: need,
    worker: SYBILS[0]?.did ?? '',
    term: 1,
    index: 1,
    attestations: [],
    logHash: new Uint8Array(32),
    planHeads: { listed: [], digest: new Uint8Array(32) },
    planDigest: new Uint8Array(32)
  }
  const digest = decisionDigest(decision)
  const subject = { group: groupIdOf(form.bytes), slot: 'slot-1', epoch: 0, digest }
  const bytes = voteBytes({ ...subject, stage: 'decide' })
  const certificate: Certificate = {
    form: form.bytes,
    previous: [],
    stage: 'decide',
    digest,
    votes: roster.map(member => ({ member, sig: sign(member, bytes) }))
  }
  const decide = cluster.seal(
    SYBILS[0] as (typeof SYBILS)[0],
    act(cluster, 'DECIDE', need, { decision, certificate }),
    1
  )
  return { form, decide }
}

function act<V extends 'FORM' | 'DECIDE'>(
  cluster: SwarmCluster,
  verb: V,
  thread: CID,
  payload: Payload<V>
): Draft<V> {
  return { ...testDraft(cluster.nowMs, verb, thread, payload), epoch: 0 } as Draft as Draft<V>
}

/** Runs a world until a thread is in a phase at every node. */
export function until(cluster: SwarmCluster, thread: string, phase: string, msMax = 15_000): void {
  const seen = (): readonly (string | undefined)[] =>
    cluster.nodes.map(node => node.swarm.view(thread)?.phase)
  assert(
    cluster.runUntil(() => seen().every(one => one === phase), msMax),
    `${phase}: ${seen()}`
  )
}
