/**
 * A thread's record as a file: written by a node, checked and replayed on a machine that never saw the network (R19).
 *
 * 1. Every line is canonical DAG-JSON, hash-chained and signed by the recording node; every envelope in it is signed by its sender.
 * 2. `verify` checks lines, signatures, order and certificates; `replay` also evaluates every policy again and demands that the
 *    outcome derived from the log gives the recorded FINALIZE byte for byte.
 * 3. A certificate or evidence in a file of its own is judged by its bytes alone.
 */
import { fileURLToPath } from 'node:url'
import { nodeVerifier } from '../adapters/ed25519/index.ts'
import { opaPolicyEngine } from '../adapters/opa/index.ts'
import { useNodeSha256 } from '../adapters/sha256/index.ts'
import { checkRecord, type Report } from './check-record.ts'
import type { ReadProgress } from './read-record.ts'

export type { Problem, Report } from './check-record.ts'
export {
  PathFailedError,
  PathNotFoundError,
  ProofMissingError,
  RecordMissingError,
  TargetExistsError
} from './errors.ts'
export { bodyOf, decodeLine, encodeLine, itemOf } from './format.ts'
export { type ProofFormat, type ProofSource, renderProof, writeProof } from './proof-file.ts'
export type { ReadProgress } from './read-record.ts'
export { Replayer } from './replayer.ts'
export {
  type CertificateReport,
  type EvidenceReport,
  OFFENCES,
  verifyCertificate,
  verifyEvidence
} from './verify-proof.ts'
export { type RecordInit, writeNewRecord, writeRecord } from './write-record.ts'

const silent = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined
}

/** Checks a record as it stands: lines, chain, signatures, order, certificates. The thread may still be open in it. */
export function verifyRecord(
  path: string,
  onProgress?: (progress: ReadProgress) => void
): Promise<Report> {
  useNodeSha256()
  return checkRecord(path, {
    verify: nodeVerifier(),
    policy: null,
    replay: false,
    ...(onProgress === undefined ? {} : { onProgress })
  })
}

/** Checks a record, evaluates its policies again, and derives its end anew. */
export async function replayRecord(
  path: string,
  onProgress?: (progress: ReadProgress) => void
): Promise<Report> {
  const policy = opaPolicyEngine({
    workerUrl: new URL(
      import.meta.url.endsWith('.ts') ? '../adapters/opa/worker.ts' : '../adapters/opa/worker.js',
      import.meta.url
    ),
    directories: [fileURLToPath(new URL('../../policies/base', import.meta.url))],
    // A guard only: a replay may run beside anything.
    timeoutMs: 30_000,
    logger: silent
  })
  useNodeSha256()
  await policy.start()
  try {
    return await checkRecord(path, {
      verify: nodeVerifier(),
      policy,
      replay: true,
      ...(onProgress === undefined ? {} : { onProgress })
    })
  } finally {
    await policy.stop()
  }
}
