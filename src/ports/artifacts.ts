export type AddProgress = { readonly bytes: number; readonly path: string }
export type AddResult = { readonly cid: string; readonly bytes: number; readonly files: number }
export type PinInfo = {
  readonly cid: string
  readonly recursive: true
  readonly name: string
  readonly createdAt: number
}
export type GcResult = { readonly removed: number; readonly bytes: number; readonly kept: number }

/** The content-addressed store: Helia on disk, bitswap to others, providers through the DHT. CIDs as text. */
export interface ArtifactStore {
  start(): Promise<void>
  stop(): Promise<void>
  /** Bytes as one UnixFS file. Pinned under `pinName` unless null; provided in the background. */
  addBytes(bytes: Uint8Array, pinName: string | null): Promise<AddResult>
  /** A file or folder of this machine. */
  addPath(
    path: string,
    options: {
      readonly pin: boolean
      readonly onProgress?: (progress: AddProgress) => void
      readonly signal?: AbortSignal
    }
  ): Promise<AddResult>
  /** Streams a file's bytes, fetching missing blocks from peers. Rejects with ArtifactNotFoundError when nobody has it in time. */
  cat(
    cid: string,
    options?: {
      readonly signal?: AbortSignal
      readonly timeoutMs?: number
      readonly offset?: number
      readonly length?: number
    }
  ): AsyncIterable<Uint8Array>
  /** Whole file in memory; refuses more than `maxBytes`. */
  readBytes(
    cid: string,
    options: {
      readonly maxBytes: number
      readonly timeoutMs?: number
      readonly signal?: AbortSignal
    }
  ): Promise<Uint8Array>
  /** Writes a file or folder below `path`, which must not exist. Partial output is removed on failure. */
  get(
    cid: string,
    path: string,
    options?: {
      readonly signal?: AbortSignal
      readonly timeoutMs?: number
      readonly onProgress?: (progress: AddProgress) => void
    }
  ): Promise<{ readonly bytes: number; readonly files: number }>
  /** True when the whole DAG is on this disk. */
  has(cid: string): Promise<boolean>
  pin(
    cid: string,
    name: string,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number }
  ): Promise<PinInfo>
  unpin(cid: string): Promise<void>
  pins(): Promise<readonly PinInfo[]>
  /** Removes blocks that no pin and no use in flight holds. */
  gc(): Promise<GcResult>
  /** Removes those of these blocks that no pin and no use in flight holds, and nothing else. */
  discard(cids: readonly string[]): Promise<void>
  /** One file with everything below these roots. */
  exportCar(
    cid: string | readonly string[],
    path: string
  ): Promise<{ readonly blocks: number; readonly bytes: number }>
  importCar(path: string): Promise<{ readonly roots: readonly string[]; readonly blocks: number }>
  providers(cid: string, options: { readonly timeoutMs: number }): Promise<readonly string[]>
  /** One raw block (a capsule part) by CID. */
  getBlock(cid: string, options: { readonly timeoutMs: number }): Promise<Uint8Array>
  putBlock(cid: string, bytes: Uint8Array): Promise<void>
  usage(): Promise<{ readonly blocks: number; readonly bytes: number }>
}
