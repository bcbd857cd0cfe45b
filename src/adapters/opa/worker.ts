/**
 * Entry of the thread that evaluates policies. It has no state besides loaded capsules: every answer is a function of the
 * capsule and the input.
 */
import { parentPort } from 'node:worker_threads'
import { assert } from '../../core/base/index.ts'
import { decide } from './decide.ts'
import { flawText, loadSandbox } from './load.ts'
import type { EvaluateRequest, LoadRequest, WorkerAnswer, WorkerRequest } from './protocol.ts'
import type { Sandbox } from './sandbox.ts'

const sandboxes = new Map<string, Sandbox>()

const port = parentPort
assert(port !== null, 'the policy worker runs in a worker thread')
port.on('message', (request: WorkerRequest) => port.postMessage(answerTo(request)))

function answerTo(request: WorkerRequest): WorkerAnswer {
  if (request.kind === 'evaluate') return evaluate(request)
  if (request.kind === 'load') return load(request)
  sandboxes.delete(request.capsule)
  return { kind: 'unloaded' }
}

function load(request: LoadRequest): WorkerAnswer {
  const { capsule } = request
  const loaded = loadSandbox(request)
  if (!loaded.ok) return { kind: 'loaded', capsule, flaw: flawText(loaded.refusal) }
  sandboxes.set(capsule, loaded.value)
  return { kind: 'loaded', capsule, flaw: null }
}

function evaluate({ capsule, input }: EvaluateRequest): WorkerAnswer {
  const sandbox = sandboxes.get(capsule)
  assert(sandbox !== undefined, 'the engine asks loaded capsules only')
  return { kind: 'decided', ...decide(sandbox, input) }
}
