/**
 * Goal: the plan is a function of the set of envelopes. Method: sets with honest chains and with forks, gaps, wrong names, foreign
 * sessions, too many bytes, circles and several decisions, given to replicas in any order, in parts and again, and looked at in between.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { PLAN_SESSIONS_MAX } from '../../src/core/base/index.ts'
import { cidOf, encode } from '../../src/core/codec/index.ts'
import type { Fact } from '../../src/core/envelope/index.ts'
import {
  type PlanChange,
  PlanState,
  planState,
  SESSION_BYTES_MAX
} from '../../src/core/plan/index.ts'
import { decision, opening, REQUESTER, STRANGER, WORKER } from '../support/plan-changes.ts'

const HUGE = 'n'.repeat(128)
const task = fc.constantFrom('a', 'b', 'c', 'd', 'main', HUGE)
const artifact = fc.nat(3).map(n => cidOf(new Uint8Array([n]), 0x55))
const names = fc.subarray(['x', 'y', HUGE])

const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({
    kind: fc.constant('ADD_TASK' as const),
    task,
    type: fc.constantFrom('t/1', 't/2'),
    requires: names,
    produces: names
  }),
  fc.record({ kind: fc.constantFrom('REQUIRES' as const, 'PRODUCES' as const), task, artifact }),
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
const facts = fc.array(fact, { maxLength: 4 })
const sender = fc.constantFrom(REQUESTER, WORKER, STRANGER, 'did:key:zZ')
const lamport = fc.constantFrom(0, 1, 2, 7, Number.MAX_SAFE_INTEGER)

/** Any place at all: gaps, forks and names of envelopes that do not exist come by themselves. */
const update: fc.Arbitrary<PlanChange> = fc
  .record({
    sender,
    lamport,
    facts,
    session: fc.constantFrom(0, 1, PLAN_SESSIONS_MAX - 1),
    seq: fc.integer({ min: 1, max: 5 }),
    variant: fc.constantFrom(0, 0, 0, 1),
    isAstray: fc.constantFrom(false, false, false, true),
    size: fc.constantFrom(500, 500, 500, Math.floor(SESSION_BYTES_MAX / 2))
  })
  .map(({ session, seq, variant, isAstray, ...rest }) => {
    const idAt = (at: number): string => `${rest.sender}/${session}/${at}/0`
    const previous = seq === 1 ? null : isAstray ? 'elsewhere' : idAt(seq - 1)
    const envelope = `${rest.sender}/${session}/${seq}/${variant}`
    return { ...rest, envelope, chain: { session, seq, previous }, act: null }
  })

const branch: fc.Arbitrary<PlanChange[]> = fc
  .record({
    sender,
    lamport,
    facts,
    name: fc.constantFrom('bid-1', 'bid-2', 'bid-3'),
    epochs: fc.subarray([0, 1, 2])
  })
  .map(({ name: envelope, epochs, ...rest }) => [
    { ...rest, envelope, size: 500, chain: null, act: { kind: 'offer' } },
    ...epochs.flatMap(epoch => [decision(envelope, epoch, `decide ${envelope} ${epoch}`)])
  ])

const changes: fc.Arbitrary<PlanChange[]> = fc
  .tuple(
    facts.map(some => opening(...some)),
    fc.array(update, { maxLength: 30 }),
    fc.array(branch, { maxLength: 3 })
  )
  .map(([need, updates, branches]) => {
    const all = [need, ...updates, ...branches.flat()]
    return [...new Map(all.map(change => [change.envelope, change])).values()]
  })

const shuffled = changes.chain(items =>
  fc.tuple(
    fc.constant(items),
    fc.shuffledSubarray(items, { minLength: items.length }),
    fc.subarray(items),
    fc.array(fc.boolean(), { minLength: items.length, maxLength: items.length })
  )
)

/** All that can be read. */
function reading(state: PlanState): Uint8Array {
  const names = ['a', 'b', 'c', 'd', 'main', HUGE]
  return encode({
    view: state.view(),
    graph: state.graph(),
    heads: state.heads(),
    counted: state.counted().sort(),
    ways: names.map(name => [state.ancestors(name), state.descendants(name)]),
    places: [REQUESTER, WORKER, STRANGER].map(did => state.nextPlace(did))
  })
}

describe('property/plan', () => {
  it('is the same for any order and repetition', () => {
    fc.assert(
      fc.property(shuffled, ([items, other, again]) => {
        assert.deepEqual(
          reading(planState([...again, ...other, ...again])),
          reading(planState(items))
        )
      }),
      { numRuns: 400 }
    )
  })

  it('is the same when it is looked at between changes as when it is made at once', () => {
    fc.assert(
      fc.property(shuffled, fc.nat(3), ([items, other, , looks], restatedMax) => {
        const state = new PlanState(restatedMax)
        other.forEach((change, at) => {
          state.apply(change)
          if (looks[at]) reading(state)
        })
        assert.deepEqual(reading(state), reading(planState(items)))
      }),
      { numRuns: 400 }
    )
  })

  it('is the same on both sides of a partition once each has what the other has', () => {
    fc.assert(
      fc.property(shuffled, ([items, other, left]) => {
        const right = items.filter(item => !left.includes(item))
        const one = planState(left)
        const two = planState(right.toReversed())
        reading(one)
        reading(two)
        for (const change of other) {
          one.apply(change)
          two.apply(change)
        }
        assert.deepEqual(reading(one), reading(two))
      }),
      { numRuns: 200 }
    )
  })

  it('orders every task after the tasks that it waits for, and leaves out no more links than it must', () => {
    fc.assert(
      fc.property(changes, items => {
        const state = planState(items)
        const { order, ignored } = state.graph()
        const { links, tasks } = state.view()
        assert.equal(order.length, tasks.length)
        const flaws = new Set(ignored.map(({ parent, child }) => `${parent} ${child}`))
        for (const { parent, child } of links) {
          const isIn = order.indexOf(parent) < order.indexOf(child)
          if (flaws.has(`${parent} ${child}`))
            assert.ok(state.circleOf([{ kind: 'LINK', parent, child }]) !== null)
          else assert.ok(isIn)
        }
      })
    )
  })

  it('traces everything that it shows to an envelope that it was given', () => {
    fc.assert(
      fc.property(changes, items => {
        const given = new Set(items.map(({ envelope }) => envelope))
        const { tasks, links } = planState(items).view()
        const sources = tasks.flatMap(one => [
          ...[one.source, one.stateSource].filter(source => source !== null),
          ...[...one.inputs, ...one.outputs, ...one.annotations].map(({ source }) => source)
        ])
        // A DECIDE counts as its PROPOSE's, which may be missing here.
        for (const source of [...sources, ...links.map(({ source }) => source)])
          assert.ok(given.has(source) || source.startsWith('bid-'))
      })
    )
  })
})
