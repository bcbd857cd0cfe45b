/**
 * A thread's record as a file: written by a node, checked and replayed on a machine that never saw the network (R19).
 *
 * 1. Every line is canonical DAG-JSON and hash-chained; the recording node signs the chain, and every envelope in it is signed by its sender.
 * 2. `verify` checks lines, signatures, order and certificates; `replay` also evaluates every policy again and demands that the
 *    outcome derived from the log gives the recorded FINALIZE byte for byte.
 * 3. A certificate or evidence in a file of its own is judged by its bytes alone.
 */
import { useNodeSha256 } from '../adapters/sha256/index.ts'
import { type CheckInit, checkRecord, type Report } from './check-record.ts'

export { AuditLog, type AuditLogInit } from './audit-log.ts'
export type { LogSource } from './audit-source.ts'
export type { CheckInit, Problem, ReadProgress, Report } from './check-record.ts'
export { diffRecords, type RecordDiff, type RecordDifference } from './diff-records.ts'
export { endLogs } from './end-logs.ts'
export {
  AuditLogDamagedError,
  PathFailedError,
  PathNotFoundError,
  ProgressFileError,
  ProofMissingError,
  RecordMissingError,
  RecordWorkerError,
  TargetExistsError
} from './errors.ts'
export type { Findings, Telemetry } from './findings.ts'
export type { Flaw } from './flaw.ts'
export {
  type Body,
  bodyOf,
  decodeLine,
  encodeLine,
  itemOf,
  type Line,
  PROTOCOL_VERSION,
  RECORD_VERSION
} from './format.ts'
export type { GatesAgain } from './gates-again.ts'
export { requireNew, writeNewFile } from './new-file.ts'
export { type ProofFormat, type ProofSource, renderProof, writeProof } from './proof-file.ts'
export { Replayer } from './replayer.ts'
export {
  type CertificateReport,
  type CheckpointReport,
  type EvidenceReport,
  OFFENCES,
  verifyCertificate,
  verifyCheckpoint,
  verifyEvidence
} from './verify-proof.ts'
export { type RecordInit, writeNewRecord, writeRecord } from './write-record.ts'

/** How a record is checked from outside this room. */
export type RunInit = Pick<CheckInit, 'jobs' | 'resume' | 'onProgress' | 'signal'>

/** Checks a record as it stands: lines, chain, signatures, order, certificates. The thread may still be open in it. */
export function verifyRecord(path: string, init: RunInit = {}): Promise<Report> {
  useNodeSha256()
  return checkRecord(path, { ...init, policies: false, replay: false })
}

/** Checks a record, evaluates its policies again, and derives its end anew. */
export function replayRecord(path: string, init: RunInit = {}): Promise<Report> {
  useNodeSha256()
  return checkRecord(path, { ...init, policies: true, gates: true, replay: true })
}
