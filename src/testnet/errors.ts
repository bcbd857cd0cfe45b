import { SwarmError } from '../core/base/index.ts'

/** The input of the demo does not exist or cannot be read. */
export class TestnetInputMissingError extends SwarmError {
  readonly code = 'TESTNET_INPUT_NOT_FOUND'
}

/** The input of the demo is not a file of UTF-8 text with at least one line, or is too large. */
export class TestnetInputUnusableError extends SwarmError {
  readonly code = 'TESTNET_INPUT_UNUSABLE'
}

/** A testnet of this size or shape cannot be. */
export class TestnetUsageError extends SwarmError {
  readonly code = 'TESTNET_USAGE'
}

/** A node of the testnet ended, or did not answer in time. The message ends with the last line of its log. */
export class TestnetNodeFailedError extends SwarmError {
  readonly code = 'TESTNET_NODE_FAILED'
}

/** The nodes did not find each other in time. */
export class TestnetNotConnectedError extends SwarmError {
  readonly code = 'TESTNET_NOT_CONNECTED'
}

/** There is a testnet already. */
export class TestnetRunningError extends SwarmError {
  readonly code = 'TESTNET_RUNNING'
}

/** There is no testnet. */
export class TestnetNotRunningError extends SwarmError {
  readonly code = 'TESTNET_NOT_RUNNING'
}

/** SIGINT or SIGTERM. */
export class TestnetInterruptedError extends SwarmError {
  readonly code = 'TESTNET_INTERRUPTED'
}
