import { setTimeout as delay } from 'node:timers/promises'
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, RESTATE_MS } from './limits.ts'

/** Refusals that no repetition changes. */
const FINAL_REFUSALS: ReadonlySet<unknown> = new Set([
  'NO_LEASE',
  'THREAD_ENDED',
  'THREAD_NOT_FOUND',
  'NO_SUCH_COMMIT',
  'VERDICT_GIVEN'
])

/**
 * Says something again until the signal aborts, which is when the thread shows it: what a node accepted may still get lost
 * before the group has it. Returns early when the node's refusal is final.
 */
export async function restate(
  signal: AbortSignal,
  init: {
    readonly say: () => Promise<unknown>
    /** After the first time that the node accepted it. */
    readonly onSaid: () => void
    readonly onRefused: (error: unknown) => void
  }
): Promise<void> {
  let said = 0
  let refused = 0
  while (!signal.aborted) {
    try {
      await init.say()
      said += 1
      refused = 0
      if (said === 1) init.onSaid()
    } catch (error) {
      if (signal.aborted) return
      // What was said before has arrived, when it can no longer be said.
      const final = FINAL_REFUSALS.has((error as { code?: unknown } | null)?.code)
      if (!final || said === 0) init.onRefused(error)
      if (final) return
      refused += 1
    }
    const waitMs = refused > 0 ? BACKOFF_MS_MIN * 2 ** (refused - 1) : RESTATE_MS * 2 ** (said - 1)
    await delay(Math.min(BACKOFF_MS_MAX, waitMs), null, { signal }).catch(() => undefined)
  }
}
