// Goal: documents are functions of the set of envelopes, and a cache that is folded again. Method: one store in a real worker.
import assert from 'node:assert/strict'
import * as A from '@automerge/automerge'
import {
  type AutomergePlanStoreInit,
  automergePlanStore
} from '../../../../src/adapters/automerge/index.ts'
import { PlanDocument } from '../../../../src/adapters/automerge/plan-document.ts'
import { useNodeSha256 } from '../../../../src/adapters/sha256/index.ts'
import type { Admitted } from '../../../../src/core/envelope/index.ts'
import type { PlanEntry } from '../../../../src/core/plan/index.ts'
import type { PlanStore, Signer } from '../../../../src/ports/index.ts'
import { entryOf, PLAN_NEED, PLAN_THREAD, planChain } from '../../../support/plan-chains.ts'
import { SIGNERS } from '../../../support/sample-drafts.ts'
import { sampleEnvelope } from '../../../support/sample-envelopes.ts'

useNodeSha256()
const silent = { error() {}, warn() {}, info() {}, debug() {} }
const workerUrl = new URL('../../../../src/adapters/automerge/worker.ts', import.meta.url)
const chain = planChain({ count: 8 })
const other = planChain({ signer: SIGNERS[1] as Signer, count: 5 })
const envelopes: readonly Admitted[] = [PLAN_NEED, ...chain, ...other]
/** What vectors/plan-document holds to fixed bytes. */
const HEADS = headsByHand(envelopes)

