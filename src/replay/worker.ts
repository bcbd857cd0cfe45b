/** Entry of a thread that checks lines of a record: chunk by chunk, in the order in which they come. */
import { parentPort } from 'node:worker_threads'
import { nodeVerifier } from '../adapters/ed25519/index.ts'
import { useNodeSha256 } from '../adapters/sha256/index.ts'
import { assert } from '../core/base/index.ts'
import { type ChunkInit, checkChunk } from './check-chunk.ts'
import { packChunk } from './packed-chunk.ts'
import type { WorkerAnswer, WorkerMessage, WorkerSetup } from './worker-protocol.ts'

useNodeSha256()
let opened: Promise<ChunkInit> | null = null

parentPort?.on('message', async (message: WorkerMessage) => {
  if ('setup' in message) {
    opened = open(message.setup)
    return
  }
  assert(opened !== null, 'the setup comes before the lines')
  const answer: WorkerAnswer = packChunk(checkChunk(message.text, await opened, message.trusted))
  parentPort?.postMessage(answer, [answer.numbers.buffer, answer.bytes.buffer] as ArrayBuffer[])
})

async function open({ gate: setup, ...about }: WorkerSetup): Promise<ChunkInit> {
  // The policy engine takes as long to load as all else together.
  const gate = setup === null ? null : (await import('./gate.ts')).openGate(setup)
  return { ...about, verify: nodeVerifier(), gate }
}
