import { unreachable } from '../base/index.ts'
import { isEnvelopeId } from '../codec/index.ts'
import { parseEnvelope } from '../envelope/index.ts'
import { onVote } from './finality.ts'
import { onLog } from './following.ts'
import { driveFormation, isOwnOpen, onFormationMessage } from './formation.ts'
import { onRefused } from './refusals.ts'
import { answerPull, compareGroups, HELLO_THREADS_MAX, pull } from './sync.ts'
import type { Thread } from './thread.ts'
import type { PeerMessage, Pull } from './types.ts'
import type { World } from './world.ts'

/** Ended threads named in a hello, the newest ones. */
const HELLO_ENDED_MAX = 64
/** Manifests sent to a new peer; it learns the others from others. */
const MANIFESTS_SENT_MAX = 64

/** A peer came or went: greet it with the threads and manifests known here. */
export function onPeer(world: World, did: string, connected: boolean): void {
  const { context } = world
  if (did === context.did) return
  if (!connected) {
    if (context.connected.delete(did)) context.noteLeft(did)
    touchOwn(world)
    return
  }
  context.connected.add(did)
  context.leftAt.delete(did)
  const manifests = [...context.manifests.values()].slice(-MANIFESTS_SENT_MAX)
  if (manifests.length > 0)
    context.send(did, { type: 'envelopes', items: manifests.map(manifest => manifest.bytes) })
  context.send(did, { type: 'hello', threads: threadsToName(world) })
  for (const thread of touchOwn(world)) driveFormation(context, thread)
}

/** Who is here decides when a group can be formed, and when a new epoch is wanted. */
function touchOwn(world: World): readonly Thread[] {
  const own = [...world.threads.values()].filter(thread => isOwnOpen(world.context, thread))
  for (const thread of own) world.schedule.touch(thread)
  return own
}

/** A direct message of an authenticated peer. */
export function onMessage(world: World, from: string, message: PeerMessage): void {
  const { context } = world
  // A copy of this home that runs elsewhere has this node's key, and nothing to say to it.
  if (from === context.did) return
  switch (message.type) {
    case 'hello':
      return onHello(world, from, message.threads)
    case 'pull':
      return onPull(world, from, message)
    case 'invite':
      return onInvite(world, from, message)
    case 'bind':
    case 'seal-ask':
      if (context.tombstones.has(message.thread))
        return declineEnded(world, from, message.thread, message.epoch)
      return world.withThread(message.thread, thread =>
        onFormationMessage(context, thread, from, message)
      )
    case 'available':
    case 'join':
    case 'decline':
    case 'lacking':
    case 'manifests':
    case 'sealed':
      return world.withThread(message.thread, thread =>
        onFormationMessage(context, thread, from, message)
      )
    case 'raft':
      return onRaft(world, from, message)
    case 'vote': {
      const thread = world.threadOf(message.group)
      if (thread === undefined) world.early.holdMessage(message.group, from, message)
      else onVote(context, thread, from, message)
      return
    }
    case 'refused':
      return onRefused(world, from, message)
    case 'log':
      return world.withThread(message.thread, thread => onLog(world, thread, from, message))
    case 'envelopes':
      // The shell sends each item through the door; they arrive here as inputs of their own.
      return
    default:
      unreachable(message)
  }
}

/** Threads here, and some that have ended lately: who was away may want to know how. */
function threadsToName({ context, threads }: World): string[] {
  const ended = context.tombstones.newest(HELLO_ENDED_MAX)
  return [...ended, ...[...threads.keys()].slice(ended.length - HELLO_THREADS_MAX)]
}

/** A thread that is not in memory any more is answered out of the archive. */
function onPull(world: World, from: string, message: Pull): void {
  const { context } = world
  const thread = world.thread(message.thread)
  if (thread !== undefined) {
    if (!thread.answers.allows(from, context.nowMs)) return
    answerPull(context, thread, from, message)
    compareGroups(context, thread, from, message.group)
  } else if (context.tombstones.has(message.thread) && world.mayRecall(from))
    context.recall(from, message)
}

/** A member of an earlier epoch that does not know that it is over is told of the later ones. */
function tellEpoch({ context }: World, thread: Thread, from: string): void {
  if (!thread.answers.allows(from, context.nowMs)) return
  context.send(from, { type: 'envelopes', items: thread.forms().map(form => form.bytes) })
}

/** Pulls what this node does not have complete. */
function onHello(world: World, from: string, threads: readonly string[]): void {
  if (!world.greetings.allows(from, world.context.nowMs)) return
  for (const id of new Set(threads.slice(0, HELLO_THREADS_MAX))) {
    const thread = world.thread(id)
    const isOver = thread?.isComplete() === true || world.context.tombstones.has(id)
    if (isEnvelopeId(id) && !isOver) pull(world.context, id, thread, from)
  }
}

function onInvite(
  world: World,
  from: string,
  message: Extract<PeerMessage, { type: 'invite' }>
): void {
  const parsed = parseEnvelope(message.need)
  if (!parsed.ok || parsed.value.envelope.verb !== 'NEED') return
  const thread = world.thread(parsed.value.id)
  if (thread !== undefined) return onFormationMessage(world.context, thread, from, message)
  if (world.context.tombstones.has(parsed.value.id))
    return declineEnded(world, from, parsed.value.id, message.epoch)
  world.early.holdMessage(parsed.value.id, from, message)
  world.context.admit(message.need, from, 'peer')
}

function declineEnded({ context }: World, to: string, thread: string, epoch: number): void {
  const reason = 'the thread has ended here'
  context.send(to, { type: 'decline', thread, epoch, reason })
}

/** A message for an unknown group never creates one (R8); it waits a moment, since FORM may be on its way. */
function onRaft(world: World, from: string, message: Extract<PeerMessage, { type: 'raft' }>): void {
  const thread = world.threadOf(message.group)
  if (thread === undefined) return world.early.holdMessage(message.group, from, message)
  if (thread.group?.id !== message.group) return tellEpoch(world, thread, from)
  const isMember = thread.group.form.envelope.payload.roster.includes(from)
  if (message.message.from !== from || !isMember) return
  if (thread.member !== null) return thread.member.receive(message.message)
  // A member that lags behind an ended group is told how it ended.
  if (thread.end !== null)
    world.context.send(from, { type: 'envelopes', items: [thread.end.admitted.bytes] })
}
