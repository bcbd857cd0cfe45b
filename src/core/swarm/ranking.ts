/** Something with a weight. Both fields are the ranking's to write. */
export type Ranked = { weight: number; place: number }

/** The heaviest of many at hand, in a binary heap that each knows its place in: a change takes as many steps as the heap is deep. */
export class Ranking<T extends Ranked> {
  readonly #heap: T[] = []

  get heaviest(): T | undefined {
    return this.#heap[0]
  }

  /** Takes one in, with no weight. */
  add(item: T): void {
    item.weight = 0
    this.#put(item, this.#heap.length)
  }

  weigh(item: T, by: number): void {
    item.weight += by
    if (by > 0) this.#raise(item)
    else this.#lower(item)
  }

  remove(item: T): void {
    const last = this.#heap.pop()
    if (last === undefined || last === item) return
    this.#put(last, item.place)
    this.#raise(last)
    this.#lower(last)
  }

  #raise(item: T): void {
    while (item.place > 0) {
      const at = item.place
      const above = this.#heap[(at - 1) >> 1] as T
      if (above.weight >= item.weight) return
      this.#put(item, above.place)
      this.#put(above, at)
    }
  }

  #lower(item: T): void {
    for (;;) {
      const at = item.place
      const [left, right] = [this.#heap[2 * at + 1], this.#heap[2 * at + 2]]
      const below = right !== undefined && right.weight > (left as T).weight ? right : left
      if (below === undefined || below.weight <= item.weight) return
      this.#put(item, below.place)
      this.#put(below, at)
    }
  }

  #put(item: T, place: number): void {
    item.place = place
    this.#heap[place] = item
  }
}
