// What is particular to Automerge: one change per envelope, documents as a cache that is folded again.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import * as A from '@automerge/automerge'
import { automergeChange } from '../../../../src/adapters/automerge/documents.ts'
import { encodeChange } from '../../../../src/adapters/automerge/encoding.ts'
import {
  type AutomergePlanStoreInit,
  automergePlanStore
} from '../../../../src/adapters/automerge/index.ts'
import type { PlanChange, PlanStore } from '../../../../src/ports/index.ts'
import { samplePlanChange } from '../../../contract/plan-store.ts'

const silent = { error() {}, warn() {}, info() {}, debug() {} }
const workerUrl = new URL('../../../../src/adapters/automerge/worker.ts', import.meta.url)

describe('adapters/automerge/change', () => {
  it('is a function of the envelope: its actor, sequence 1, time 0, no dependencies', () => {
    const change = encodeChange(samplePlanChange(1))
    const bytes = automergeChange(change)
    assert.deepEqual(automergeChange(change), bytes)
    const { actor, seq, time, deps } = A.decodeChange(bytes)
    assert.equal(actor, createHash('sha256').update('envelope-1').digest('hex'))
    assert.deepEqual({ seq, time, deps }, { seq: 1, time: 0, deps: [] })
  })

  it('has the bytes that other implementations must make', () => {
    const change = automergeChange(encodeChange(samplePlanChange(1)))
    assert.equal(A.decodeChange(change).hash, CHANGE_HASH)
  })
})

describe('adapters/automerge/store', () => {
  const stores: PlanStore[] = []
  const create = (init: Partial<AutomergePlanStoreInit> = {}): PlanStore => {
    const store = automergePlanStore({ workerUrl, source: () => [], logger: silent, ...init })
    stores.push(store)
    return store
  }
  afterEach(async () => {
    await Promise.all(stores.splice(0).map(store => store.stop()))
  })

  it('folds a thread from its source at first use', async () => {
    const store = create({ source: thread => (thread === 'a' ? [samplePlanChange(1)] : []) })
    assert.deepEqual((await store.view('a')).changes, [samplePlanChange(1)])
    await store.apply('a', samplePlanChange(2))
    assert.equal((await store.view('a')).changes.length, 2)
  })

  it('folds threads again that were freed, with equal heads', async () => {
    const known = new Map<string, PlanChange[]>()
    const store = create({ documentsMax: 2, source: thread => known.get(thread) ?? [] })
    const threads = ['a', 'b', 'c', 'd', 'e']
    for (const [number, thread] of threads.entries()) {
      known.set(thread, [samplePlanChange(number)])
      await store.apply(thread, samplePlanChange(number))
    }
    const first = await Promise.all(threads.map(thread => store.view(thread)))
    const again = await Promise.all(threads.map(thread => store.view(thread)))
    assert.deepEqual(again, first)
    assert.deepEqual(
      first.map(view => view.changes.length),
      [1, 1, 1, 1, 1]
    )
  })

  it('folds again after its worker was lost', async () => {
    const changes = [samplePlanChange(1), samplePlanChange(2)]
    const store = create({ source: () => changes })
    const before = await store.view('a')
    await store.stop()
    await assert.rejects(store.view('a'), { code: 'PLAN_UNAVAILABLE' })
    await store.start()
    assert.deepEqual(await store.view('a'), before)
  })

  it('says so when its worker cannot run', async () => {
    const store = create({ workerUrl: new URL('data:text/javascript,throw 1') })
    await assert.rejects(store.view('a'), { code: 'PLAN_UNAVAILABLE' })
  })

  it('starts a new worker when one ends', async () => {
    const ends = `import{parentPort}from'node:worker_threads';parentPort.on('message',()=>process.exit(3))`
    const store = create({ workerUrl: new URL(`data:text/javascript,${ends}`) })
    await assert.rejects(store.view('a'), { code: 'PLAN_UNAVAILABLE' })
    await assert.rejects(store.apply('a', samplePlanChange(1)), { code: 'PLAN_UNAVAILABLE' })
  })

  it('refuses a plan of too many facts and keeps what it has', async () => {
    const store = create()
    const facts = Array.from({ length: 20_001 }, () => ({
      kind: 'LINK' as const,
      parent: 'a',
      child: 'b'
    }))
    await store.apply('a', samplePlanChange(1))
    await assert.rejects(store.apply('a', samplePlanChange(2, facts)), { code: 'PLAN_TOO_LARGE' })
    assert.equal((await store.view('a')).changes.length, 1)
  })

  it('lets go of a document, and folds it again from its source when it is asked for', async () => {
    let folds = 0
    const source = (): PlanChange[] => {
      folds++
      return [samplePlanChange(1)]
    }
    const store = create({ source })
    await store.drop('a')
    const before = await store.view('a')
    await store.drop('a')
    assert.deepEqual(await store.view('a'), before)
    assert.equal(folds, 2)
  })

  it('saves a document that Automerge loads with the same heads', async () => {
    const store = create({ source: () => [samplePlanChange(1), samplePlanChange(2)] })
    const loaded = A.load<Record<string, Uint8Array>>(await store.save('a'))
    assert.deepEqual([...A.getHeads(loaded)].sort(), (await store.view('a')).heads)
    assert.equal(Object.keys(loaded).length, 12)
  })
})

// Computed once by Automerge 3.5.0; a change of it breaks equal heads between versions of this program.
const CHANGE_HASH = 'd8bde30e2c71e73992ff87e903086ed2e7c6d45ba97d203e1dc7ff38efd76174'
