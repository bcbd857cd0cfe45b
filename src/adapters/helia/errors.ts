import { SwarmError } from '../../core/base/index.ts'

/** Nobody delivered a block within the patience of the call. `details`: cid, block, waitedMs. */
export class ArtifactNotFoundError extends SwarmError {
  readonly code = 'ARTIFACT_NOT_FOUND'
}

/** The text is no CID, or names a hash or codec that this store does not keep. */
export class BadCidError extends SwarmError {
  readonly code = 'BAD_CID'
}

/** A file was asked for and something else is there. */
export class NotAFileError extends SwarmError {
  readonly code = 'NOT_A_FILE'
}

/** A path of this machine does not exist. */
export class PathNotFoundError extends SwarmError {
  readonly code = 'PATH_NOT_FOUND'
}

/** A path of this machine cannot be read or written: permission, full disk, name too long. */
export class PathFailedError extends SwarmError {
  readonly code = 'PATH_FAILED'
}

/** The target of `get` or `exportCar` exists already; nothing is overwritten. */
export class TargetExistsError extends SwarmError {
  readonly code = 'TARGET_EXISTS'
}

/** A folder entry carries a name that could write outside the target or that cannot be stored. */
export class UnsafeNameError extends SwarmError {
  readonly code = 'UNSAFE_NAME'
}

/** More bytes, blocks or entries than the caller or a named limit allows. */
export class TooLargeError extends SwarmError {
  readonly code = 'TOO_LARGE'
}

/** A CAR file is damaged, ends early or holds bytes that are not what their CID says. */
export class CarCorruptError extends SwarmError {
  readonly code = 'CAR_CORRUPT'
}

/** The blocks have the right hashes, yet do not form what their CID promises. Fetching again does not help. */
export class ArtifactMalformedError extends SwarmError {
  readonly code = 'ARTIFACT_MALFORMED'
}

/** `putBlock` got bytes that do not hash to the CID. */
export class BlockMismatchError extends SwarmError {
  readonly code = 'BLOCK_MISMATCH'
}

/** `unpin` of something that is not pinned. */
export class NotPinnedError extends SwarmError {
  readonly code = 'NOT_PINNED'
}

/** Offset, length, time or size limit is negative or no whole number. */
export class BadRangeError extends SwarmError {
  readonly code = 'BAD_RANGE'
}

/** The store is not started, or was stopped while the call ran. */
export class ArtifactStoreStoppedError extends SwarmError {
  readonly code = 'ARTIFACT_STORE_STOPPED'
}

/** The store's own directory cannot be opened, read or written. */
export class ArtifactStoreFailedError extends SwarmError {
  readonly code = 'ARTIFACT_STORE_FAILED'
}

/** A block is not on disk, or no longer: a damaged one has been removed. Stays inside: the block is fetched from peers. */
export class BlockAbsentError extends SwarmError {
  readonly code = 'BLOCK_ABSENT'

  constructor(message: string, options?: ErrorOptions) {
    super(message, {}, options)
    // Helia and bitswap recognise an absent block by this name.
    this.name = 'NotFoundError'
  }
}
