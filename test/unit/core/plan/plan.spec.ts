/**
 * Goal: each merge rule of protocols/plan, and the graph that follows. Method: a few changes by hand, one behaviour per test.
 */
import assert from 'node:assert/strict'
import { cidOf } from '../../../../src/core/codec/index.ts'
import type { Fact } from '../../../../src/core/envelope/index.ts'
import {
  PLAN_DEPTH_MAX,
  type PlanChange,
  planDigest,
  planGraph,
  planState,
  planView
} from '../../../../src/core/plan/index.ts'
import {
  addTask,
  change,
  decision,
  link,
  note,
  offer,
  opening,
  STRANGER,
  state,
  WORKER
} from '../../../support/plan-changes.ts'

const artifact = cidOf(new Uint8Array([1]), 0x55)

function bothWays(one: PlanChange, other: PlanChange): PlanChange[][] {
  return [
    [opening(), one, other],
    [other, one, opening()]
  ]
}

describe('core/plan/merge rules', () => {
  it('keeps the ADD_TASK of the smallest source, whichever comes first', () => {
    const early = change('e1', 1, addTask('a', 'text/upper'))
    const late = change('e0', 2, addTask('a', 'text/lower'))
    for (const changes of bothWays(early, late)) {
      const [task] = planView(changes).tasks
      assert.equal(task?.type, 'text/upper')
      assert.equal(task?.source, 'e1')
    }
  })

  it('breaks ties of the Lamport clock by sender, then envelope, then position', () => {
    const b: PlanChange = { ...change('e1', 1, addTask('a', 'from-b')), sender: 'did:key:zZ' }
    const a: PlanChange = { ...change('e2', 1, addTask('a', 'from-a')), sender: 'did:key:zA' }
    assert.equal(planView([b, a]).tasks[0]?.type, 'from-a')
    const twice = change('e3', 1, addTask('a', 'first'), addTask('a', 'second'))
    assert.equal(planView([twice]).tasks[0]?.type, 'first')
  })

  it('does not let a stranger overrule the requester, whatever its clock says', () => {
    const own = change('e1', 50, addTask('a', 'own'), note('a', 'own'))
    const early = { ...change('e2', 1, addTask('a', 'other')), sender: STRANGER }
    const late = { ...change('e3', 99, note('a', 'other')), sender: STRANGER }
    const [task] = planView([early, late, own, opening()]).tasks
    assert.equal(task?.type, 'own')
    assert.equal(task?.annotations[0]?.value, 'own')
  })

  it('moves a state forward only', () => {
    const forward = change('e1', 1, addTask('a'), state('a', 'VERIFIED'))
    for (const changes of bothWays(forward, change('e2', 2, state('a', 'DECIDED')))) {
      const [task] = planView(changes).tasks
      assert.equal(task?.state, 'VERIFIED')
      assert.equal(task?.stateSource, 'e1')
    }
  })

  it('does not let a stranger say how far a task is', () => {
    const claim = { ...change('e2', 2, state('a', 'FINAL')), sender: STRANGER }
    const [task] = planView([opening(), change('e1', 1, addTask('a')), claim]).tasks
    assert.equal(task?.state, 'DRAFT')
  })

  it('keeps the last annotation by source', () => {
    const view = planView([
      change('e2', 2, note('a', 'new', 'k')),
      change('e1', 1, note('a', 'old', 'k'))
    ])
    const { sender } = change('e2', 2)
    assert.deepEqual(view.tasks[0]?.annotations, [
      { key: 'k', value: 'new', source: 'e2', sender, lamport: 2 }
    ])
  })

  it('shows a task that nobody has added without a type', () => {
    const view = planView([change('e1', 1, { kind: 'REQUIRES', task: 'a', artifact })])
    assert.equal(view.tasks[0]?.type, null)
    assert.deepEqual(view.tasks[0]?.inputs, [{ artifact: artifact.toString(), source: 'e1' }])
  })

  it('counts an envelope once', () => {
    const one = change('e1', 1, addTask('a'))
    assert.deepEqual(planDigest([one, one]), planDigest([one]))
  })

  it('changes the digest with every fact', () => {
    const base = change('e1', 1, addTask('a'), addTask('b'))
    const extra: Fact[] = [
      addTask('c'),
      link('a', 'b'),
      { kind: 'REQUIRES', task: 'a', artifact },
      { kind: 'PRODUCES', task: 'a', artifact },
      state('a', 'FINAL'),
      note('a', 'v')
    ]
    const sets = [[], ...extra.map(fact => [change('e2', 2, fact)])]
    const texts = sets.map(set =>
      Buffer.from(planDigest([opening(), base, ...set])).toString('hex')
    )
    assert.equal(new Set(texts).size, extra.length + 1)
  })

  it('is plain JSON', () => {
    const view = planView([
      opening(),
      change('e1', 1, addTask('a'), { kind: 'REQUIRES', task: 'a', artifact })
    ])
    assert.deepEqual(JSON.parse(JSON.stringify(view)), view)
  })
})

