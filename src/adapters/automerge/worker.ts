/**
 * Entry of the thread that holds the Automerge documents (R16).
 */
import { hash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../core/base/index.ts'
import { useSha256 } from '../../core/codec/index.ts'
import { Documents } from './documents.ts'
import type { WorkerAnswer, WorkerData, WorkerRequest } from './protocol.ts'

// OpenSSL's hashes this thread's envelopes in a tenth of the time.
useSha256(bytes => new Uint8Array(hash('sha256', bytes, 'buffer')))
const documents = new Documents((workerData as WorkerData).documentsMax)

const port = parentPort
assert(port !== null, 'the plan worker runs in a worker thread')
port.on('message', (request: WorkerRequest) => {
  port.postMessage(answer(request))
})

function answer(request: WorkerRequest): WorkerAnswer {
  if (request.kind === 'reopen') {
    documents.reopen(request.peer)
    return { kind: 'reopened' }
  }
  if (request.kind === 'forget') {
    documents.forget(request.peer)
    return { kind: 'forgotten' }
  }
  if (request.kind === 'drop') {
    documents.drop(request.thread)
    return { kind: 'dropped' }
  }
  if (request.kind === 'judged') {
    documents.judged(request.thread, request.peer)
    return { kind: 'noted' }
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

function handle(
  request: Exclude<WorkerRequest, { kind: 'drop' | 'reopen' | 'forget' | 'judged' }>
): WorkerAnswer {
  const { thread } = request
  switch (request.kind) {
    case 'fold':
      return { kind: documents.fold(thread, request.entries, request) ? 'applied' : 'missing' }
    case 'apply':
      documents.apply(thread, request.entries)
      return { kind: 'applied' }
    case 'view':
      return { kind: 'viewed', ...documents.view(thread) }
    case 'save':
      return { kind: 'saved', bytes: documents.save(thread) }
    case 'hear':
      return { kind: 'heard', ...documents.hear(thread, request.peer, request.message) }
    case 'say':
      return { kind: 'said', ...documents.say(thread, request.peer) }
  }
}
