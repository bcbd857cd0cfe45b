import {
  assert,
  CLOCK_SKEW_MS_MAX,
  ENVELOPE_LIFE_MS_MAX,
  EPOCHS_MAX,
  TEXT_LENGTH_MAX
} from '../base/index.ts'
import { digestOfId, idFromDigest } from '../codec/index.ts'
import type { Phase } from './types.ts'

/** What is left of an ended thread once it has been archived (R12). */
export type Tombstone = {
  /** The thread's id: it is never followed again. */
  readonly thread: string
  /** The requester's slot. */
  readonly slot: string
  /**
   * Highest epoch in which there was a group, or this node promised something: in it and below, nothing is joined, voted for or opened for
   * this slot again. Null when nothing ever bound anybody: then the slot is free for another NEED.
   */
  readonly epoch: number | null
  /** The decided proposal, or null. */
  readonly decision: string | null
  readonly phase: Phase
  /** Kept until then, ms since 1970: no envelope of the thread can pass the door any more. */
  readonly until: number
  /** Set where this node promised nothing: then it may be forgotten before its time, for want of room. */
  readonly spare?: true
}

/** Until when a tombstone stands, ms since 1970: `last` is the latest of the NEED's expiry, its `notAfter` and the end. */
export function tombstoneUntil(last: number): number {
  return last + ENVELOPE_LIFE_MS_MAX + 2 * CLOCK_SKEW_MS_MAX
}

/** Ended threads that are remembered at once, some 60 MB. Beyond it no stranger's NEED is followed until the oldest are forgotten. */
export const TOMBSTONES_MAX = 200_000

/** Characters of a thread's id, of a proposal's, and of the requester's in a slot. */
const ID_LENGTH_MAX = 128
/** `until` has six bytes. */
const UNTIL_END: number = 2 ** 48

/** Whether this can be kept, here and in the journal: what comes from elsewhere may be more than any NEED that was followed. */
export function isKeepable({ thread, slot, epoch, decision, until }: Tombstone): boolean {
  return (
    thread.length <= ID_LENGTH_MAX &&
    (decision?.length ?? 0) <= ID_LENGTH_MAX &&
    slot.length <= ID_LENGTH_MAX + 1 + TEXT_LENGTH_MAX &&
    (epoch === null || (Number.isInteger(epoch) && epoch >= 0 && epoch < EPOCHS_MAX)) &&
    Number.isInteger(until) &&
    until >= 0 &&
    until < UNTIL_END
  )
}

const PHASES: readonly Phase[] = [
  'OPEN',
  'BIDDING',
  'DECIDED',
  'CLAIMED',
  'COMMITTED',
  'REVEALING',
  'VERIFIED',
  'FINAL',
  'INVALID',
  'EXPIRED'
]

/**
 * All tombstones of a node, oldest first. There may be very many, so each is one short string (see `pack`) and not an object: some
 * 300 bytes with its places in the two maps.
 */
export class Tombstones {
  readonly #byThread = new Map<string, string>()
  /** Bound slots: highest bound epoch. */
  readonly #slots = new Map<string, number>()

  get size(): number {
    return this.#byThread.size
  }

  add(tombstone: Tombstone): void {
    const packed = pack(tombstone)
    this.#byThread.set(packId(tombstone.thread), packed)
    if (tombstone.epoch === null) return
    const known = this.#slots.get(tombstone.slot) ?? -1
    // The name inside the packed string, not a second copy of it.
    this.#slots.set(slotOf(packed), Math.max(known, tombstone.epoch))
  }

  has(thread: string): boolean {
    return this.#byThread.size > 0 && this.#byThread.has(packId(thread))
  }

  /** How the thread ended here. */
  get(thread: string): Tombstone | undefined {
    const packed = this.#byThread.get(packId(thread))
    return packed === undefined ? undefined : { ...unpack(packed), thread }
  }

