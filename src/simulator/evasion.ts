import type { Admitted, Verb } from '../core/envelope/index.ts'
import { drawOrder } from '../core/roster/index.ts'
import type { PeerMessage, ThreadView } from '../core/swarm/index.ts'
import { draftOf } from './drafts.ts'
import type { Malice, VirtualNode } from './virtual-node.ts'
import type { VirtualWorld } from './world.ts'

/** How often a liar looks at its threads, in ms. */
const LOOK_MS = 150

/** A member that is there, and joins nothing: its requester loses an epoch over it. */
export function absentee(): Malice {
  return { send: (_, message) => (message.type === 'join' ? [] : [message]) }
}

/** When members are asked again, in ms after there was a COMMIT. */
const HURRY_MS: readonly number[] = [1, 300, 1_500, 6_000, 13_000]

/** A requester that has what it wanted: it asks for another group as soon as there is a COMMIT, so that nobody judges it. */
export function hasty(world: VirtualWorld, node: VirtualNode): Malice {
  const hurried = new Set<string>()
  watchThreads(world, node, (thread, view) => {
    if (view.requester !== node.did || view.commit === null || hurried.has(thread)) return
    hurried.add(thread)
    for (const delayMs of HURRY_MS) world.after(delayMs, () => hurry(world, node, thread))
  })
  return {}
}

/** Asks the members to join the next epoch, and to leave that and this one. */
function hurry(world: VirtualWorld, node: VirtualNode, thread: string): void {
  const form = envelopeOf(node, thread, 'FORM') as Admitted<'FORM'> | undefined
  if (form === undefined || !node.alive) return
  const { epoch, roster, candidates } = form.envelope.payload
  const next = epoch + 1
  const order = drawOrder(
    thread,
    next,
    candidates.map(({ did }) => did)
  )
  const bind: PeerMessage = {
    type: 'bind',
    thread,
    epoch: next,
    candidates: candidates.map(({ did, manifest }) => ({ did, manifest: String(manifest) })),
    roster: order.slice(0, roster.length)
  }
  for (const to of world.nodes) {
    if (to === node || !roster.includes(to.did)) continue
    world.transmit(node, to, bind)
    for (const sealed of [next, epoch])
      world.transmit(node, to, { type: 'seal-ask', thread, epoch: sealed })
  }
}

/** Copies of one certificate, each in an envelope by a key of its own, and how many nodes are handed them. */
const COPIES = 62
const VICTIMS = 2
/** Index of the first of these keys: nobody's. */
const THROWAWAY_KEY = 100

/** Says a DECIDE over and over, in the names of nobody: it holds each time, and costs its reader memory and disk. */
export function copier(world: VirtualWorld, node: VirtualNode): Malice {
  const copied = new Set<string>()
  watchThreads(world, node, thread => {
    const decide = envelopeOf(node, thread, 'DECIDE') as Admitted<'DECIDE'> | undefined
    if (decide === undefined || copied.has(thread)) return
    copied.add(thread)
    const { payload, epoch, thread: need } = decide.envelope
    const draft = { ...draftOf(world.nowMs, 'DECIDE', need, payload), epoch }
    const victims = Array.from({ length: VICTIMS }, () => world.random.pick(world.nodes))
    for (let copy = 0; copy < COPIES; copy++) {
      const keys = world.signatures.keys(THROWAWAY_KEY + copy)
      const { bytes } = world.seal(keys, draft, copied.size)
      for (const victim of victims) world.admit(victim, bytes, false)
    }
  })
  return {}
}

/** What a leader would rather not have in its log. */
const OMITTED: readonly (readonly Verb[])[] = [
  ['CHALLENGE'],
  ['CHALLENGE', 'REJECT'],
  ['COMMIT'],
  ['CLAIM'],
  ['ATTEST', 'REJECT'],
  ['PROPOSE', 'ATTEST_PLAN']
]

/** A member that never hears what has one of these verbs, unless it says so itself or another leader has logged it. */
export function omitter(world: VirtualWorld): Malice {
  const verbs = world.random.pick(OMITTED)
  return { ignores: ({ envelope }) => verbs.includes(envelope.verb) }
}

function watchThreads(
  world: VirtualWorld,
  node: VirtualNode,
  look: (thread: string, view: ThreadView) => void
): void {
  world.after(LOOK_MS, () => {
    for (const thread of node.alive ? node.swarm.threadIds() : []) {
      const view = node.swarm.view(thread)
      if (view !== undefined) look(thread, view)
    }
    watchThreads(world, node, look)
  })
}

/** The newest of this verb that the node has. */
function envelopeOf(node: VirtualNode, thread: string, verb: string): Admitted | undefined {
  const known = node.swarm.view(thread)?.envelopes.findLast(envelope => envelope.verb === verb)
  return known === undefined ? undefined : node.swarm.envelope(thread, known.id)
}
