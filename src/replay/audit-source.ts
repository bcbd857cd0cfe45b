import { idOf } from '../core/codec/index.ts'
import type { Admitted } from '../core/envelope/index.ts'
import { decodeEntry } from '../core/need/index.ts'
import type { LogEntry } from '../core/raft/index.ts'
import type { Body } from './format.ts'

/** The group's log as a machine has it. `entries` grows; another list is another log. */
export type ThreadLog = {
  /** Id of the FORM of the group. */
  readonly form: string
  readonly entries: readonly LogEntry[]
  /** The whole log up to the certified end is here. */
  readonly complete: boolean
}

/** An envelope, and when the node saw it. */
export type Sighting = { readonly admitted: Admitted; readonly seenAt: number }

/** What a log is written from, and completed from after a crash: the machine. It may be ahead of what was told of it. */
export type LogSource = {
  /** One envelope of a thread in memory. */
  sighted(thread: string, id: string): Sighting | undefined
  /** Every envelope of a thread, in the order in which the node saw it; nothing when the thread is not in memory. */
  seen(thread: string): Iterable<Sighting>
  /** Nothing before there is a group. */
  log(thread: string): ThreadLog | undefined
}

/** What the lines of a file show already. */
export type Shown = {
  readonly envelopes: ReadonlySet<string>
  /** The last FORM that began a group, and how far that group's log goes. */
  readonly form: string | null
  readonly entries: number
}

/** What the machine has and the file lacks. */
export function* missingBodies(source: LogSource, thread: string, shown: Shown): Generator<Body> {
  for (const sighting of source.seen(thread))
    if (!shown.envelopes.has(sighting.admitted.id)) yield sightingBody(sighting)
  const log = source.log(thread)
  if (log !== undefined) yield* newEntries(log.entries, shown.form === log.form ? shown.entries : 0)
}

export function sightingBody({ admitted, seenAt }: Sighting): Body {
  return { type: 'envelope', at: seenAt, cid: admitted.id, bytes: admitted.bytes }
}

/** Entries from a place on. Their envelopes are named only: the machine takes them before the entry. */
export function* newEntries(entries: readonly LogEntry[], from: number): Generator<Body> {
  for (let at = from; at < entries.length; at++) {
    const { term, index, data } = entries[at] as LogEntry
    const body = decodeEntry(data)
    if (body === null) yield { type: 'bare-entry', term, index, data }
    else {
      const { stamp, envelope } = body
      const cid = envelope === null ? null : idOf(envelope)
      yield { type: 'entry', term, index, stamp, cid, bytes: null }
    }
  }
}
