// A thread that a group has decided, whose members and requester are asked single things: for tests of seals.
import { strict as assert } from 'node:assert'
import { CID } from '../../src/core/codec/index.ts'
import type { Draft, Fence, Payload } from '../../src/core/envelope/index.ts'
import type { Effect, PeerMessage } from '../../src/core/swarm/index.ts'
import { type Script, script } from './swarm-agents.ts'
import { stateNeed } from './swarm-attacks.ts'
import { type ClusterNode, OUTPUT, SwarmCluster, testDraft } from './swarm-cluster.ts'

export type SealedWorld = {
  readonly cluster: SwarmCluster
  readonly requester: ClusterNode
  readonly thread: string
  readonly members: readonly ClusterNode[]
}

type Watch = (node: ClusterNode, effects: readonly Effect[]) => void
/** Sees the effects of every step of the world at hand. */
let watch: Watch | null = null

export function watchSteps(watcher: Watch): void {
  watch = watcher
}

export function watched(nodes: number, seed: number): SwarmCluster {
  watch = null
  return new SwarmCluster({
    nodes,
    seed,
    witness: { stepped: (node, _, effects) => watch?.(node, effects) }
  })
}

/** A decided NEED whose worker does not claim, or one that nobody bids for; `members` are those of the group without the requester. */
export function decided(works: Script = { claims: () => false }): SealedWorld {
  const cluster = watched(7, 7)
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, {
      verifies: index >= 2,
      ...works,
      works: index === 1 && works.works !== false
    })
  const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 60_000 })
  const requester = cluster.nodes[0] as ClusterNode
  const isReady = ({ swarm }: ClusterNode): boolean =>
    works.works === false
      ? swarm.view(thread)?.group != null
      : swarm.view(thread)?.decide?.certified === true
  assert(cluster.runUntil(() => cluster.nodes.every(isReady), 20_000))
  const { roster = [] } = cluster.view(requester, thread).group ?? {}
  const members = cluster.nodes.filter(node => node !== requester && roster.includes(node.did))
  return { cluster, requester, thread, members }
}

/** What a node answers to one message. */
export function tell(
  cluster: SwarmCluster,
  node: ClusterNode,
  from: string,
  message: PeerMessage
): readonly Effect[] {
  const effects: Effect[] = []
  watch = (who, of) => {
    if (who === node) effects.push(...of)
  }
  cluster.input(node, { kind: 'message', nowMs: cluster.nowMs, from, message })
  watch = null
  return effects
}

export function answers(effects: readonly Effect[]): PeerMessage[] {
  return effects.flatMap(effect => (effect.kind === 'send' ? [effect.message] : []))
}

export function types(effects: readonly Effect[]): string[] {
  return answers(effects).map(({ type }) => type)
}

export function commitDraft(
  { cluster, requester, thread }: SealedWorld,
  fence: Fence
): Draft<'COMMIT'> & { readonly epoch: number } {
  const task = CID.parse(cluster.view(requester, thread).decide?.proposal ?? thread)
  const figures = { tokens: 0, cost: 1n, wallMs: 1, exitStatus: 0 }
  const telemetry = { ...figures, tool: 't', model: '', zone: '' }
  const payload: Payload<'COMMIT'> = { task, outputs: [OUTPUT], verifyBounty: 10n, telemetry }
  const draft = testDraft(cluster.nowMs, 'COMMIT', CID.parse(thread), payload)
  return { ...draft, epoch: 0, fence } as typeof draft & { epoch: number }
}

export const ask = (thread: string, epoch = 0): PeerMessage => ({ type: 'seal-ask', thread, epoch })
