/**
 * Entry of the thread that evaluates policies. It has no state besides loaded capsules: every answer is a function of the
 * capsule and the input.
 */
import { isDeepStrictEqual } from 'node:util'
import { parentPort } from 'node:worker_threads'
import { assert } from '../../core/base/index.ts'
import { type Answer, parseAnswer, TRAPPED } from './answer.ts'
import type { EvaluateRequest, LoadRequest, WorkerAnswer, WorkerRequest } from './protocol.ts'
import { flawOf, Sandbox } from './sandbox.ts'
import { webAssembly } from './web-assembly.ts'

const sandboxes = new Map<string, Sandbox>()

// A policy may print; this program's output is not the place.
console.log = () => undefined

const port = parentPort
assert(port !== null, 'the policy worker runs in a worker thread')
port.on('message', (request: WorkerRequest) => {
  port.postMessage(request.kind === 'load' ? load(request) : evaluate(request))
})

function load(request: LoadRequest): WorkerAnswer {
  const { capsule } = request
  try {
    const module = new webAssembly.Module(request.wasm)
    const flaw = flawOf(module, request.entrypoint)
    if (flaw !== null) return { kind: 'loaded', capsule, flaw }
    const sandbox = new Sandbox(module, request.entrypoint)
    const failing = request.vectors.find(
      ({ input, allow, reasons }) => !isDeepStrictEqual(ask(sandbox, input), { allow, reasons })
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

function evaluate({ capsule, input }: EvaluateRequest): WorkerAnswer {
  const sandbox = sandboxes.get(capsule)
  assert(sandbox !== undefined, 'the engine asks loaded capsules only')
  return { kind: 'decided', ...ask(sandbox, input) }
}

function ask(sandbox: Sandbox, input: string): Answer {
  try {
    return parseAnswer(sandbox.evaluate(input))
  } catch {
    return TRAPPED
  }
}
