import { isConfiguration } from './configuration.ts'
import {
  APPEND_BYTES_MAX,
  APPEND_ENTRIES_MAX,
  ENTRY_BYTES_MAX,
  NUMBER_MAX,
  SNAPSHOT_BYTES_MAX
} from './limits.ts'
import type { LogEntry, RaftMessage, Snapshot } from './types.ts'

type FieldName =
  | 'type'
  | 'from'
  | 'to'
  | 'term'
  | 'index'
  | 'data'
  | 'lastIndex'
  | 'lastTerm'
  | 'transfer'
  | 'granted'
  | 'previousIndex'
  | 'previousTerm'
  | 'entries'
  | 'commit'
  | 'success'
  | 'matchIndex'
  | 'conflictTerm'
  | 'quiesce'
  | 'configuration'
  | 'snapshot'
/** Anything that has fields: all that is known of a stranger's value. */
type Fields = { readonly [name in FieldName]?: unknown }

/**
 * Whether a value has the shape of a message that a correct member could send: every field there and of its type, every
 * number in range, entries in order. Says nothing about whether it is true. Never throws on plain data.
 */
export function isRaftMessage(value: unknown): value is RaftMessage {
  if (!isRecord(value)) return false
  if (!isText(value.from) || !isText(value.to) || !isNatural(value.term)) return false
  switch (value.type) {
    case 'pre-vote':
    case 'vote':
      return isVote(value)
    case 'pre-vote-reply':
    case 'vote-reply':
      return isBoolean(value.granted)
    case 'append':
      return isAppend(value)
    case 'append-reply':
      return (
        isBoolean(value.success) && isNatural(value.matchIndex) && isNatural(value.conflictTerm)
      )
    case 'heartbeat':
      return isPositive(value.term) && isNatural(value.commit) && isBoolean(value.quiesce)
    case 'heartbeat-reply':
    case 'timeout-now':
      return isPositive(value.term)
    case 'snapshot':
      return (
        isNatural(value.term) && isSnapshot(value.snapshot) && value.snapshot.term <= value.term
      )
    case 'forward':
      return isPositive(value.term) && isData(value.data)
    default:
      return false
  }
}

function isVote(fields: Fields): boolean {
  const { term, lastIndex, lastTerm } = fields
  if (!isPositive(term) || !isBoolean(fields.transfer)) return false
  // A candidate stands in a term above that of all its entries.
  return isPosition(lastIndex, lastTerm) && (lastTerm as number) < term
}

function isAppend(fields: Fields): boolean {
  const { term, previousIndex, previousTerm, entries } = fields
  if (!isPositive(term) || !isNatural(fields.commit)) return false
  if (!isPosition(previousIndex, previousTerm) || !Array.isArray(entries)) return false
  if (entries.length > APPEND_ENTRIES_MAX) return false
  if (!areEntries(entries, { index: previousIndex as number, term: previousTerm as number }))
    return false
  const lastTerm = entries.at(-1)?.term ?? previousTerm
  return (
    lastTerm <= term &&
    entries.reduce((sum, entry) => sum + entry.data.length, 0) <= APPEND_BYTES_MAX
  )
}

/** Whether the values are entries that follow `previous` without a gap and with terms that never fall. */
export function areEntries(
  values: readonly unknown[],
  previous: { readonly index: number; readonly term: number }
): values is readonly LogEntry[] {
  let { index, term } = previous
  for (const value of values) {
    if (!isRecord(value)) return false
    if (!isPositive(value.term) || value.term < term) return false
    if (!isPositive(value.index) || value.index !== index + 1) return false
    if (!isData(value.data) || !isOrdinaryOrChange(value)) return false
    index = value.index
    term = value.term
  }
  return true
}

/** An entry that changes the members says nothing else. */
function isOrdinaryOrChange({ configuration, data }: Fields): boolean {
  if (configuration === undefined) return true
  return isConfiguration(configuration) && (data as Uint8Array).length === 0
}

/** Whether a value is what a member could have written for the entries up to some position. */
export function isSnapshot(value: unknown): value is Snapshot {
  if (!isRecord(value) || !isPositive(value.index) || !isPositive(value.term)) return false
  const { data } = value
  return (
    isConfiguration(value.configuration) &&
    data instanceof Uint8Array &&
    data.length <= SNAPSHOT_BYTES_MAX
  )
}

/** Only the place before the first entry has term 0. */
function isPosition(index: unknown, term: unknown): boolean {
  return isNatural(index) && isNatural(term) && (index === 0) === (term === 0)
}

function isData(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length <= ENTRY_BYTES_MAX
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= NUMBER_MAX
}

function isPositive(value: unknown): value is number {
  return isNatural(value) && value > 0
}
