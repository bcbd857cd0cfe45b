/** Counts by stable code, for metrics and `doctor`. The codes are ours, so there are few of them. */
export class Counters {
  readonly #counts = new Map<string, number>()

  add(code: string, count = 1): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + count)
  }

  get(code: string): number {
    return this.#counts.get(code) ?? 0
  }

  /** Sorted by code. */
  toObject(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
