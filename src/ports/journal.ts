/**
 * The write-ahead log: ordered records on disk, CRC each, at open what never reached the disk completely is cut off the end, and damage to what was synced refused (R13).
 */
export interface Journal {
  /** All records from the first, as written. Called once, before the first append. */
  replay(): AsyncIterable<Uint8Array>
  /** Appends in order. Resolves after fsync when `sync`; a failed write or fsync rejects and the node must end. */
  append(records: readonly Uint8Array[], options: { readonly sync: boolean }): Promise<void>
  /**
   * Puts these records in the place of everything that was appended before this call; what is appended after it follows them. A crash at any
   * point leaves the old journal or the new one, either with every append that had resolved. Read lazily, while appends go on. One at
   * a time. Rejects with JOURNAL_REWRITE when it could not be done and nothing has changed; with JOURNAL_FAILED as an append does.
   */
  rewrite(records: Iterable<Uint8Array>): Promise<void>
  /** Bytes on disk. */
  size(): number
  close(): Promise<void>
}
