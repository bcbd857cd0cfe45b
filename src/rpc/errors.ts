import { type Refusal, SwarmError } from '../core/base/index.ts'

/** Nobody listens on the node's socket. */
export class NodeNotRunningError extends SwarmError {
  readonly code = 'NODE_NOT_RUNNING'
}

/** A node already answers on this socket. */
export class AlreadyRunningError extends SwarmError {
  readonly code = 'ALREADY_RUNNING'
}

/** The socket cannot be used: wrong owner or mode of its folder, path too long, no permission. */
export class SocketUnusableError extends SwarmError {
  readonly code = 'SOCKET_UNUSABLE'
}

/** The connection to the node ended before the answer. */
export class ConnectionLostError extends SwarmError {
  readonly code = 'CONNECTION_LOST'
}

/** The request is not JSON, not JSON-RPC 2.0, or reuses the id of a request in flight. */
export class RequestInvalidError extends SwarmError {
  readonly code = 'REQUEST_INVALID'
}

export class MethodUnknownError extends SwarmError {
  readonly code = 'METHOD_UNKNOWN'
}

/** Parameters of the wrong form. The message names the field. */
export class ParamsInvalidError extends SwarmError {
  readonly code = 'PARAMS_INVALID'
}

/** A line longer than the limit; the connection is closed, because the rest of the line cannot be told from a request. */
export class LineTooLongError extends SwarmError {
  readonly code = 'LINE_TOO_LONG'
}

/** The answer to a request is longer than a line may be; the connection goes on. */
export class AnswerTooLongError extends SwarmError {
  readonly code = 'ANSWER_TOO_LONG'
}

/** More requests at once, or more connections, than the limit. */
export class TooManyRequestsError extends SwarmError {
  readonly code = 'TOO_MANY_REQUESTS'
}

/** The other side does not read what it asked for; it is cut instead of filling memory. */
export class SlowReaderError extends SwarmError {
  readonly code = 'SLOW_READER'
}

/** The caller gave up: cancelled, or closed its connection. */
export class CancelledError extends SwarmError {
  readonly code = 'CANCELLED'
}

/** The client was opened with fewer rights than the method needs. */
export class AccessDeniedError extends SwarmError {
  readonly code = 'ACCESS_DENIED'
}

/** The protocol's "no" on its way to a caller. Carries the refusal's own code. */
export class RefusedError extends SwarmError {
  readonly code: string

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.code = refusal.code
  }
}

/** An error that the node answered with. Carries the node's code and hint. */
export class RemoteError extends SwarmError {
  readonly code: string
  readonly hint: string

  constructor(code: string, message: string, hint: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}
