import assert from 'node:assert/strict'
import { cidOf } from '../../src/core/codec/index.ts'
import type { Fact } from '../../src/core/envelope/index.ts'
import { planDigest } from '../../src/core/plan/index.ts'
import type { PlanChange, PlanStore } from '../../src/ports/index.ts'

const THREAD = 'thread-1'

const artifact = cidOf(new Uint8Array([7]), 0x55)

/** A change with one fact of each kind. */
export function samplePlanChange(number: number, facts?: readonly Fact[]): PlanChange {
  return {
    envelope: `envelope-${number}`,
    sender: `did:key:z${number % 3}`,
    lamport: number,
    chain: null,
    facts: facts ?? [
      {
        kind: 'ADD_TASK',
        task: `task-${number}`,
        type: 'text/upper',
        requires: ['x'],
        produces: []
      },
      { kind: 'REQUIRES', task: `task-${number}`, artifact },
      { kind: 'PRODUCES', task: `task-${number}`, artifact },
      { kind: 'STATE', task: `task-${number}`, state: 'DECIDED' },
      { kind: 'LINK', parent: 'task-0', child: `task-${number}` },
      { kind: 'ANNOTATE', task: 'task-0', key: 'k', value: `漢字 ${number}` }
    ]
  }
}

/** What every plan store does. `create` gives a started, empty store; the suite stops it. */
export function runPlanStoreTests(create: () => Promise<PlanStore>): void {
  const stores: PlanStore[] = []
  const started = async (): Promise<PlanStore> => {
    const store = await create()
    stores.push(store)
    return store
  }
  const filled = async (changes: readonly PlanChange[]): Promise<PlanStore> => {
    const store = await started()
    await Promise.all(changes.map(change => store.apply(THREAD, change)))
    return store
  }
  const changes = Array.from({ length: 12 }, (_, number) => samplePlanChange(number))

  afterEach(async () => {
    await Promise.all(stores.splice(0).map(store => store.stop()))
  })

  it('gives back every fact with its source, in source order', async () => {
    const store = await filled([...changes].reverse())
    const view = await store.view(THREAD)
    assert.deepEqual(view.changes, changes)
    assert.deepEqual(planDigest(view.changes), planDigest(changes))
  })

  it('has equal heads for equal envelopes, in any order', async () => {
    const one = await (await filled(changes)).view(THREAD)
    const other = await (await filled([...changes].reverse())).view(THREAD)
    assert.deepEqual(one.heads, other.heads)
    assert.deepEqual(one.heads, [...one.heads].sort())
    assert.ok(one.heads.every(head => /^[0-9a-f]{64}$/u.test(head)))
  })

  it('has other heads for other envelopes', async () => {
    const store = await filled(changes.slice(1))
    const before = await store.view(THREAD)
    await store.apply(THREAD, changes[0] as PlanChange)
    const after = await store.view(THREAD)
    assert.notDeepEqual(after.heads, before.heads)
  })

  it('takes an envelope once', async () => {
    const store = await filled([...changes, ...changes])
    const once = await store.view(THREAD)
    await store.apply(THREAD, changes[3] as PlanChange)
    assert.deepEqual(await store.view(THREAD), once)
    assert.equal(once.changes.length, changes.length)
  })

  it('shows what was applied before, without waiting for it', async () => {
    const store = await started()
    const applied = store.apply(THREAD, changes[0] as PlanChange)
    assert.equal((await store.view(THREAD)).changes.length, 1)
    await applied
  })

  it('keeps threads apart', async () => {
    const store = await filled(changes)
    assert.deepEqual(await store.view('thread-2'), { heads: [], changes: [] })
  })

  it('makes nothing of an envelope without facts', async () => {
    const store = await filled([samplePlanChange(1, [])])
    assert.deepEqual(await store.view(THREAD), { heads: [], changes: [] })
  })

  it('saves bytes', async () => {
    const store = await filled(changes)
    assert.ok((await store.save(THREAD)).length > 0)
  })
}
