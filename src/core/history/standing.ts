import { CLOCK_SKEW_MS_MAX, ENVELOPE_LIFE_MS_MAX, ok, type Result, refuse } from '../base/index.ts'
import type { Checkpoint } from '../checkpoint/index.ts'
import { WINDOW_MS_MAX } from '../need/index.ts'
import type { Leaf } from './leaf.ts'

/**
 * What of a log still binds: at `atMs` no leaf before `from` did. A newcomer needs the others only, however long the log is.
 */
export type Standing = {
  /** Index of a leaf; the size of the log when none binds. */
  readonly from: number
  /** ms since 1970, by the clock of the log's node. */
  readonly atMs: number
}

const LINE = /^standing (0|[1-9][0-9]{0,15}) (0|[1-9][0-9]{0,15})$/

/** Until when a leaf closes its thread and slot, ms since 1970: what a tombstone of it would (R12). */
export function leafStandsUntil({ expiresAt, notAfter, stamp }: Leaf): number {
  return Math.max(expiresAt, notAfter, stamp) + ENVELOPE_LIFE_MS_MAX + 2 * CLOCK_SKEW_MS_MAX
}

/** How far ahead of a clock a time of a leaf may be, in ms: that of a NEED that was stated just now and expires as late as one may, by clocks as different as they may be. */
export const LEAF_AHEAD_MS_MAX: number =
  WINDOW_MS_MAX + ENVELOPE_LIFE_MS_MAX + 4 * CLOCK_SKEW_MS_MAX

/** Whether anybody who kept the rules can have followed the thread by now: else a leaf would stand for as long as its author likes. Refusal: `LEAF_AHEAD`. */
export function checkNotAhead({ expiresAt, notAfter, stamp }: Leaf, nowMs: number): Result<void> {
  return Math.max(expiresAt, notAfter, stamp) <= nowMs + LEAF_AHEAD_MS_MAX
    ? ok(undefined)
    : refuse(
        'LEAF_AHEAD',
        'a leaf would stand for longer than any thread that was followed, or the clock here is behind'
      )
}

/** The line of a checkpoint that says it. */
export function formatStanding({ from, atMs }: Standing): string {
  return `standing ${from} ${atMs}`
}

/** What a checkpoint says of it, or null. Refusals: `CHECKPOINT_STANDING` for a line of another form, two of them, or more than there is. */
export function standingOf({ size, extensions }: Checkpoint): Result<Standing | null> {
  const lines = extensions.filter(line => line === 'standing' || line.startsWith('standing '))
  const [line] = lines
  if (line === undefined) return ok(null)
  const [, from, atMs] = LINE.exec(line) ?? []
  const standing = { from: Number(from), atMs: Number(atMs) }
  const isSound = Number.isSafeInteger(standing.from) && Number.isSafeInteger(standing.atMs)
  if (lines.length > 1 || !isSound || BigInt(standing.from) > size)
    return refuse('CHECKPOINT_STANDING', 'the line about what stands is malformed')
  return ok(standing)
}

/**
 * What a witness asks before it cosigns such a line, leaf by leaf: that it goes on from what the log said before, that its time is not ahead, and that none of the
 * leaves in between, which the caller has recomputed, stands at that time. Refusals: `CHECKPOINT_STANDING`.
 */
export class StandingCheck {
  /** The leaf from which on each is to be shown, and the one that is not to be any more. */
  readonly from: number
  readonly to: number
  readonly #atMs: number
  #at: number

  private constructor(before: Standing, said: Standing) {
    this.from = before.from
    this.to = said.from
    this.#at = before.from
    this.#atMs = said.atMs
  }

  /** By a checkpoint and the one before it, or null; null when neither says anything. What was said once is said from then on. */
  static begin(
    checkpoint: Checkpoint,
    older: Checkpoint | null,
    nowMs: number
  ): Result<StandingCheck | null> {
    const said = standingOf(checkpoint)
    if (!said.ok) return said
    const known = older === null ? ok(null) : standingOf(older)
    if (!known.ok) return known
    if (said.value === null)
      return known.value === null ? ok(null) : refused('it is said no more what stands')
    const before = known.value ?? { from: 0, atMs: 0 }
    const { from, atMs } = said.value
    if (from < before.from || atMs < before.atMs) return refused('what stands has gone back')
    if (atMs > nowMs + CLOCK_SKEW_MS_MAX)
      return refused('the time of what stands is ahead of the clock here')
    return ok(new StandingCheck(before, said.value))
  }

  /** The next leaf. */
  take(leaf: Leaf): Result<void> {
    if (leafStandsUntil(leaf) > this.#atMs) return refused(`leaf ${this.#at} still stands`)
    this.#at += 1
    return ok(undefined)
  }

  /** After the last of them. */
  end(): Result<void> {
    const isAll = this.#at === this.to
    return isAll ? ok(undefined) : refused(`leaves from ${this.#at} to ${this.to} are not here`)
  }
}

function refused(why: string): Result<never> {
  return refuse('CHECKPOINT_STANDING', why)
}
