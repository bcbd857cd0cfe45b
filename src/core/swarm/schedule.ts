import { assert } from '../base/index.ts'
import { TimerWheel } from './timer-wheel.ts'

/**
 * Who is looked at in a tick: things with something to do at once, in every tick; things that wait for a time, when it has come;
 * nobody else. Whatever may have changed a thing must `touch` it; when the step ends, `settle` asks each of them anew.
 */
export class Schedule<T> {
  /** Place in the order of creation: things that are due together come in it, so that one input has one outcome. */
  readonly #ordinals = new Map<T, number>()
  readonly #active = new Set<T>()
  readonly #wheel = new TimerWheel<T>()
  readonly #touched = new Set<T>()
  #created = 0

  /** Takes in a thing, touched. */
  add(item: T): void {
    assert(!this.#ordinals.has(item), 'a thing is added once')
    this.#ordinals.set(item, this.#created++)
    this.#touched.add(item)
  }

  /** What is due to the thing may have changed. Of a thing that was not added, nothing is known. */
  touch(item: T): void {
    if (this.#ordinals.has(item)) this.#touched.add(item)
  }

  remove(item: T): void {
    this.#ordinals.delete(item)
    this.#active.delete(item)
    this.#touched.delete(item)
    this.#wheel.remove(item)
  }

  /** Takes out what is due, oldest thing first. All of it counts as touched. */
  take(nowMs: number): readonly T[] {
    const due = new Set([...this.#active, ...this.#wheel.advance(nowMs)])
    for (const item of due) this.#touched.add(item)
    return [...due].sort((a, b) => this.#ordinalOf(a) - this.#ordinalOf(b))
  }

  /** Asks everything that was touched when it is due: at a time in ms; not later than `nowMs` means in every tick; Infinity means never. */
  settle(nowMs: number, dueAt: (item: T) => number): void {
    for (const item of this.#touched) {
      const at = dueAt(item)
      assert(!Number.isNaN(at), 'a time is a number')
      if (at <= nowMs) this.#active.add(item)
      else this.#active.delete(item)
      if (at <= nowMs || at === Number.POSITIVE_INFINITY) this.#wheel.remove(item)
      else this.#wheel.set(item, at)
    }
    this.#touched.clear()
  }

  /** True while something wants every tick. */
  isActive(): boolean {
    return this.#active.size > 0
  }

  /** Things that want every tick, and things that wait for a time. */
  counts(): { readonly active: number; readonly waiting: number } {
    return { active: this.#active.size, waiting: this.#wheel.size }
  }

  /** A time by which the next tick is wanted when nothing is active; Infinity when nothing waits. */
  nextAt(): number {
    return this.#wheel.next()
  }

  #ordinalOf(item: T): number {
    const ordinal = this.#ordinals.get(item)
    assert(ordinal !== undefined, 'what is due was added')
    return ordinal
  }
}