describe('adapters/automerge/store', () => {
  const stores: PlanStore[] = []
  const create = (init: Partial<AutomergePlanStoreInit> = {}): PlanStore => {
    const store = automergePlanStore({ workerUrl, source: () => [], logger: silent, ...init })
    stores.push(store)
    return store
  }
  /** A store with these envelopes, and a source that has as much as was applied. */
  const filled = async (list: readonly Admitted[]): Promise<PlanStore> => {
    const known: PlanEntry[] = []
    const store = create({ source: () => known })
    for (const admitted of list) {
      known.push(entryOf(admitted))
      void store.apply(PLAN_THREAD, entryOf(admitted))
      // Some are applied one by one, some together.
      if (known.length % 3 === 0) await store.view(PLAN_THREAD)
    }
    return store
  }
  const headsOf = async (list: readonly Admitted[]): Promise<readonly string[]> =>
    (await (await filled(list)).view(PLAN_THREAD)).heads

  afterEach(async () => {
    await Promise.all(stores.splice(0).map(store => store.stop()))
  })

  it('has equal heads for equal envelopes, in any order and with any repetition', async () => {
    assert.deepEqual(await headsOf(envelopes), HEADS)
    assert.deepEqual(await headsOf([...envelopes].reverse()), HEADS)
    assert.deepEqual(await headsOf([...envelopes, ...envelopes]), HEADS)
  })

  it('has one head for each chain and each single envelope', async () => {
    assert.equal((await headsOf([...chain, ...other])).length, 2)
    assert.equal(HEADS.length, 3)
  })

  it('leaves out what has a gap before it until that is filled', async () => {
    const gap = [...chain.slice(0, 3), ...chain.slice(4)]
    assert.deepEqual(await headsOf(gap), await headsOf(chain.slice(0, 3)))
    assert.deepEqual(await headsOf([...gap, chain[3] as Admitted]), await headsOf(chain))
  })

  it('takes a session out from where its sender says two things, whichever came first', async () => {
    const fork = planChain({ count: 3, salt: 'fork', after: chain[3] as Admitted<'UPDATE_PLAN'> })
    const before = await headsOf([PLAN_NEED, ...chain.slice(0, 4), ...other])
    const orders = [
      [PLAN_NEED, ...chain, ...other, ...fork],
      [PLAN_NEED, ...fork, ...other, ...chain],
      [...fork].reverse().concat([...chain].reverse(), other, PLAN_NEED as never)
    ]
    for (const order of orders) assert.deepEqual(await headsOf(order), before)
  })

  it('folds nothing anew for a sender that forks its chain at each place, from its end on', async () => {
    const known: PlanEntry[] = []
    let folds = 0
    const source = (): PlanEntry[] => {
      folds++
      return known
    }
    const store = create({ source })
    const apply = (list: readonly Admitted[]): void => {
      for (const entry of list.map(entryOf)) {
        known.push(entry)
        void store.apply(PLAN_THREAD, entry)
      }
    }
    apply(envelopes)
    assert.deepEqual((await store.view(PLAN_THREAD)).heads, HEADS)
    const before = folds
    for (let seq = chain.length; seq > 0; seq--) {
      const after = chain[seq - 2] as Admitted<'UPDATE_PLAN'>
      apply(planChain({ count: 1, salt: 'rival', ...(seq > 1 && { after }) }))
      const left = headsByHand([PLAN_NEED, ...chain.slice(0, seq - 1), ...other])
      assert.deepEqual((await store.view(PLAN_THREAD)).heads, left)
    }
    assert.equal(folds, before)
  })

  it('shows what was applied before, without waiting for it', async () => {
    const store = create({ source: () => [entryOf(PLAN_NEED)] })
    const applied = store.apply(PLAN_THREAD, entryOf(PLAN_NEED))
    assert.deepEqual((await store.view(PLAN_THREAD)).envelopes, [PLAN_THREAD])
    await applied
  })

  it('makes no document that nobody asks for, and from then on keeps it', async () => {
    const known: PlanEntry[] = [entryOf(PLAN_NEED)]
    let folds = 0
    const source = (): PlanEntry[] => {
      folds++
      return [...known]
    }
    const store = create({ source })
    await store.apply(PLAN_THREAD, entryOf(PLAN_NEED))
    assert.equal(folds, 0)
    assert.deepEqual((await store.view(PLAN_THREAD)).envelopes, [PLAN_THREAD])
    for (const admitted of chain) await store.apply(PLAN_THREAD, entryOf(admitted))
    assert.deepEqual((await store.view(PLAN_THREAD)).heads, headsByHand([PLAN_NEED, ...chain]))
    assert.equal(folds, 1)
  })

  it('keeps threads apart', async () => {
    const store = await filled(envelopes)
    const need = sampleEnvelope('NEED', { lamport: 9 })
    assert.deepEqual((await store.view(PLAN_THREAD)).heads, HEADS)
    assert.notDeepEqual((await store.view(need.id)).heads, HEADS)
  })

  it('folds documents again that were freed, with equal heads', async () => {
    const folds: string[] = []
    const source = (thread: string): PlanEntry[] => {
      folds.push(thread)
      return envelopes.map(entryOf)
    }
    const store = create({ documentsMax: 2, source })
    const threads = [PLAN_THREAD, 'b', 'c', 'd']
    const first = await Promise.all(threads.map(thread => store.view(thread)))
    const again = await Promise.all(threads.map(thread => store.view(thread)))
    assert.deepEqual(again, first)
    assert.ok(folds.length > threads.length)
    await store.drop(PLAN_THREAD)
    assert.deepEqual((await store.view(PLAN_THREAD)).heads, HEADS)
  })

  it('folds bit by bit, so that others have their turn, and tells the hearer how much that was', async () => {
    const long = planChain({ count: 1_200 }).map(entryOf)
    let inTurn = 0
    let most = 0
    function* source(thread: string): Iterable<PlanEntry> {
      for (const entry of thread === PLAN_THREAD ? long : []) {
        if (inTurn++ === 0) setImmediate(() => (inTurn = 0))
        most = Math.max(most, inTurn)
        yield entry
      }
    }
    const store = create({ documentsMax: 1, source })
    const hello = Uint8Array.of(0x42, 0, 0, 0, 0)
    const hear = async (thread: string): Promise<number> =>
      (await store.hear(thread, 'peer', hello)).folded
    assert.equal(await hear(PLAN_THREAD), long.length)
    assert.ok(most < long.length / 2, `${most} in one turn`)
    assert.equal(await hear(PLAN_THREAD), 0)
    const [one, two] = await Promise.all([store.view(PLAN_THREAD), store.view(PLAN_THREAD)])
    assert.deepEqual([one, one.envelopes.length], [two, long.length])
    assert.equal(await hear('other'), 0)
    assert.equal(await hear(PLAN_THREAD), long.length)
  })

  it('folds again after its worker was killed in the middle, with equal heads', async () => {
    const store = create({ source: () => envelopes.map(entryOf) })
    const applied = envelopes.map(admitted => store.apply(PLAN_THREAD, entryOf(admitted)))
    await store.stop()
    await Promise.allSettled(applied)
    await assert.rejects(store.view(PLAN_THREAD), { code: 'PLAN_UNAVAILABLE' })
    await store.start()
    assert.deepEqual((await store.view(PLAN_THREAD)).heads, HEADS)
  })

  it('says so when its worker cannot run', async () => {
    const store = create({ workerUrl: new URL('data:text/javascript,throw 1') })
    await assert.rejects(store.view('a'), { code: 'PLAN_UNAVAILABLE' })
  })

  it('starts a new worker when one ends', async () => {
    const ends = `import{parentPort}from'node:worker_threads';parentPort.on('message',()=>process.exit(3))`
    const store = create({ workerUrl: new URL(`data:text/javascript,${ends}`) })
    await assert.rejects(store.view('a'), { code: 'PLAN_UNAVAILABLE' })
    await assert.rejects(store.apply('a', entryOf(PLAN_NEED)), { code: 'PLAN_UNAVAILABLE' })
  })

  it('saves a document that Automerge loads with the same heads and every envelope', async () => {
    const store = create({ source: () => envelopes.map(entryOf) })
    const loaded = A.load<Record<string, Record<string, Uint8Array>>>(await store.save(PLAN_THREAD))
    assert.deepEqual([...A.getHeads(loaded)].sort(), HEADS)
    const found = Object.assign({}, ...Object.values(loaded)) as Record<string, Uint8Array>
    assert.deepEqual(Object.keys(found).sort(), envelopes.map(({ id }) => id).sort())
    assert.deepEqual(found[PLAN_THREAD], PLAN_NEED.bytes)
  })
})

function headsByHand(list: readonly Admitted[]): string[] {
  const document = new PlanDocument(PLAN_THREAD)
  document.apply(list.map(entryOf))
  return document.heads()
}
