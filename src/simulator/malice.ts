import { hash } from '../core/codec/index.ts'
import type { Draft, Fact } from '../core/envelope/index.ts'
import { decodeEntry, encodeEntry } from '../core/need/index.ts'
import type { LogEntry } from '../core/raft/index.ts'
import { drawOrder, sealBytes } from '../core/roster/index.ts'
import type { PeerMessage } from '../core/swarm/index.ts'
import { absentee, copier, hasty, omitter } from './evasion.ts'
import type { FaultName } from './faults.ts'
import { Forger } from './forger.ts'
import type { Plan } from './plan.ts'
import { hasFresh } from './tried.ts'
import type { Malice, VirtualNode } from './virtual-node.ts'
import type { VirtualWorld } from './world.ts'

/** Makes one node of a world lie, in one of the ways of `BYZANTINE`. Its keys are its own: it cannot sign for others. */
export function beginLies(world: VirtualWorld, node: VirtualNode, fault: FaultName): void {
  node.malice = maliceOf(world, node, fault)
}

/**
 * Those stop whose lies may keep any NEED from its result, so that one that is stated then has to come to it: who leads a group by other logs than it has; who as
 * the one verifier that is asked for seals one verdict and shows another; and who joins nothing, where a group needs everybody or gets two such members. They stay liars to the checkers.
 */
export function silence(world: VirtualWorld, plan: Plan): void {
  const { liars, nodes, settings } = plan
  const needsAll = nodes - liars.length < settings.groupSize
  for (const [index, { node, fault }] of liars.entries()) {
    const isVerifier = VERIFIERS.has(fault) && hasFresh(plan)
    const isMissing = fault === 'absentee' && (needsAll || index > 0)
    if (fault === 'leader' || isVerifier || isMissing)
      (world.nodes[node] as VirtualNode).malice = {}
  }
}

/** Those that seal verdicts which they never show. */
const VERIFIERS: ReadonlySet<FaultName> = new Set(['actor', 'forge'])

function maliceOf(world: VirtualWorld, node: VirtualNode, fault: FaultName): Malice {
  switch (fault) {
    case 'forge':
      return new Forger(world, node).malice()
    case 'fork':
      return { publish: otherUpdate }
    case 'leader':
      return unfaithfulMember(world, node)
    case 'requester':
      return {
        publish: draft => (draft.verb === 'FORM' ? otherForm(world, draft) : undefined),
        send: (to, message) => {
          if (message.type === 'bind') bindAgain(world, node, to, message)
          return [message]
        }
      }
    case 'sealer':
      return { send: (to, message) => otherSeals(world, node, to, message) }
    case 'absentee':
      return absentee()
    case 'hasty':
      return hasty(world, node)
    case 'copier':
      return copier(world, node)
    case 'omitter':
      return omitter(world)
    default:
      return { publish: otherStatement }
  }
}

/**
 * The same roster and joins under another precision: another group, as well signed as the first. Or one in which a member never
 * joined, or that nobody drew.
 */
function otherForm(world: VirtualWorld, draft: Draft<'FORM'>): Draft<'FORM'> {
  const { roster, joins } = draft.payload
  const kind = world.random.below(4)
  if (kind === 0) return { ...draft, payload: { ...draft.payload, joins: joins.slice(1) } }
  if (kind === 1) return { ...draft, payload: { ...draft.payload, roster: roster.toReversed() } }
  return { ...draft, payload: { ...draft.payload, precisionMs: draft.payload.precisionMs - 1 } }
}

/** When a member is asked to join another roster as well, in ms after the first question: before and after a crash, maybe. */
const BIND_AGAIN_MS: readonly number[] = [1, 2_000, 6_000]

/** When the question that was answered is asked again, in ms. */
const BIND_LATE_MS = 9_000

/** Asks for a JOIN of another roster that follows the draw just as well, over candidates without one of the members. */
function bindAgain(
  world: VirtualWorld,
  node: VirtualNode,
  to: VirtualNode,
  message: Extract<PeerMessage, { type: 'bind' }>
): void {
  // The same question again, when the epoch may have been sealed, gets no second answer.
  world.after(BIND_LATE_MS, () => world.transmit(node, to, message))
  const left = message.roster.find(did => did !== to.did && did !== node.did)
  const candidates = message.candidates.filter(({ did }) => did !== left)
  const order = drawOrder(
    message.thread,
    message.epoch,
    candidates.map(({ did }) => did)
  )
  const roster = order.slice(0, message.roster.length)
  if (!roster.includes(to.did)) return
  for (const delayMs of BIND_AGAIN_MS)
    world.after(delayMs, () => world.transmit(node, to, { ...message, candidates, roster }))
}

