import { SwarmError } from '../core/base/index.ts'
import type { ThreadSummary } from '../core/swarm/index.ts'

/** This node follows no thread of this id. */
export class ThreadNotFoundError extends SwarmError {
  readonly code = 'THREAD_NOT_FOUND'

  constructor(thread: string) {
    super(`this node follows no thread ${thread}: "can-swarm threads" lists those it does`, {
      thread
    })
  }
}

/** Only a checkpoint says how this thread ended: nothing else of it is here. */
export class CheckpointOnlyError extends SwarmError {
  readonly code = 'CHECKPOINT_ONLY'

  constructor({ thread, phase, reason }: ThreadSummary) {
    super(
      `of the thread ${thread} this node knows only its end, from a checkpoint of others: ${phase}, ${reason}`,
      { thread, phase, reason }
    )
  }
}

/** A thread has no certificate of the stage that was asked for. */
export class CertificateAbsentError extends SwarmError {
  readonly code = 'CERTIFICATE_ABSENT'
}

/** This node holds no evidence of this id. */
export class EvidenceNotFoundError extends SwarmError {
  readonly code = 'EVIDENCE_NOT_FOUND'

  constructor(id: string) {
    super(`this node holds no evidence ${id}: "can-swarm evidence ls" lists what it holds`, { id })
  }
}

/** A thread is in the archive in a form that this release does not read. */
export class ArchivedThreadError extends SwarmError {
  readonly code = 'ARCHIVE_UNREADABLE'

  constructor(thread: string, reason: string) {
    super(
      `the archived thread ${thread} cannot be read (${reason}): start the release that wrote it`,
      { thread }
    )
  }
}

/** A request that fits its schema but not the node's state. */
export class RequestRefusedError extends SwarmError {
  readonly code = 'REQUEST_REFUSED'
}

/** A part of the node took too long to stop and was left behind. */
export class StopTimeoutError extends SwarmError {
  readonly code = 'STOP_TIMEOUT'

  constructor(what: string) {
    super(`${what} did not stop in time`, { what })
  }
}

/** The second key that a reader's manifest names cannot be had, so a file would be sealed by X25519 alone without anybody having chosen that. */
export class SealedKeyAbsentError extends SwarmError {
  readonly code = 'SEALED_KEY_ABSENT'

  constructor(recipient: string, cause: unknown) {
    super(
      `the ML-KEM key that the manifest of ${recipient} names cannot be had: try again while that node is connected, or seal by X25519 alone with --classical`,
      { recipient },
      { cause }
    )
  }
}

/** The home has a journal but no key: a new key would break the promises that the journal holds (R9). */
export class KeyLostError extends SwarmError {
  readonly code = 'KEY_LOST'

  constructor(home: string) {
    super(
      `the key of the node in ${home} is gone, but its journal is there: put key.json back from a backup, or start anew with another --home`,
      { home }
    )
  }
}

/** The home has been used but has no journal: with an empty one the node would break the promises that the lost one held (R9). */
export class JournalLostError extends SwarmError {
  readonly code = 'JOURNAL_LOST'

  constructor(home: string) {
    super(
      `the journal of the node in ${home} is gone, and with it what the node has promised: put journal.wal back if it was only moved, or start anew with another --home`,
      { home }
    )
  }
}
