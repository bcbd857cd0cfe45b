/**
 * Goal: which updates of a sender count does not depend on how they come. Method: chains with gaps, forks and too much in them.
 */
import assert from 'node:assert/strict'
import { PLAN_FACTS_MAX } from '../../../../src/core/base/index.ts'
import type { Fact } from '../../../../src/core/envelope/index.ts'
import {
  type PlanChange,
  PlanState,
  planState,
  SESSION_BYTES_MAX,
  SESSION_FACTS_MAX
} from '../../../../src/core/plan/index.ts'
import { addTask, chainOf, link, note, opening, STRANGER } from '../../../support/plan-changes.ts'

function namesOf(changes: readonly PlanChange[]): string[] {
  return planState(changes)
    .view()
    .tasks.map(({ task }) => task)
}

function three(): PlanChange[] {
  return chainOf(STRANGER, [[addTask('a')], [addTask('b')], [addTask('c')]])
}

function forkOf(update: PlanChange, ...facts: Fact[]): PlanChange {
  return { ...update, envelope: `other ${update.envelope}`, facts }
}

describe('core/plan/chains', () => {
  it('count when the whole chain back to the first is there', () => {
    const [first, second, third] = three() as [PlanChange, PlanChange, PlanChange]
    const state = new PlanState()
    assert.deepEqual(state.apply(third).counted, [])
    assert.deepEqual(state.apply(second).counted, [])
    assert.deepEqual(state.view().tasks, [])
    assert.deepEqual(
      state.apply(first).counted,
      [first, second, third].map(({ envelope }) => envelope)
    )
    assert.equal(state.view().tasks.length, 3)
  })

  it('stop where an update names another one before it', () => {
    const [first, second, third] = three() as [PlanChange, PlanChange, PlanChange]
    const chain = { session: 0, seq: 2, previous: 'elsewhere' }
    assert.deepEqual(namesOf([first, { ...second, chain }, third]), ['a'])
  })

  it('count for nobody from the place of a fork on, whenever the other one comes', () => {
    const [first, second, third] = three() as [PlanChange, PlanChange, PlanChange]
    const other = forkOf(second, addTask('x'))
    const orders = [
      [first, second, third, other],
      [other, third, second, first],
      [second, other, first, third]
    ]
    for (const changes of orders) assert.deepEqual(namesOf(changes), ['a'])
    const state = planState([first, second, third])
    const applied = state.apply(other)
    assert.equal(applied.rival, second.envelope)
    assert.deepEqual(applied.retracted, [third.envelope, second.envelope])
    assert.deepEqual(state.view().forks, [{ sender: STRANGER, session: 0, seq: 2 }])
  })

  it('leave other sessions of the sender alone', () => {
    const [first] = three() as [PlanChange]
    const later = chainOf(STRANGER, [[addTask('later')]], { session: 1 })
    assert.deepEqual(namesOf([first, forkOf(first), ...later]), ['later'])
  })

  it('give back what had lost to a fact that is taken back', () => {
    const plan = opening(addTask('a'), addTask('b'))
    const early = chainOf(STRANGER, [[link('a', 'b')]]) as [PlanChange]
    const late = chainOf('did:key:zOther', [[link('b', 'a'), note('b', 'late')]])
    const state = planState([plan, ...early, ...late])
    assert.deepEqual(state.order(), ['b', 'a'], 'the smaller sender goes first')
    const other = planState([plan, ...late, ...early, forkOf(late[0] as PlanChange)])
    assert.deepEqual(other.order(), ['a', 'b'])
    assert.deepEqual(other.view().tasks[1]?.annotations, [])
    const scratch = planState([forkOf(late[0] as PlanChange), ...early, plan, ...late])
    assert.deepEqual(other.view(), scratch.view())
    assert.deepEqual(other.graph(), scratch.graph())
  })

  it('end at the quota of facts, and of bytes, of a session', () => {
    const full = Array.from({ length: PLAN_FACTS_MAX }, (_, at) => note('a', String(at), `k${at}`))
    const most = SESSION_FACTS_MAX / PLAN_FACTS_MAX
    const many = chainOf(
      STRANGER,
      Array.from({ length: most + 1 }, () => full)
    )
    assert.equal(planState(many).counted().length, most)
    assert.equal(planState(many.toReversed()).counted().length, most)
    const large = many.slice(0, 4).map(update => ({ ...update, size: SESSION_BYTES_MAX / 3 }))
    assert.equal(planState(large.toReversed()).counted().length, 3)
  })

  it('say where the next update of a sender goes', () => {
    const [first, second, third] = three() as [PlanChange, PlanChange, PlanChange]
    const next = (...changes: PlanChange[]): unknown => planState(changes).nextPlace(STRANGER)
    const start = { session: 0, seq: 1, previous: null }
    const anew = { session: 1, seq: 1, previous: null }
    assert.deepEqual(next(), start)
    assert.deepEqual(next(first), { session: 0, seq: 2, previous: first.envelope })
    assert.deepEqual(next(first, third), anew, 'one is missing')
    assert.deepEqual(next(first, second, forkOf(second)), anew)
    const [last] = chainOf(STRANGER, [[addTask('z')]], { session: 15 }) as [PlanChange]
    assert.deepEqual(next(last), { session: 15, seq: 2, previous: last.envelope })
    assert.equal(next(last, forkOf(last)), null)
  })

  it('have the last one that counts among the heads of the plan', () => {
    const [first, second, third] = three() as [PlanChange, PlanChange, PlanChange]
    assert.deepEqual(
      planState([opening(), third, first, second]).heads(),
      ['need', third.envelope].sort()
    )
    assert.deepEqual(planState([opening(), third, first]).heads(), ['need', first.envelope].sort())
  })
})