/** When a sealer says another thing about the same epoch, in ms. */
const SEAL_AGAIN_MS = 700

/** Instead of a SEAL, one that shows a bid that it likes, something made up, or nothing; and another one later. */
function otherSeals(
  world: VirtualWorld,
  node: VirtualNode,
  to: VirtualNode,
  message: PeerMessage
): readonly PeerMessage[] {
  if (message.type !== 'sealed') return [message]
  const view = node.swarm.view(message.thread)
  const bids = view?.proposals.map(({ id }) => id) ?? []
  const lie = (proposal: string | null): PeerMessage => {
    const digest = proposal === null ? null : hash(new TextEncoder().encode(proposal))
    const { thread, epoch, roster } = message
    const subject = { thread, slot: view?.slot ?? '', epoch, roster, digest, proposal }
    return { ...message, digest, proposal, sig: node.keys.sign(sealBytes(subject)) }
  }
  const shown = [null, message.thread, ...bids]
  world.after(SEAL_AGAIN_MS, () => world.transmit(node, to, lie(world.random.pick(shown))))
  return [lie(world.random.pick(bids.length > 0 ? [...bids, ...bids, null] : shown))]
}

/** Other facts at the same place of the chain. */
function otherUpdate(draft: Draft): Draft | undefined {
  if (draft.verb !== 'UPDATE_PLAN') return undefined
  const fact: Fact = { kind: 'ANNOTATE', task: 'text/upper', key: 'other', value: 'said to half' }
  return { ...draft, payload: { ...draft.payload, facts: [fact] } }
}

/** Another statement with the same clock value: half of the world hears this one. */
function otherStatement(draft: Draft): Draft | undefined {
  if (draft.verb === 'PROPOSE') {
    const { ballot } = draft.payload
    return {
      ...draft,
      payload: { ...draft.payload, ballot: { ...ballot, cost: ballot.cost + 1n } }
    }
  }
  if (draft.verb === 'COMMIT') {
    const telemetry = { ...draft.payload.telemetry, wallMs: draft.payload.telemetry.wallMs + 1 }
    return { ...draft, payload: { ...draft.payload, telemetry } }
  }
  if (draft.verb !== 'ATTEST' || draft.payload.seal === null) return undefined
  return { ...draft, payload: { ...draft.payload, seal: draft.payload.seal.map(byte => byte ^ 1) } }
}

/** Messages that such a member answers besides what its node does. */
const ANSWERS_MAX = 2_000

/**
 * A member that keeps no promise: it votes for every candidate, votes for two decisions, acknowledges what it does not hold, and as a
 * leader gives every other member another log.
 */
function unfaithfulMember(world: VirtualWorld, node: VirtualNode): Malice {
  let answers = 0
  return {
    send: (to, message) => {
      if (message.type === 'vote' && to.index % 2 === 0)
        return [{ ...message, digest: message.digest.map(byte => byte ^ 0xff) }, message]
      if (message.type !== 'raft' || message.message.type !== 'append') return [message]
      if (to.index % 2 === 0) return [message]
      const entries = message.message.entries.map(otherEntry)
      return [{ ...message, message: { ...message.message, entries } }]
    },
    receive: (from, message) => {
      // Its node answers too, and a leader answers each of both: without an end, twice as many messages after each round.
      if (message.type !== 'raft' || answers > ANSWERS_MAX) return
      answers += 1
      const { message: asked, group } = message
      const reply = { from: node.did, to: from.did, term: asked.term }
      const answer = (lie: Extract<PeerMessage, { type: 'raft' }>['message']): void =>
        world.transmit(node, from, { type: 'raft', group, message: lie })
      if (asked.type === 'vote') answer({ ...reply, type: 'vote-reply', granted: true })
      if (asked.type === 'pre-vote') answer({ ...reply, type: 'pre-vote-reply', granted: true })
      if (asked.type !== 'append') return
      const matchIndex = asked.previousIndex + asked.entries.length
      answer({ ...reply, type: 'append-reply', success: true, matchIndex, conflictTerm: 0 })
    }
  }
}

/** The same entry a moment later, and without its envelope now and then. */
function otherEntry(entry: LogEntry): LogEntry {
  const body = decodeEntry(entry.data)
  if (body === null) return entry
  const envelope = entry.index % 3 === 0 ? null : body.envelope
  return { ...entry, data: encodeEntry({ stamp: body.stamp + 1, envelope }) }
}
