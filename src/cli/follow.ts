import type { Phase, SwarmEvent } from '../core/swarm/index.ts'
import { formatTime } from './duration.ts'
import { type Output, type Style, shortId } from './output.ts'
import type { Session } from './session.ts'

/** One verb as it was seen. */
export type VerbSeen = {
  readonly id: string
  readonly verb: string
  readonly sender: string
  readonly atMs: number
  /** Of a YIELD: where the thread stands since, with the worker's reason. */
  readonly reason?: string
}

/** Phases in which a thread no longer moves. */
export const ENDED: ReadonlySet<Phase> = new Set<Phase>(['FINAL', 'INVALID', 'EXPIRED'])

export type RefusedEvent = Extract<SwarmEvent, { readonly type: 'refused' }>

export type FollowInit = {
  readonly thread: string
  readonly events: AsyncIterable<SwarmEvent>
  /** A peer refused an envelope of this node in the thread. */
  readonly onRefused?: (event: RefusedEvent) => Promise<void>
}

/** The verbs of a thread, each once: those that the node knows, then new ones until the thread has ended. */
export async function* follow(session: Session, init: FollowInit): AsyncGenerator<VerbSeen> {
  const seen = new Set<string>()
  const view = await session.call('thread.get', { thread: init.thread }, { long: true })
  for (const envelope of view.envelopes) {
    seen.add(envelope.id)
    yield { id: envelope.id, verb: envelope.verb, sender: envelope.sender, atMs: envelope.seenAt }
  }
  if (ENDED.has(view.phase)) return
  let isReasonDue = false
  for await (const event of init.events) {
    if (event.type === 'warning' && event.thread === init.thread)
      session.out.note(`warning: ${event.message}`)
    if (!('thread' in event) || event.thread !== init.thread) continue
    if (event.type === 'refused') await init.onRefused?.(event)
    if (event.type === 'envelope' && !seen.has(event.id)) {
      seen.add(event.id)
      const { id, verb, sender, atMs } = event
      const reason = verb === 'YIELD' ? await yieldReason(session, init.thread) : undefined
      isReasonDue = verb === 'YIELD' && reason === undefined
      yield { id, verb, sender, atMs, ...(reason === undefined ? {} : { reason }) }
    }
    if (event.type === 'thread' && isReasonDue) {
      const reason = await yieldReason(session, init.thread)
      if (reason !== undefined) session.out.note(reason)
      isReasonDue = reason === undefined
    }
    if (event.type === 'ended') return
  }
  // The events end by themselves only when the signal aborts.
  session.signal.throwIfAborted()
}

/** Why the worker gave the task back: the event does not say, the state of the thread does once its log has the YIELD. */
async function yieldReason(session: Session, thread: string): Promise<string | undefined> {
  const { reason } = await session.call('thread.get', { thread }, { long: true })
  return reason.startsWith('the worker gave the task back') ? reason : undefined
}

/** Who said what, when. */
export function verbLine(out: Output, seen: VerbSeen): string {
  return `${out.style('dim', formatTime(seen.atMs))}  ${out.style(STYLES[seen.verb] ?? 'reset', seen.verb.padEnd(11))}  ${shortId(seen.sender)}  ${out.style('dim', shortId(seen.id))}${seen.reason === undefined ? '' : `  ${seen.reason}`}`
}

const STYLES: Readonly<Record<string, Style>> = {
  NEED: 'cyan',
  DECIDE: 'magenta',
  COMMIT: 'blue',
  FINALIZE: 'green',
  REJECT: 'yellow',
  CHALLENGE: 'yellow',
  INVALIDATE: 'red'
}
