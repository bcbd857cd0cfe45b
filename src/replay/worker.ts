/** Entry of a thread that checks lines of a record: chunk by chunk, in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads'
import { nodeVerifier } from '../adapters/ed25519/index.ts'
import { useNodeSha256 } from '../adapters/sha256/index.ts'
import { checkChunk } from './check-chunk.ts'
import { packChunk } from './packed-chunk.ts'
import type { WorkerAnswer, WorkerSetup, WorkerTask } from './worker-protocol.ts'

useNodeSha256()
const { gate: setup, ...about } = workerData as WorkerSetup
// The policy engine takes as long to load as all else together.
const gate = setup === null ? null : (await import('./gate.ts')).openGate(setup)
const init = { ...about, verify: nodeVerifier(), gate }

parentPort?.on('message', ({ text, trusted }: WorkerTask) => {
  const answer: WorkerAnswer = packChunk(checkChunk(text, init, trusted))
  parentPort?.postMessage(answer, [answer.numbers.buffer, answer.bytes.buffer] as ArrayBuffer[])
})
