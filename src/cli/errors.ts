import { SwarmError } from '../core/base/index.ts'

/** The command line makes no sense. */
export class UsageError extends SwarmError {
  readonly code = 'USAGE'
}

/** No thread or peer has this id or part of an id. */
export class IdNotFoundError extends SwarmError {
  readonly code = 'ID_NOT_FOUND'
}

/** Part of an id that several have. The message lists them. */
export class IdAmbiguousError extends SwarmError {
  readonly code = 'ID_AMBIGUOUS'
}

/** A file that a command was given does not exist or cannot be read. */
export class InputNotFoundError extends SwarmError {
  readonly code = 'INPUT_NOT_FOUND'
}

/** A file that a command was given is empty. */
export class InputEmptyError extends SwarmError {
  readonly code = 'INPUT_EMPTY'
}

/** Nodes refused the NEED at their door, and none that is connected has taken it up. */
export class NeedRefusedError extends SwarmError {
  readonly code = 'NEED_REFUSED'
}

/** `--timeout` passed. */
export class TimeoutError extends SwarmError {
  readonly code = 'TIMEOUT'
}

/** SIGINT or SIGTERM. */
export class InterruptedError extends SwarmError {
  readonly code = 'INTERRUPTED'
  /** What became of the command's work, in place of the general advice; empty for that. */
  readonly hint: string

  constructor(message: string, hint = '', options?: ErrorOptions) {
    super(message, {}, options)
    this.hint = hint
  }
}

/** The expression of `repl --exec` failed while it was evaluated. */
export class ExpressionFailedError extends SwarmError {
  readonly code = 'EXPRESSION_FAILED'
}
