/** Wall clock. The only source of time in the shell. */
export interface Clock {
  nowMs(): number
  /** Calls back once; returns a cancel. Does not keep the process alive by itself. */
  after(ms: number, callback: () => void): () => void
}

export interface Entropy {
  bytes(count: number): Uint8Array
}
