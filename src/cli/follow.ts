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
}

/** Phases in which a thread no longer moves. */
export const ENDED: ReadonlySet<Phase> = new Set<Phase>(['FINAL', 'INVALID', 'EXPIRED'])

/** The verbs of a thread, each once: those that the node knows, then new ones until the thread has ended. */
export async function* follow(
  session: Session,
  init: { readonly thread: string; readonly events: AsyncIterable<SwarmEvent> }
): AsyncGenerator<VerbSeen> {
  const seen = new Set<string>()
  const view = await session.call('thread.get', { thread: init.thread }, { long: true })
  for (const envelope of view.envelopes) {
    seen.add(envelope.id)
    yield { id: envelope.id, verb: envelope.verb, sender: envelope.sender, atMs: envelope.seenAt }
  }
  if (ENDED.has(view.phase)) return
  for await (const event of init.events) {
    if (event.type === 'warning' && event.thread === init.thread)
      session.out.note(`warning: ${event.message}`)
    if (!('thread' in event) || event.thread !== init.thread) continue
    if (event.type === 'envelope' && !seen.has(event.id)) {
      seen.add(event.id)
      yield { id: event.id, verb: event.verb, sender: event.sender, atMs: event.atMs }
    }
    if (event.type === 'ended') return
  }
  // The events end by themselves only when the signal aborts.
  session.signal.throwIfAborted()
}

/** Who said what, when. */
export function verbLine(out: Output, seen: VerbSeen): string {
  return `${out.style('dim', formatTime(seen.atMs))}  ${out.style(STYLES[seen.verb] ?? 'reset', seen.verb.padEnd(11))}  ${shortId(seen.sender)}  ${out.style('dim', shortId(seen.id))}`
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
