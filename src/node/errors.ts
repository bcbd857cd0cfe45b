import { SwarmError } from '../core/base/index.ts'

/** This node follows no thread of this id. */
export class ThreadNotFoundError extends SwarmError {
  readonly code = 'THREAD_NOT_FOUND'

  constructor(thread: string) {
    super(`this node follows no thread ${thread}: "can-swarm threads" lists those it does`, {
      thread
    })
  }
}

/** A request that fits its schema but not the node's state. */
export class RequestRefusedError extends SwarmError {
  readonly code = 'REQUEST_REFUSED'
}
