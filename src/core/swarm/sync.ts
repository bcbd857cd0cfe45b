import type { LogEntry } from '../raft/index.ts'
import { groupIdOf } from '../roster/index.ts'
import type { Context } from './context.ts'
import type { Thread } from './thread.ts'
import type { PeerMessage, Pull } from './types.ts'
import { isVoid } from './void.ts'

/** Threads named in one hello: the newest ones, oldest first. */
export const HELLO_THREADS_MAX = 1_000
/** Ids named in one pull; the newest ones, since the oldest are found again by their absence. */
const PULL_IDS_MAX = 4_096
/** Bytes of envelopes or entries in one message; well below the limit of a direct message. */
const BATCH_BYTES_MAX = 256 * 1024

/** Longest time between two pulls of a thread that does not change, in units of `pullMs`: while its group is being formed, and after. */
const PULL_FORMING_WAITS_MAX = 4
const PULL_WAITS_MAX = 64

/** Bytes of envelopes, and again of entries, that answer one pull; who lacks more asks again. */
const ANSWER_BYTES_MAX: number = 2 * 1024 * 1024

/** Asks a peer for what this node lacks of a thread (R6). */
export function pull(
  context: Context,
  threadId: string,
  thread: Thread | undefined,
  from: string
): void {
  if (thread !== undefined) {
    thread.pulledAt = context.nowMs
    thread.pulledFrom = from
  }
  context.send(from, pullOf(threadId, thread))
}

function pullOf(threadId: string, thread: Thread | undefined): Pull {
  return {
    type: 'pull',
    thread: threadId,
    have: thread === undefined ? [] : [...thread.envelopes.keys()].slice(-PULL_IDS_MAX),
    group: thread?.group?.id ?? null,
    entries: thread?.group?.entries.length ?? 0
  }
}

/**
 * Asks who follows a group that is unknown here for what it has: its FORM may be a second one of an epoch, and then both nodes have to know (R8). Also of
 * a thread that is complete here. Whoever names groups that do not exist costs a pull now and then, and puts off none of the others.
 */
export function compareGroups(
  context: Context,
  thread: Thread,
  peer: string,
  group: string | null
): void {
  if (group === null || thread.group === null || thread.group.id === group) return
  if (context.nowMs - thread.comparedAt < context.settings.retryMs) return
  if (thread.previousForms().some(form => groupIdOf(form.bytes) === group)) return
  if (isVoid(context, thread)) return
  thread.comparedAt = context.nowMs
  context.send(peer, pullOf(thread.id, thread))
}

/**
 * When `pullIfDue` has something to do. The longer nothing has changed, the longer the wait. A member whose group sleeps holds what all
 * members hold, and asks nobody; what it may lack of strangers' envelopes is forwarded to the group by those who have them.
 */
export function pullDueAt(context: Context, thread: Thread): number {
  if (thread.isComplete() || (thread.abandoned !== null && thread.end === null))
    return Number.POSITIVE_INFINITY
  const { pullMs } = context.settings
  // The log leads to something whose certificate is missing: it exists, or will soon.
  if (isUncertified(thread)) return thread.pulledAt + pullMs
  if (thread.member?.isQuiet() === true) return Number.POSITIVE_INFINITY
  const most = pullMs * (thread.group === null ? PULL_FORMING_WAITS_MAX : PULL_WAITS_MAX)
  return thread.pulledAt + Math.min(Math.max(pullMs, thread.pulledAt - thread.changedAt), most)
}

function isUncertified(thread: Thread): boolean {
  const state = thread.group?.log.state
  if (state === undefined || thread.end !== null) return false
  return (state.decision !== null && thread.decide === null) || state.outcome !== null
}

/** Compares an open thread with some peer now and then; prefers members of its group. */
export function pullIfDue(context: Context, thread: Thread): void {
  if (context.nowMs < pullDueAt(context, thread)) return
  const peer = pickPeer(context, thread)
  thread.pulledAt = context.nowMs
  if (peer !== null) pull(context, thread.id, thread, peer)
}

/** A connected member of the thread's group, or any peer; not who was asked last, as long as there are others: what he had is here. */
export function pickPeer(context: Context, thread: Thread | null): string | null {
  const roster = thread?.group?.form.envelope.payload.roster ?? []
  const members = roster.filter(did => context.connected.has(did))
  const peers = members.length > 0 ? members : [...context.connected]
  const others = peers.filter(did => did !== thread?.pulledFrom)
  const choice = others.length > 0 ? others : peers
  return choice[context.random(Math.max(1, choice.length))] ?? null
}

