import { SwarmError } from '../core/base/index.ts'

/** There is no compiler of the pinned version on the PATH. */
export class CompilerUnavailableError extends SwarmError {
  readonly code = 'COMPILER_UNAVAILABLE'
}

/** The compiler objects to the sources; the message is the compiler's. */
export class CompilerFailedError extends SwarmError {
  readonly code = 'COMPILER_FAILED'
}

/** A folder is no policy: a part is missing, malformed, or larger than it may be. */
export class PolicySourceError extends SwarmError {
  readonly code = 'POLICY_SOURCE'
}

/** The policy decides a vector of its own in another way, or at another cost, than the vector says. */
export class VectorFailedError extends SwarmError {
  readonly code = 'VECTOR_FAILED'
}

/** A question that no policy is asked: no object, no known gate, a number that is no safe integer, or too deep. */
export class PolicyInputError extends SwarmError {
  readonly code = 'POLICY_INPUT'
}

/** A file does not hold a capsule: no CAR, no single root, a block too many or too few. */
export class CapsuleFileError extends SwarmError {
  readonly code = 'CAPSULE_FILE'
}
