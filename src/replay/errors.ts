import { SwarmError } from '../core/base/index.ts'

/** The folder that a record is to be written to does not exist. */
export class PathNotFoundError extends SwarmError {
  readonly code = 'PATH_NOT_FOUND'
}

/** Something stands where a record is to be written; it was not touched. */
export class TargetExistsError extends SwarmError {
  readonly code = 'TARGET_EXISTS'
}

/** The system refused to write the record. */
export class PathFailedError extends SwarmError {
  readonly code = 'PATH_FAILED'
}

/** There is no record file at this path, or it cannot be read. */
export class RecordMissingError extends SwarmError {
  readonly code = 'RECORD_MISSING'
}

/** There is no certificate or evidence at this path, or it cannot be read. */
export class ProofMissingError extends SwarmError {
  readonly code = 'PROOF_MISSING'
}

/** A thread that checks lines ended by itself. */
export class RecordWorkerError extends SwarmError {
  readonly code = 'RECORD_WORKER'
}

/** The file that was named for the progress of a run holds something else. */
export class ProgressFileError extends SwarmError {
  readonly code = 'PROGRESS_FILE'
}

/** A log of a thread that was written before cannot be gone on with. */
export class AuditLogDamagedError extends SwarmError {
  readonly code = 'AUDIT_LOG_DAMAGED'
}
