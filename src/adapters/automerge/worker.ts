/**
 * Entry of the thread that holds the Automerge documents (R16).
 */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../core/base/index.ts'
import { Documents } from './documents.ts'
import type { WorkerAnswer, WorkerData, WorkerRequest } from './protocol.ts'

const documents = new Documents((workerData as WorkerData).documentsMax)

const port = parentPort
assert(port !== null, 'the plan worker runs in a worker thread')
port.on('message', (request: WorkerRequest) => {
  port.postMessage(answer(request))
})

function answer(request: WorkerRequest): WorkerAnswer {
  if (request.kind === 'drop') {
    documents.drop(request.thread)
    return { kind: 'dropped' }
  }
  if (request.kind !== 'fold' && !documents.has(request.thread)) return { kind: 'missing' }
  try {
    return handle(request)
  } catch (error) {
    // Automerge's wasm may have run out of memory in the middle: the document is folded anew.
    documents.drop(request.thread)
    return { kind: 'failed', why: String(error) }
  }
}

function handle(request: Exclude<WorkerRequest, { kind: 'drop' }>): WorkerAnswer {
  switch (request.kind) {
    case 'apply':
    case 'fold':
      return { kind: documents.apply(request.thread, request.changes) ? 'applied' : 'too-large' }
    case 'view':
      return { kind: 'viewed', ...documents.view(request.thread) }
    case 'save':
      return { kind: 'saved', bytes: documents.save(request.thread) }
  }
}
