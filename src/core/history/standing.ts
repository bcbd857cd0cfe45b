import { CLOCK_SKEW_MS_MAX, ENVELOPE_LIFE_MS_MAX, ok, type Result, refuse } from '../base/index.ts'
import type { Checkpoint } from '../checkpoint/index.ts'
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
 * What a witness asks before it cosigns such a line: that it goes on from what it has seen of this log (`before`), that its time is not ahead, and that none of
 * the leaves in between, which the caller has recomputed, stands at that time. Refusals: `CHECKPOINT_STANDING`.
 */
export function checkStanding(
  said: Standing,
  before: Standing,
  { leaves, nowMs }: { readonly leaves: Iterable<Leaf>; readonly nowMs: number }
): Result<void> {
  if (said.from < before.from || said.atMs < before.atMs)
    return refuse('CHECKPOINT_STANDING', 'what stands has gone back')
  if (said.atMs > nowMs + CLOCK_SKEW_MS_MAX)
    return refuse('CHECKPOINT_STANDING', 'the time of what stands is ahead of the clock here')
  let at = before.from
  for (const leaf of leaves) {
    if (leafStandsUntil(leaf) > said.atMs)
      return refuse('CHECKPOINT_STANDING', `leaf ${at} still stands`)
    at += 1
  }
  return at === said.from
    ? ok(undefined)
    : refuse('CHECKPOINT_STANDING', `leaves from ${at} to ${said.from} are not here`)
}
