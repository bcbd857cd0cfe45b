import { assert } from '../base/index.ts'

/** Width of a slot of the lowest level, in ms: below a tick, so that a tick looks at one or two slots. */
const SLOT_MS = 32
/** Slots of a level; each level's slots are as wide as all slots of the level below together. */
const SLOTS = 64
/** Levels: 2 s, 2 min, 2 h, 6 days, 13 months. What is farther away waits in the last slot and is placed anew from there. */
const LEVELS = 5

type Timer<T> = {
  readonly item: T
  at: number
  /** Where it lies: level and slot as one number. */
  place: number
}

/**
 * Deadlines of many things, in a hierarchy of slots (Varghese and Lauck 1987): setting and removing one takes constant time, and
 * time passes without looking at those that are far away. Nothing is called back: `advance` hands out what is due.
 */
export class TimerWheel<T> {
  readonly #timers = new Map<T, Timer<T>>()
  readonly #slots: (Set<Timer<T>> | undefined)[] = []
  /** Number of the lowest level's slot in which time stands. Time that goes back leaves it where it was. */
  #cursor = 0
  /** The answer of `next` until something changes; it is asked after every step, and most steps change no deadline. */
  #next: number | null = null

  get size(): number {
    return this.#timers.size
  }

  /** Sets or moves the one deadline of an item, in ms since 1970. */
  set(item: T, at: number): void {
    assert(Number.isFinite(at) && at >= 0, 'a deadline is a time')
    const known = this.#timers.get(item)
    if (known?.at === at) return
    this.#next = null
    if (known !== undefined) this.#lift(known)
    const timer = known ?? { item, at, place: 0 }
    timer.at = at
    this.#timers.set(item, timer)
    this.#place(timer)
  }

  remove(item: T): void {
    const known = this.#timers.get(item)
    if (known === undefined) return
    this.#next = null
    this.#lift(known)
    this.#timers.delete(item)
  }

  /** Takes out everything whose deadline is at `nowMs` or before, in no particular order. */
  advance(nowMs: number): T[] {
    const to = Math.max(this.#cursor, Math.floor(nowMs / SLOT_MS))
    const passed = this.#passed(to)
    this.#cursor = to
    this.#next = null
    const due: T[] = []
    for (const timer of passed) {
      if (timer.at > nowMs) {
        this.#place(timer)
        continue
      }
      this.#timers.delete(timer.item)
      due.push(timer.item)
    }
    return due
  }

  /**
   * A time by which `advance` must be called again for no deadline to be missed, Infinity without one: the earliest deadline, or
   * the beginning of the slot in which it is when it is far away.
   */
  next(): number {
    this.#next ??= this.#search()
    return this.#next
  }

  #search(): number {
    let next = Number.POSITIVE_INFINITY
    for (let level = 0; level < LEVELS; level++) next = Math.min(next, this.#nextOf(level))
    return next
  }

  #nextOf(level: number): number {
    const width = SLOTS ** level
    const first = Math.floor(this.#cursor / width)
    for (let position = first; position < first + SLOTS; position++) {
      const slot = this.#slots[placeOf(level, position)]
      if (slot === undefined || slot.size === 0) continue
      if (level > 0) return position * width * SLOT_MS
      return [...slot].reduce((least, timer) => Math.min(least, timer.at), Number.POSITIVE_INFINITY)
    }
    return Number.POSITIVE_INFINITY
  }

  /** Empties the slots that time passes on its way to slot `to`, the one that it comes to included. */
  #passed(to: number): Timer<T>[] {
    const out: Timer<T>[] = []
    for (let level = 0; level < LEVELS; level++) {
      const width = SLOTS ** level
      const first = Math.floor(this.#cursor / width)
      const last = Math.min(Math.floor(to / width), first + SLOTS - 1)
      for (let position = first; position <= last; position++) {
        const slot = this.#slots[placeOf(level, position)]
        if (slot === undefined || slot.size === 0) continue
        out.push(...slot)
        slot.clear()
      }
      if (first === Math.floor(to / width)) break
    }
    return out
  }

  /** The lowest level on which the deadline's slot is not more than one turn away. */
  #place(timer: Timer<T>): void {
    const slot = Math.max(this.#cursor, Math.floor(timer.at / SLOT_MS))
    let level = 0
    let width = 1
    while (
      level < LEVELS - 1 &&
      Math.floor(slot / width) - Math.floor(this.#cursor / width) >= SLOTS
    ) {
      level += 1
      width *= SLOTS
    }
    const position = Math.min(
      Math.floor(slot / width),
      Math.floor(this.#cursor / width) + SLOTS - 1
    )
    timer.place = placeOf(level, position)
    const known = this.#slots[timer.place]
    if (known === undefined) this.#slots[timer.place] = new Set([timer])
    else known.add(timer)
  }

  #lift(timer: Timer<T>): void {
    this.#slots[timer.place]?.delete(timer)
  }
}

function placeOf(level: number, position: number): number {
  return level * SLOTS + (position % SLOTS)
}
