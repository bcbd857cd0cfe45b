/**
 * The write-ahead log: ordered records on disk, CRC each, torn tail cut at open, corruption before a good record refused (R13).
 */
export interface Journal {
  /** All records from the first, as written. Called once, before the first append. */
  replay(): AsyncIterable<Uint8Array>
  /** Appends in order. Resolves after fsync when `sync`; a failed write or fsync rejects and the node must end. */
  append(records: readonly Uint8Array[], options: { readonly sync: boolean }): Promise<void>
  /** Bytes on disk. */
  size(): number
  close(): Promise<void>
}
