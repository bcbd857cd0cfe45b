type Event = { readonly at: number; readonly order: number; readonly run: () => void }

/** What happens when in virtual time: a binary heap by time, then by order of scheduling. */
export class EventQueue {
  readonly #heap: Event[] = []
  #order = 0

  /** Time of the next event; infinity when there is none. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY
  }

  add(at: number, run: () => void): void {
    const event = { at, order: ++this.#order, run }
    const heap = this.#heap
    let position = heap.length
    heap.push(event)
    while (position > 0) {
      const parent = (position - 1) >> 1
      if (!isBefore(event, heap[parent] as Event)) break
      heap[position] = heap[parent] as Event
      position = parent
    }
    heap[position] = event
  }

  take(): (() => void) | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return undefined
    if (heap.length > 0) this.#sink(last)
    return first.run
  }

  #sink(event: Event): void {
    const heap = this.#heap
    let position = 0
    for (;;) {
      const left = 2 * position + 1
      if (left >= heap.length) break
      const right = left + 1
      const child =
        right < heap.length && isBefore(heap[right] as Event, heap[left] as Event) ? right : left
      if (!isBefore(heap[child] as Event, event)) break
      heap[position] = heap[child] as Event
      position = child
    }
    heap[position] = event
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
