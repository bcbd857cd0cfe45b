// The merge rules and the derived graph, one behaviour per test.
import assert from 'node:assert/strict'
import { cidOf } from '../../../../src/core/codec/index.ts'
import type { Fact } from '../../../../src/core/envelope/index.ts'
import {
  type PlanChange,
  planDigest,
  planGraph,
  planView
} from '../../../../src/core/plan/index.ts'

const artifact = cidOf(new Uint8Array([1]), 0x55)

function addTask(task: string, type = 'text/upper', requires: string[] = []): Fact {
  return { kind: 'ADD_TASK', task, type, requires, produces: [] }
}

function link(parent: string, child: string): Fact {
  return { kind: 'LINK', parent, child }
}

function change(envelope: string, lamport: number, ...facts: Fact[]): PlanChange {
  return { envelope, sender: 'did:key:zA', lamport, facts, chain: null }
}

describe('core/plan/merge rules', () => {
  it('keeps the ADD_TASK of the smallest source, whichever comes first', () => {
    const early = change('e1', 1, addTask('a', 'text/upper'))
    const late = change('e0', 2, addTask('a', 'text/lower'))
    for (const changes of [
      [early, late],
      [late, early]
    ]) {
      const [task] = planView(changes).tasks
      assert.equal(task?.type, 'text/upper')
      assert.equal(task?.source, 'e1')
    }
  })

  it('breaks ties of the Lamport clock by sender, then envelope, then position', () => {
    const b: PlanChange = { ...change('e1', 1, addTask('a', 'from-b')), sender: 'did:key:zB' }
    assert.equal(planView([b, change('e2', 1, addTask('a', 'from-a'))]).tasks[0]?.type, 'from-a')
    const twice = change('e3', 1, addTask('a', 'first'), addTask('a', 'second'))
    assert.equal(planView([twice]).tasks[0]?.type, 'first')
  })

  it('moves a state forward only', () => {
    const view = planView([
      change('e1', 1, addTask('a'), { kind: 'STATE', task: 'a', state: 'VERIFIED' }),
      change('e2', 2, { kind: 'STATE', task: 'a', state: 'DECIDED' })
    ])
    assert.equal(view.tasks[0]?.state, 'VERIFIED')
  })

  it('keeps the last annotation by source', () => {
    const note = (value: string): Fact => ({ kind: 'ANNOTATE', task: 'a', key: 'k', value })
    const view = planView([change('e2', 2, note('new')), change('e1', 1, note('old'))])
    assert.deepEqual(view.tasks[0]?.annotations, [
      { key: 'k', value: 'new', sender: 'did:key:zA', lamport: 2 }
    ])
  })

  it('shows a task that nobody has added without a type', () => {
    const view = planView([change('e1', 1, { kind: 'REQUIRES', task: 'a', artifact })])
    assert.equal(view.tasks[0]?.type, null)
    assert.deepEqual(view.tasks[0]?.inputs, [artifact.toString()])
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
      { kind: 'STATE', task: 'a', state: 'FINAL' },
      { kind: 'ANNOTATE', task: 'a', key: 'k', value: 'v' }
    ]
    const digests = extra.map(fact => planDigest([base, change('e2', 2, fact)]))
    const texts = [planDigest([base]), ...digests].map(digest =>
      Buffer.from(digest).toString('hex')
    )
    assert.equal(new Set(texts).size, extra.length + 1)
  })

  it('is plain JSON', () => {
    const view = planView([
      change('e1', 1, addTask('a'), { kind: 'REQUIRES', task: 'a', artifact })
    ])
    assert.deepEqual(JSON.parse(JSON.stringify(view)), view)
  })
})

describe('core/plan/graph', () => {
  it('orders children after parents, equal ones by name', () => {
    const changes = [
      change('e1', 1, addTask('c'), addTask('b'), addTask('a'), link('b', 'a'), link('c', 'a'))
    ]
    assert.deepEqual(planGraph(planView(changes)).order, ['b', 'c', 'a'])
  })

  it('leaves out the link that closes a circle, whichever comes first', () => {
    const first = change('e1', 1, addTask('a'), addTask('b'), link('a', 'b'))
    const second = change('e0', 2, link('b', 'a'))
    for (const changes of [
      [first, second],
      [second, first]
    ]) {
      const graph = planGraph(planView(changes))
      assert.deepEqual(graph.order, ['a', 'b'])
      assert.deepEqual(graph.ignored, [{ parent: 'b', child: 'a', source: 'e0', why: 'CYCLE' }])
    }
  })

  it('leaves out a link of a task to itself', () => {
    const graph = planGraph(planView([change('e1', 1, addTask('a'), link('a', 'a'))]))
    assert.deepEqual(graph.order, ['a'])
    assert.equal(graph.ignored[0]?.why, 'CYCLE')
  })

  it('says what is ready and what blocks the rest', () => {
    const start = change('e1', 1, addTask('a'), addTask('b'), link('a', 'b'), link('x', 'b'))
    assert.deepEqual(planGraph(planView([start])).ready, ['a'])
    assert.deepEqual(planGraph(planView([start])).blocked, [{ task: 'b', by: ['a', 'x'] }])
    const done = change(
      'e2',
      2,
      { kind: 'STATE', task: 'a', state: 'FINAL' },
      { kind: 'STATE', task: 'x', state: 'FINAL' }
    )
    assert.deepEqual(planGraph(planView([start, done])).ready, ['b'])
  })
})