describe('core/plan/branches', () => {
  it('takes the facts of a proposal once it is decided, whichever comes first', () => {
    const bid = offer('bid', WORKER, addTask('part'))
    assert.deepEqual(planView([opening(), bid]).tasks, [])
    for (const changes of bothWays(bid, decision('bid'))) {
      const view = planView(changes)
      assert.equal(view.tasks.find(({ task }) => task === 'part')?.source, 'bid')
      assert.deepEqual(view.branches, [
        { proposal: 'bid', proposer: WORKER, epoch: 0, orphanedByEpoch: null }
      ])
    }
  })

  it('names the proposal as the source of DECIDED, whoever published the DECIDE', () => {
    const bid = offer('bid', WORKER)
    const one = planView([opening(), bid, decision('bid', 0, 'decide 1')])
    assert.deepEqual(planView([opening(), bid, decision('bid', 0, 'decide 2')]), one)
    assert.equal(one.tasks[0]?.stateSource, 'bid')
  })

  it('lets the decided worker say how far its tasks are', () => {
    const bid = offer('bid', WORKER, addTask('part'))
    const done = { ...change('e9', 9, state('part', 'FINAL')), sender: WORKER }
    const before = planView([opening(), bid, done]).tasks[0]
    assert.equal(before?.state, 'DRAFT')
    const after = planView([opening(), bid, done, decision('bid')])
    assert.equal(after.tasks.find(({ task }) => task === 'part')?.state, 'FINAL')
  })

  it('marks the tasks of a branch that a later epoch did not decide', () => {
    const lost = offer('lost', STRANGER, addTask('old'), addTask('both', 'text/old'))
    const stands = offer('stands', WORKER, addTask('new'), addTask('both', 'text/new'))
    const state = planState([opening(), lost, stands, decision('lost', 0), decision('stands', 2)])
    const marks = state.view().tasks.map(({ task, type, orphanedByEpoch: by }) => [task, type, by])
    assert.deepEqual(marks, [
      ['both', 'text/new', null],
      ['main', null, null],
      ['new', 'text/upper', null],
      ['old', 'text/upper', 2]
    ])
    assert.deepEqual(state.graph().ready, ['both', 'new'])
    assert.deepEqual(
      state.view().branches.map(({ proposal, orphanedByEpoch }) => [proposal, orphanedByEpoch]),
      [
        ['stands', null],
        ['lost', 2]
      ]
    )
  })
})

describe('core/plan/graph', () => {
  it('orders children after parents, equal ones by name', () => {
    const tasks = [addTask('c'), addTask('b'), addTask('a'), link('b', 'a'), link('c', 'a')]
    assert.deepEqual(planGraph([change('e1', 1, ...tasks)]).order, ['b', 'c', 'a'])
  })

  it('leaves out the link that closes a circle, whichever comes first', () => {
    const first = change('e1', 1, addTask('a'), addTask('b'), link('a', 'b'))
    const second = change('e0', 2, link('b', 'a'))
    for (const changes of bothWays(first, second)) {
      const graph = planGraph(changes)
      assert.deepEqual(graph.order, ['a', 'b'])
      assert.deepEqual(graph.ignored, [{ parent: 'b', child: 'a', source: 'e0', why: 'CYCLE' }])
    }
  })

  it('leaves out a link of a task to itself', () => {
    const graph = planGraph([change('e1', 1, addTask('a'), link('a', 'a'))])
    assert.deepEqual(graph.order, ['a'])
    assert.equal(graph.ignored[0]?.why, 'CYCLE')
  })

  it('leaves out a link that makes a way too long', () => {
    const facts = Array.from({ length: PLAN_DEPTH_MAX }, (_, at) => link(`t${at}`, `t${at + 1}`))
    const graph = planGraph([change('e1', 1, ...facts)])
    assert.deepEqual(
      graph.ignored.map(({ child, why }) => [child, why]),
      [[`t${PLAN_DEPTH_MAX}`, 'TOO_DEEP']]
    )
  })

  it('says what is ready and what blocks the rest', () => {
    const start = change('e1', 1, addTask('a'), addTask('b'), link('a', 'b'), link('x', 'b'))
    assert.deepEqual(planGraph([start]).ready, ['a'])
    assert.deepEqual(planGraph([start]).blocked, [{ task: 'b', by: ['a', 'x'] }])
    const done = change('e2', 2, state('a', 'FINAL'), state('x', 'FINAL'))
    assert.deepEqual(planGraph([opening(), start, done]).ready, ['b'])
  })

  it('knows all that a task waits for, and all that waits for it', () => {
    const plan = planState([change('e1', 1, link('a', 'b'), link('b', 'c'), link('x', 'c'))])
    assert.deepEqual(plan.ancestors('c'), ['a', 'b', 'x'])
    assert.deepEqual(plan.descendants('a'), ['b', 'c'])
    assert.deepEqual(plan.ancestors('a'), [])
  })

  it('names the circle that facts would close', () => {
    const plan = planState([change('e1', 1, link('a', 'b'), link('b', 'c'))])
    assert.deepEqual(plan.circleOf([link('c', 'a')]), ['c', 'a', 'b', 'c'])
    assert.deepEqual(plan.circleOf([link('d', 'd')]), ['d', 'd'])
    assert.deepEqual(plan.circleOf([link('c', 'd'), link('d', 'e'), link('e', 'b')]), [
      'e',
      'b',
      'c',
      'd',
      'e'
    ])
    assert.equal(plan.circleOf([link('c', 'd'), addTask('a')]), null)
  })
})
