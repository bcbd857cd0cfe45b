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

/**
 * Bytes of the envelopes of all threads that a node follows, and about as much again for their logs. Ten thousand ordinary threads take half of it. The
 * last quarter is for what the node needs itself: see `HeldBytes`.
 */
export const HELD_BYTES_MAX: number = 512 * 1024 * 1024

/** Of the room for threads, tombstones and bytes, the part that requesters may fill that are not connected: identities cost nothing, connections do. */
export const STRANGERS_PART = 0.75

/** Of all bytes, the part that the threads of one requester may take, apart from plans. */
const REQUESTER_PART = 0.125

/**
 * Bytes of UPDATE_PLANs that others than the requesters say, of all threads and of those of one requester. Apart, since whoever has keys can fill the plans of any
 * thread: what its requester says, and what its group makes, must not have to fit in beside that. Strangers may fill half of either; the rest is for workers and forks.
 */
export const OTHERS_PLANS_BYTES_MAX: number = 128 * 1024 * 1024
export const OTHERS_PLANS_OF_REQUESTER_BYTES_MAX: number = 64 * 1024 * 1024

/**
 * Bytes of the UPDATE_PLANs of one thread, of which those of strangers fill half at most: some 30,000 of one fact. They are counted apart,
 * so that no plan keeps a COMMIT out.
 */
export const PLAN_BYTES_MAX: number = 24 * 1024 * 1024

/**
 * Sessions in the plan of one thread beyond which strangers begin no more: each has a head, and heads have to fit into a message of plan sync. Workers and
 * requester have a few besides.
 */
export const PLAN_STRANGERS_SESSIONS_MAX = 4_096

/** Bytes beyond it for updates that show a fork, so that a full plan does not keep nodes apart that were told one side of it each. */
export const PLAN_FORKS_BYTES_MAX: number = PLAN_BYTES_MAX / 8

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

/** Bytes in all, and by requester. */
class Tally {
  readonly #byRequester = new Map<string, number>()
  total = 0

  of(requester: string): number {
    return this.#byRequester.get(requester) ?? 0
  }

  add(requester: string, bytes: number): void {
    this.total += bytes
    const left = this.of(requester) + bytes
    if (left > 0) this.#byRequester.set(requester, left)
    else this.#byRequester.delete(requester)
  }
}

/** Bytes of envelopes in memory, in all and by the requester of their thread. */
export class HeldBytes {
  readonly #said = new Tally()
  readonly #othersPlans = new Tally()

  get total(): number {
    return this.#said.total + this.#othersPlans.total
  }

  /** All but what `addPlan` counts. */
  add(requester: string, bytes: number): void {
    this.#said.add(requester, bytes)
  }

  /** Bytes of UPDATE_PLANs of others than the requester. */
  addPlan(requester: string, bytes: number): void {
    this.#othersPlans.add(requester, bytes)
  }

  /** Whether so many bytes more fit. What the log of a thread has, and no other copy of it can stand for, `isNeeded`. */
  hasRoomFor(requester: string, bytes: number, isNeeded: boolean): boolean {
    if (this.total + bytes > (isNeeded ? 1 : STRANGERS_PART) * HELD_BYTES_MAX) return false
    return isNeeded || this.#said.of(requester) + bytes <= REQUESTER_PART * HELD_BYTES_MAX
  }

  /** The same for an UPDATE_PLAN of somebody else than the requester, that no log has. */
  hasRoomForPlan(requester: string, bytes: number, by: 'stranger' | 'worker'): boolean {
    if (this.total + bytes > STRANGERS_PART * HELD_BYTES_MAX) return false
    const part = by === 'stranger' ? 0.5 : 1
    return (
      this.#othersPlans.total + bytes <= part * OTHERS_PLANS_BYTES_MAX &&
      this.#othersPlans.of(requester) + bytes <= part * OTHERS_PLANS_OF_REQUESTER_BYTES_MAX
    )
  }
}
