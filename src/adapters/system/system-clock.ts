import type { Clock } from '../../ports/index.ts'

/** Longest wait that one timer can hold, in ms; a longer one fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The machine's wall clock. Its timers do not keep the process alive. */
export function systemClock(): Clock {
  return { nowMs: () => Date.now(), after }
}

function after(ms: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout
  const arm = (leftMs: number): void => {
    const waitMs = Math.max(0, Math.min(leftMs, TIMER_MS_MAX))
    timer = setTimeout(() => (leftMs > waitMs ? arm(leftMs - waitMs) : callback()), waitMs)
    timer.unref()
  }
  arm(ms)
  return () => clearTimeout(timer)
}
