/**
 * Entry of the thread that evaluates policies. It has no state besides loaded capsules: every answer is a function of the
 * capsule and the input.
 */
import { isDeepStrictEqual } from 'node:util'
import { parentPort } from 'node:worker_threads'
import { assert, type Refusal } from '../../core/base/index.ts'
import { decide } from './decide.ts'
import type { EvaluateRequest, LoadRequest, WorkerAnswer, WorkerRequest } from './protocol.ts'
import { Sandbox } from './sandbox.ts'

const sandboxes = new Map<string, Sandbox>()

const port = parentPort
assert(port !== null, 'the policy worker runs in a worker thread')
port.on('message', (request: WorkerRequest) => {
  port.postMessage(request.kind === 'load' ? load(request) : evaluate(request))
})

function load(request: LoadRequest): WorkerAnswer {
  const { capsule, wasm, vectors } = request
  try {
    const created = Sandbox.create(wasm, request.sandbox)
    if (!created.ok) return { kind: 'loaded', capsule, flaw: flawText(created.refusal) }
    const sandbox = created.value
    const failing = vectors.find(
      ({ input, allow, reasons, gas }) =>
        !isDeepStrictEqual(decide(sandbox, input), { allow, reasons, gas })
    )
    if (failing !== undefined) {
      return { kind: 'loaded', capsule, flaw: `it fails its conformance vector "${failing.name}"` }
    }
    sandboxes.set(capsule, sandbox)
    return { kind: 'loaded', capsule, flaw: null }
  } catch (error) {
    return { kind: 'loaded', capsule, flaw: `its wasm does not run: ${String(error)}` }
  }
}

function flawText({ code, message }: Refusal): string {
  return `${message} (${code})`
}

function evaluate({ capsule, input }: EvaluateRequest): WorkerAnswer {
  const sandbox = sandboxes.get(capsule)
  assert(sandbox !== undefined, 'the engine asks loaded capsules only')
  return { kind: 'decided', ...decide(sandbox, input) }
}
