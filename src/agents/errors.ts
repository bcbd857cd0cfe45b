import { SwarmError } from '../core/base/index.ts'

/** A program failed, printed nothing, or could not be started. Details: exit status and the end of its stderr. */
export class ProgramFailedError extends SwarmError {
  readonly code = 'PROGRAM_FAILED'
}

/** A program did not end in time and was stopped. */
export class ProgramTimeoutError extends SwarmError {
  readonly code = 'PROGRAM_TIMEOUT'
}

/** Nobody delivered an artifact in time. */
export class ArtifactMissingError extends SwarmError {
  readonly code = 'ARTIFACT_MISSING'
}

/** An artifact is larger than an agent reads into memory. */
export class ArtifactTooLargeError extends SwarmError {
  readonly code = 'ARTIFACT_TOO_LARGE'
}

/** The agent stopped, or the lease went, while a program ran. */
export class JobAbortedError extends SwarmError {
  readonly code = 'JOB_ABORTED'
}
