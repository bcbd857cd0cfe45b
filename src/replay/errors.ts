import { SwarmError } from '../core/base/index.ts'

/** There is no record file at this path, or it cannot be read. */
export class RecordMissingError extends SwarmError {
  readonly code = 'RECORD_MISSING'
}
