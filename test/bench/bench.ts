/** One line of a bench's output. */
export type Measure = {
  readonly bench: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  /** Runs that the value comes from, warm-up excluded. */
  readonly n: number
  readonly note: string
}

export type Bench = {
  readonly name: string
  readonly about: string
  /** Calls back with each measure as soon as it is known. */
  run(report: (measure: Omit<Measure, 'bench'>) => void): Promise<void>
}

/** Value below which the share of the samples lies; nearest rank, so it is one of them. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}
