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
 * fsync. Its term was on disk before anybody voted. And committed entries for nodes outside the roster: a majority has them on disk. Heartbeats,
 * answers and votes wait.
 *
 * Nothing leaves early beside an own envelope that is not on disk: an append may carry it, and after a crash its clock value would be used
 * again.
 */
export function splitEarly(effects: readonly Effect[]): SplitEffects {
  if (effects.some(keepsOwnEnvelope)) return { early: [], rest: effects }
  const early = effects.filter(isEarly)
  return early.length === 0
    ? { early, rest: effects }
    : { early, rest: effects.filter(effect => !isEarly(effect)) }
}

function isEarly(effect: Effect): boolean {
  if (effect.kind !== 'send') return false
  const { message } = effect
  return message.type === 'log' || (message.type === 'raft' && message.message.type === 'append')
}

/** Own envelopes are the ones whose write asks for an fsync. */
function keepsOwnEnvelope(effect: Effect): boolean {
  return (
    effect.kind === 'persist' &&
    effect.sync &&
    effect.records.some(({ type }) => type === 'envelope')
  )
}
