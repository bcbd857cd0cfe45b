/**
 * The content store on Helia: files and folders as UnixFS, blocks as files, pins in LevelDB, other nodes through bitswap and the DHT.
 *
 * The caller lends a libp2p node, started or not yet, and keeps its life in hand: the store registers bitswap on it at start, takes it off
 * at stop, and neither starts nor stops it. The store keeps a LevelDB of its own next to the blocks instead of sharing libp2p's: two owners with two
 * orders of stopping would need a third who closes the database after both, and a second LevelDB costs a few file handles.
 *
 * 1. A block is hashed whenever it is read or received. A damaged one is removed and fetched again; it is never handed out or served.
 * 2. Time is counted only while nothing arrives: `timeoutMs` is the longest silence, not the length of the transfer. A wait asks peers and the
 *    DHT again every few seconds.
 * 3. Garbage collection keeps what a pin reaches and what a call in flight uses. An added but unpinned artifact is garbage once its call has ended.
 * 4. A CID is CIDv1 (or v0, read as v1), sha2-256, of dag-pb, raw or dag-cbor (R1). Files are cut into raw leaves of 1 MiB.
 * 5. Memory per transfer is bounded by blocks in flight, not by the size of the artifact or the speed of the reader.
 */
export { heliaArtifactStore } from './artifact-store.ts'
export {
  ArtifactMalformedError,
  ArtifactNotFoundError,
  ArtifactStoreFailedError,
  ArtifactStoreStoppedError,
  BadCidError,
  BadRangeError,
  BlockMismatchError,
  CarCorruptError,
  NotAFileError,
  NotPinnedError,
  PathFailedError,
  PathNotFoundError,
  TargetExistsError,
  TooLargeError,
  UnsafeNameError
} from './errors.ts'
export { FETCH_PATIENCE_MS } from './limits.ts'
export type { HeliaArtifactStoreInit } from './running-store.ts'
