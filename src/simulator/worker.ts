/** Entry of a simulator thread: runs the seeds that it is sent, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { useNodeSha256 } from '../adapters/sha256/index.ts'
import { simulate } from './simulate.ts'
import type { WorkerAnswer, WorkerSetup, WorkerTask } from './worker-protocol.ts'

const setup = workerData as WorkerSetup
useNodeSha256()

async function run({ seed }: WorkerTask): Promise<WorkerAnswer> {
  const options = {
    seed,
    ...(setup.faults === null ? {} : { faults: setup.faults }),
    ...(setup.signatures === null ? {} : { signatures: setup.signatures })
  }
  const { simulatedMs, trace, events, ends, plan, violations } = await simulate(options)
  const answer = { seed, simulatedMs, trace, events, ends }
  if (violations.length === 0) return { ...answer, failure: null }
  // Only now the text is worth its memory: the same seed runs the same way again.
  const { lines } = await simulate(options, { lines: true })
  return { ...answer, failure: { violations, plan, lines: lines ?? [] } }
}

parentPort?.on('message', (task: WorkerTask) => {
  void run(task).then(answer => parentPort?.postMessage(answer))
})
