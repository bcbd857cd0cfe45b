import { SwarmError } from '../core/base/index.ts'

/** A thread of the simulator ended by itself: memory ran out, or a bug of the simulator. */
export class SimulatorWorkerError extends SwarmError {
  readonly code = 'SIMULATOR_WORKER'
}

/** Traces of failed seeds cannot be written. Raised before the first seed where that can be seen. */
export class TraceFailedError extends SwarmError {
  readonly code = 'TRACE_FAILED'
}
