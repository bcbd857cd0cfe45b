import { SwarmError } from '../base/index.ts'

/**
 * State read from the disk cannot be that of a Raft member: the log has a gap, falling terms or oversized entries. Raised by the
 * constructor of `Raft`; the journal was damaged or belongs to another program, and the node must not take part with it.
 */
export class RaftRestoreError extends SwarmError {
  readonly code = 'RAFT_RESTORE_INVALID'
}
