/** One change of a store of keys and values. */
export type KeyValueWrite =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string }

/** A durable store of bytes under text keys, ordered by code unit. */
export interface KeyValues {
  get(key: string): Promise<Uint8Array | undefined>
  /** All of them or none; resolves when they survive a crash. */
  write(changes: readonly KeyValueWrite[]): Promise<void>
  /** Keys from `from` on and before `to`, ascending, with their values. */
  range(options: {
    readonly from: string
    readonly to: string
    readonly limit?: number
  }): AsyncIterable<readonly [key: string, value: Uint8Array]>
  close(): Promise<void>
}