/** Answers a pull: the missing envelopes in the order seen here, then the missing entries; as much as one answer may have. */
export function answerPull(
  context: Context,
  thread: Thread,
  from: string,
  message: Extract<PeerMessage, { type: 'pull' }>
): void {
  const have = new Set(message.have)
  if (!have.has(thread.id)) context.send(from, { type: 'envelopes', items: [thread.need.bytes] })
  // In the order of the epochs: each FORM is checked against those before it.
  const forms = thread.forms()
  for (const form of forms)
    if (!have.has(form.id)) context.send(from, { type: 'envelopes', items: [form.bytes] })
  const sent = new Set([thread.id, ...forms.map(({ id }) => id)])
  const missing: Uint8Array[] = []
  // The newest first: they are what a peer lacks that was away for a while.
  for (const [id, { admitted }] of [...thread.envelopes].reverse()) {
    if (!sent.has(id) && !have.has(id)) missing.push(admitted.bytes)
  }
  // A pull that names all it may does not say what else is there: what begins anywhere comes to everything in time.
  const begin = message.have.length < PULL_IDS_MAX ? 0 : context.random(Math.max(1, missing.length))
  const chosen = [...missing.slice(begin), ...missing.slice(0, begin)]
  for (const part of missingEnvelopes(chosen.reverse())) context.send(from, part)
  if (thread.group === null) return
  // How far another group's log goes says nothing about this one's.
  const known = message.group === thread.group.id ? message.entries : 0
  const about = { group: thread.group.id, thread: thread.id }
  for (const part of missingEntries(about, thread.group.entries.slice(known)))
    context.send(from, part)
}

/** Envelopes that a peer lacks, oldest first; the newest of them as far as one answer goes. */
export function missingEnvelopes(missing: readonly Uint8Array[]): PeerMessage[] {
  const sizeOf = (bytes: Uint8Array): number => bytes.length
  const items = within(ANSWER_BYTES_MAX, missing.toReversed(), sizeOf).reverse()
  return batches(items, sizeOf).map(batch => ({ type: 'envelopes', items: batch }))
}

/** Entries that a peer lacks, as far as one answer goes. */
export function missingEntries(
  about: { readonly group: string; readonly thread: string },
  entries: readonly LogEntry[]
): PeerMessage[] {
  const sizeOf = (entry: LogEntry): number => entry.data.length + 16
  return batches(within(ANSWER_BYTES_MAX, entries, sizeOf), sizeOf).map(batch => ({
    type: 'log',
    ...about,
    entries: batch
  }))
}

/** Sends committed entries to a node outside the roster. */
export function sendLog(
  context: Context,
  thread: Thread,
  to: string,
  entries: readonly LogEntry[]
): void {
  if (thread.group === null) return
  for (const batch of batches(entries, entry => entry.data.length + 16)) {
    context.send(to, { type: 'log', group: thread.group.id, thread: thread.id, entries: batch })
  }
}

/** Nodes outside the roster that take part in the thread, and so want each entry as it commits. */
export function participants(context: Context, thread: Thread): string[] {
  const roster = new Set(thread.group?.form.envelope.payload.roster ?? [])
  return [...thread.senders].filter(
    did => did !== context.did && !roster.has(did) && context.connected.has(did)
  )
}

/** The first items that fit into so many bytes together. */
function within<T>(bytesMax: number, items: readonly T[], sizeOf: (item: T) => number): T[] {
  let bytes = 0
  const end = items.findIndex(item => {
    bytes += sizeOf(item)
    return bytes > bytesMax
  })
  return end === -1 ? [...items] : items.slice(0, end)
}

/** Items in batches of at most BATCH_BYTES_MAX. */
export function batches<T>(items: readonly T[], sizeOf: (item: T) => number): T[][] {
  const out: T[][] = []
  let size = 0
  for (const item of items) {
    const last = out[out.length - 1]
    if (last === undefined || size + sizeOf(item) > BATCH_BYTES_MAX) {
      out.push([item])
      size = 0
    } else last.push(item)
    size += sizeOf(item)
  }
  return out
}
