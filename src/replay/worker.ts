/** Entry of a thread that checks lines of a record: chunk by chunk, in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads'
import { nodeVerifier } from '../adapters/ed25519/index.ts'
import { useNodeSha256 } from '../adapters/sha256/index.ts'
import { checkChunk } from './check-chunk.ts'
import { openGate } from './gate.ts'
import { packChunk } from './packed-chunk.ts'
import type { WorkerAnswer, WorkerSetup, WorkerTask } from './worker-protocol.ts'

useNodeSha256()
const { gate, ...about } = workerData as WorkerSetup
const init = { ...about, verify: nodeVerifier(), gate: gate === null ? null : openGate(gate) }

parentPort?.on('message', ({ text, trusted }: WorkerTask) => {
  const answer: WorkerAnswer = packChunk(checkChunk(text, init, trusted))
  parentPort?.postMessage(answer, [answer.numbers.buffer, answer.bytes.buffer] as ArrayBuffer[])
})
