import { InterruptedError } from './errors.ts'
import type { Io } from './io.ts'

const NOTHING_CHANGED = 'Nothing was changed: run it again.'

/** Rejects with the reason once the signal aborts: for racing with work that cannot be aborted. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** For work that only reads: an interrupt of it tells what became of that. */
export function onlyReads<T>(work: Promise<T>, hint: string = NOTHING_CHANGED): Promise<T> {
  return orInterrupted(work, hint)
}

/** `hint`: what an interrupt of this work leaves, and what to do then. */
export async function orInterrupted<T>(work: Promise<T>, hint: string): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof InterruptedError)) throw cause
    throw new InterruptedError(cause.message, hint, { cause })
  }
}

/** For work that cannot be aborted: a second interrupt does not wait for it. Returns how to leave. */
export function leaveAtSecondInterrupt(io: Io): () => void {
  let interrupts = 0
  return io.onInterrupt(() => {
    interrupts++
    if (interrupts > 1) io.exitNow(130)
  })
}
