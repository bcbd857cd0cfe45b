// The plan converges: any order and any repetition of the same changes gives the same bytes (fast-check).
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cidOf, encode } from '../../src/core/codec/index.ts'
import type { Fact } from '../../src/core/envelope/index.ts'
import { type PlanChange, planDigest, planGraph, planView } from '../../src/core/plan/index.ts'

const task = fc.constantFrom('a', 'b', 'c', 'd', 'constructor')
const names = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 })
const artifact = fc.nat(3).map(byte => cidOf(new Uint8Array([byte]), 0x55))

const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({
    kind: fc.constant('ADD_TASK' as const),
    task,
    type: fc.constantFrom('t/1', 't/2'),
    requires: names,
    produces: names
  }),
  fc.record({ kind: fc.constant('REQUIRES' as const), task, artifact }),
  fc.record({ kind: fc.constant('PRODUCES' as const), task, artifact }),
  fc.record({
    kind: fc.constant('STATE' as const),
    task,
    state: fc.constantFrom(
      'DRAFT' as const,
      'DECIDED' as const,
      'VERIFIED' as const,
      'FINAL' as const
    )
  }),
  fc.record({ kind: fc.constant('LINK' as const), parent: task, child: task }),
  fc.record({
    kind: fc.constant('ANNOTATE' as const),
    task,
    key: fc.constantFrom('k', 'l'),
    value: fc.string({ maxLength: 3 })
  })
)

const changes: fc.Arbitrary<PlanChange[]> = fc.uniqueArray(
  fc.record({
    envelope: fc.nat(200).map(n => `e${n}`),
    sender: fc.constantFrom('did:key:zA', 'did:key:zB'),
    lamport: fc.nat(4),
    facts: fc.array(fact, { maxLength: 6 }),
    chain: fc.constant(null)
  }),
  { selector: change => change.envelope, maxLength: 12 }
)

const reordered = changes.chain(items =>
  fc.tuple(
    fc.constant(items),
    fc.shuffledSubarray(items, { minLength: items.length }),
    fc.subarray(items)
  )
)

describe('property/plan', () => {
  it('gives byte-equal views, graphs and digests for any order and repetition', () => {
    fc.assert(
      fc.property(reordered, ([items, shuffled, again]) => {
        const other = [...again, ...shuffled, ...again]
        assert.deepEqual(encode(planView(other)), encode(planView(items)))
        assert.deepEqual(planDigest(other), planDigest(items))
        assert.deepEqual(encode(planGraph(planView(other))), encode(planGraph(planView(items))))
      }),
      { numRuns: 300 }
    )
  })

  it('orders every task after the tasks that it waits for', () => {
    fc.assert(
      fc.property(changes, items => {
        const view = planView(items)
        const graph = planGraph(view)
        assert.equal(graph.order.length, view.tasks.length)
        const ignored = new Set(graph.ignored.map(link => `${link.parent} ${link.child}`))
        for (const { parent, child } of view.links) {
          if (ignored.has(`${parent} ${child}`)) continue
          assert.ok(graph.order.indexOf(parent) < graph.order.indexOf(child))
        }
      })
    )
  })

  it('never loses a task, an edge or a state', () => {
    fc.assert(
      fc.property(changes, fc.nat(12), (items, cut) => {
        const before = planView(items.slice(0, cut))
        const after = planView(items)
        for (const old of before.tasks) {
          const now = after.tasks.find(candidate => candidate.task === old.task)
          assert.ok(now !== undefined && old.inputs.every(cid => now.inputs.includes(cid)))
          assert.ok(
            ['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL'].indexOf(now.state) >=
              ['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL'].indexOf(old.state)
          )
        }
        assert.ok(
          before.links.every(link =>
            after.links.some(now => now.parent === link.parent && now.child === link.child)
          )
        )
      })
    )
  })
})
