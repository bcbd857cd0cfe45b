import type { Io } from './io.ts'

/** Rejects with the reason once the signal aborts: for racing with work that cannot be aborted. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** For work that cannot be aborted: a second interrupt does not wait for it. Returns how to leave. */
export function leaveAtSecondInterrupt(io: Io): () => void {
  let interrupts = 0
  return io.onInterrupt(() => {
    interrupts++
    if (interrupts > 1) io.exitNow(130)
  })
}