  /** Whether this epoch of the slot is over for good. */
  covers(slot: string, epoch: number): boolean {
    return epoch <= (this.#slots.get(slot) ?? -1)
  }

  /** Until when this epoch of the slot is over, ms since 1970; null when it is not. Reads all tombstones: for own commands only. */
  coveredUntil(slot: string, epoch: number): number | null {
    if (!this.covers(slot, epoch)) return null
    let until = 0
    for (const packed of this.#byThread.values())
      if (packed.charCodeAt(AT.epoch) > 0 && slotOf(packed) === slot)
        until = Math.max(until, untilOf(packed))
    return until
  }

  /** Forgets those whose time has passed, and of the spare ones that are left so many, the oldest. */
  prune(nowMs: number, spareMax = 0): void {
    const kept = new Set<string>()
    let spare = 0
    for (const [thread, packed] of this.#byThread) {
      const isOver = untilOf(packed) <= nowMs
      if (isOver || (spare < spareMax && isSpare(packed))) {
        this.#byThread.delete(thread)
        if (!isOver) spare += 1
      } else if (packed.charCodeAt(0) > 0) kept.add(slotOf(packed))
    }
    for (const slot of this.#slots.keys()) if (!kept.has(slot)) this.#slots.delete(slot)
  }

  /** Thread ids of the newest ones, the newest last. */
  newest(count: number): string[] {
    return [...this.#byThread.keys()].slice(-count).map(unpackId)
  }

  /** All of now, however late they are read. */
  all(): Iterable<Tombstone> {
    return unpacked([...this.#byThread.keys()], [...this.#byThread.values()])
  }
}

function* unpacked(threads: readonly string[], all: readonly string[]): Iterable<Tombstone> {
  for (const [at, packed] of all.entries())
    yield { ...unpack(packed), thread: unpackId(threads[at] as string) }
}

/** Where the parts of a packed tombstone begin: epoch + 1 (0 for none), phase (and SPARE), `until` in six bytes, length of the decision, decision, slot. */
const AT = { epoch: 0, phase: 1, until: 2, decision: 8 } as const

/** Added to the phase of a spare one. */
const SPARE = 128

function pack({ slot, epoch, decision, phase, until, spare }: Tombstone): string {
  assert(epoch === null || (epoch >= 0 && epoch < 255), 'an epoch fits into a byte')
  const id = decision === null ? '' : packId(decision)
  const head = [epoch === null ? 0 : epoch + 1, PHASES.indexOf(phase) + (spare ? SPARE : 0)]
  for (let power = 5; power >= 0; power--) head.push(Math.floor(until / 256 ** power) % 256)
  return String.fromCharCode(...head, id.length) + id + slot
}

function unpack(packed: string): Omit<Tombstone, 'thread'> {
  const epoch = packed.charCodeAt(AT.epoch)
  const length = packed.charCodeAt(AT.decision)
  const phase = PHASES[packed.charCodeAt(AT.phase) % SPARE]
  assert(phase !== undefined, 'a packed tombstone has a phase')
  return {
    slot: slotOf(packed),
    epoch: epoch === 0 ? null : epoch - 1,
    decision:
      length === 0 ? null : unpackId(packed.slice(AT.decision + 1, AT.decision + 1 + length)),
    phase,
    until: untilOf(packed),
    ...(isSpare(packed) && { spare: true })
  }
}

function isSpare(packed: string): boolean {
  return packed.charCodeAt(AT.phase) >= SPARE
}

function untilOf(packed: string): number {
  let until = 0
  for (let at: number = AT.until; at < AT.decision; at++)
    until = until * 256 + packed.charCodeAt(at)
  return until
}

function slotOf(packed: string): string {
  return packed.slice(AT.decision + 1 + packed.charCodeAt(AT.decision))
}

/** The digest of an envelope's id as 32 characters; any other text as it is. */
function packId(text: string): string {
  const digest = digestOfId(text)
  return digest === null ? text : String.fromCharCode(...digest)
}

function unpackId(packed: string): string {
  if (packed.length !== 32) return packed
  const digest = new Uint8Array(packed.length)
  for (let at = 0; at < packed.length; at++) digest[at] = packed.charCodeAt(at)
  return idFromDigest(digest)
}
