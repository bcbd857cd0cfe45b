// Goal: a plan that strangers have filled can be shown in parts that are bounded, and what insiders say is in them. Method: changes put in directly.
import assert from 'node:assert/strict'
import type { Fact } from '../../../../src/core/envelope/index.ts'
import { EXCERPT_ITEMS_MAX, EXCERPT_TASKS_MAX } from '../../../../src/core/plan/excerpt.ts'
import { type PlanChange, PlanState } from '../../../../src/core/plan/index.ts'

const NOTES = 3 * EXCERPT_ITEMS_MAX

const added = (task: string): Fact => ({
  kind: 'ADD_TASK',
  task,
  type: 't',
  requires: [],
  produces: []
})
const note = (task: string, key: string): Fact => ({ kind: 'ANNOTATE', task, key, value: 'v' })

/** The NEED comes last, with a task and a note of its own. */
function planOf(strangers: readonly Fact[]): PlanState {
  const state = new PlanState()
  const chain = { session: 0, seq: 1, previous: null }
  const open: PlanChange = {
    envelope: 'need',
    sender: 'requester',
    lamport: 9,
    size: 1,
    facts: [added('zz-own'), note('zz-own', 'zz-key')],
    chain: null,
    act: { kind: 'open' }
  }
  state.apply({
    ...open,
    envelope: 'b',
    sender: 's',
    lamport: 1,
    facts: strangers,
    chain,
    act: null
  })
  state.apply(open)
  return state
}

describe('core/plan/excerpt', () => {
  it('is the view and the graph where all fits', () => {
    const state = planOf([added('a'), added('b'), { kind: 'LINK', parent: 'b', child: 'a' }])
    const { view, graph, left } = state.excerpt()
    assert.deepEqual(view, state.view())
    assert.deepEqual(graph, state.graph())
    assert.deepEqual(left, { tasks: 0, links: 0, items: 0, forks: 0 })
  })

  it('has what insiders say, and says how much it has not', () => {
    const names = Array.from({ length: EXCERPT_TASKS_MAX + 10 }, (_, at) => `a${at}`)
    const crowd = Array.from({ length: NOTES }, (_, at) => note('zz-own', `a${at}`))
    const links = names.slice(1).map((child): Fact => ({ kind: 'LINK', parent: 'a0', child }))
    const { view, graph, left } = planOf([...names.map(added), ...crowd, ...links]).excerpt()
    assert.equal(view.tasks.length, EXCERPT_TASKS_MAX)
    assert.equal(left.tasks, 11)
    assert.equal(left.links, 11)
    assert.equal(left.items, NOTES + 1 - EXCERPT_ITEMS_MAX)
    const own = view.tasks.at(-1)
    assert.equal(own?.task, 'zz-own')
    assert.ok(own?.annotations.some(({ key }) => key === 'zz-key'))
    assert.equal(graph.order.length, view.tasks.length)
  })

  it('bounds the characters, whatever is in the notes', () => {
    const value = '\u0001'.repeat(4096)
    const facts = Array.from(
      { length: 2_000 },
      (_, at): Fact => ({ kind: 'ANNOTATE', task: `a${at}`, key: 'k', value })
    )
    const excerpt = planOf(facts).excerpt()
    assert.ok(JSON.stringify(excerpt).length < 5e6)
    assert.ok(excerpt.left.tasks > 1_000)
  })
})
