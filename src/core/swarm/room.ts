import type { LogEntry } from '../raft/index.ts'

/**
 * Bytes of the entries of one group: some 15,000 ordinary envelopes. A leader offers no more envelopes beyond it, and nobody takes twice
 * as much from a leader that does.
 */
export const LOG_BYTES_MAX: number = 8 * 1024 * 1024

/**
 * Bytes of all envelopes of one thread. What strangers have waiting for the log may come to `LOG_BYTES_MAX`; beyond it is room for what other members have logged, and
 * for what a lying leader shows and never logs.
 */
export const THREAD_BYTES_MAX: number = 32 * 1024 * 1024

/** Bytes of an entry without an envelope, at most: the empty one of a new leader, and a stamp. */
export const TICK_BYTES_MAX = 32

/** Whether a log of so many bytes may grow by these entries. By ticks always: they bring the thread to its end, and the log's length bounds them. */
export function isWithinRoom(logBytes: number, entries: readonly LogEntry[]): boolean {
  const large = entries.filter(({ data }) => data.length > TICK_BYTES_MAX)
  return large.length === 0 || logBytes + bytesOf(large) <= 2 * LOG_BYTES_MAX
}

export function bytesOf(entries: readonly LogEntry[]): number {
  return entries.reduce((sum, { data }) => sum + data.length, 0)
}
