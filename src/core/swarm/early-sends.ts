import type { Effect } from './types.ts'

/** A batch of effects in two parts, each in its order. */
export type SplitEffects = {
  /** May run before the batch's records are on disk. */
  readonly early: readonly Effect[]
  readonly rest: readonly Effect[]
}

/**
 * Takes out of the effects of some steps what need not wait for their fsync: the appends of a leader (docs/decisions/0014). One asks others
 * to keep entries and promises nothing of the sender's own disk: its own copy counts once an answer is stepped, and that is after the
 * fsync. Its term was on disk before anybody voted. And committed entries for nodes outside the roster, when this node has them on disk: others'
 * copies may be fewer than a majority, and where the roster is one node there are none. Heartbeats, answers and votes wait.
 *
 * Nothing leaves early beside an own envelope that is not on disk: an append may carry it, and after a crash its clock value would be used
 * again.
 */
export function splitEarly(effects: readonly Effect[]): SplitEffects {
  if (effects.some(keepsOwnEnvelope)) return { early: [], rest: effects }
  const unwritten = firstUnwritten(effects)
  const early = effects.filter(effect => isEarly(effect, unwritten))
  return early.length === 0
    ? { early, rest: effects }
    : { early, rest: effects.filter(effect => !isEarly(effect, unwritten)) }
}

function isEarly(effect: Effect, unwritten: ReadonlyMap<string, number>): boolean {
  if (effect.kind !== 'send') return false
  const { message } = effect
  if (message.type === 'raft') return message.message.type === 'append'
  if (message.type !== 'log') return false
  const first = unwritten.get(message.group) ?? Number.POSITIVE_INFINITY
  return message.entries.every(({ index }) => index < first)
}

/** By group: the lowest index that the batch is about to write. */
function firstUnwritten(effects: readonly Effect[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>()
  for (const effect of effects) {
    for (const record of effect.kind === 'persist' ? effect.records : []) {
      if (record.type !== 'entries') continue
      const { index = Number.POSITIVE_INFINITY } = record.entries[0] ?? {}
      first.set(record.group, Math.min(first.get(record.group) ?? index, index))
    }
  }
  return first
}

/** Own envelopes are the ones whose write asks for an fsync. */
function keepsOwnEnvelope(effect: Effect): boolean {
  return (
    effect.kind === 'persist' &&
    effect.sync &&
    effect.records.some(({ type }) => type === 'envelope')
  )
}
