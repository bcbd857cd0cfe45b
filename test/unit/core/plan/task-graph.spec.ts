/**
 * Links as strangers may choose them. Method: the order against a slow second reading of its rules; and the heaviest plans that fit into the
 * limits, timed. What is timed took minutes when a step along a link was not cheap.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Fact } from '../../../../src/core/envelope/index.ts'
import {
  PLAN_DEPTH_MAX,
  PLAN_FLAWS_MAX,
  PLAN_LINKS_MAX,
  type PlanChange,
  type PlanState,
  planState
} from '../../../../src/core/plan/index.ts'
import {
  addTask,
  chainOf,
  decision,
  link,
  note,
  offer,
  opening,
  STRANGER,
  WORKER
} from '../../../support/plan-changes.ts'

/** Ms of CPU time, which a crowded machine does not lengthen as it does time on the wall; ten times what it takes. */
const CPU_MS_MAX = 500

describe('core/plan/task-graph', () => {
  it('leaves out the same links as a slow reading of the rules', () => {
    const name = fc.nat(PLAN_DEPTH_MAX + 40)
    const links = fc.array(fc.tuple(name, name), { minLength: 10, maxLength: 80 })
    fc.assert(
      fc.property(links, fc.nat(3), (some, order) => {
        // A long chain, so that ways get too long; the others are said before, between or after its links.
        const chain = Array.from({ length: PLAN_DEPTH_MAX }, (_, at) => [at + 20, at + 21] as const)
        const all = [...chain.slice(0, order * 85), ...some, ...chain.slice(order * 85)]
        const facts = all.map(([a, b]) => link(`t${a}`, `t${b}`))
        const changes = [opening(), ...chainOf(STRANGER, inUpdates(facts))]
        const { ignored } = planState(changes).graph()
        const flaws = ignored.map(({ parent, child, why }) => `${parent} ${child} ${why}`)
        assert.deepEqual(flaws, flawsOf(facts))
      }),
      { numRuns: 60 }
    )
  })

  it('looks at no more links behind so many that are left out', () => {
    const bad = Array.from({ length: PLAN_FLAWS_MAX }, (_, at) => link(`x${at}`, `x${at}`))
    const changes = chainOf(STRANGER, inUpdates([link('a', 'b'), ...bad, link('c', 'd')]))
    const { ignored } = planState([opening(), ...changes]).graph()
    assert.equal(ignored.filter(({ why }) => why === 'CYCLE').length, PLAN_FLAWS_MAX)
    assert.deepEqual(
      ignored.filter(({ why }) => why === 'TOO_MANY').map(({ parent }) => parent),
      ['c']
    )
    // Those who have a part in the thread come first: no stranger's links push theirs out.
    const own = { ...chainOf('did:key:zRequester', [[link('e', 'f')]])[0], lamport: 99_999 }
    const both = planState([opening(), ...changes, own as PlanChange]).graph()
    assert.ok(!both.ignored.some(({ parent }) => parent === 'e'))
  })

  it('is not held up by links that each move all tasks', () => {
    const state = planState([opening()])
    const below = Array.from({ length: PLAN_LINKS_MAX - PLAN_DEPTH_MAX }, (_, at) =>
      link('top', `leaf-${at}`)
    )
    const above = Array.from({ length: PLAN_DEPTH_MAX - 2 }, (_, at) =>
      link(`way-${at + 1}`, at === 0 ? 'top' : `way-${at}`)
    )
    const updates = chainOf(STRANGER, [...inUpdates(below), ...inUpdates(above)])
    assert.ok(cpuMs(() => apply(state, updates)) < CPU_MS_MAX)
    // A circle, then a link that stands before it: all are looked at again.
    apply(state, chainOf(STRANGER, [[link('leaf-1', 'top')]], { session: 1 }))
    apply(state, [{ ...(chainOf(WORKER, [[link('y', 'z')]])[0] as PlanChange), lamport: 0 }])
    assert.ok(cpuMs(() => state.graph()) < CPU_MS_MAX)
    assert.equal(state.graph().ignored[0]?.why, 'CYCLE')
  })

  it('is not held up by a sender that states one thing ten thousand times and takes it back', () => {
    const state = planState([opening()])
    const facts = Array.from({ length: 20_000 }, () => addTask('a'))
    const updates = chainOf(STRANGER, inUpdates(facts))
    const fork = { ...(updates[0] as PlanChange), envelope: 'another' }
    assert.ok(cpuMs(() => apply(state, [...updates, fork])) < CPU_MS_MAX)
    assert.equal(state.task('a'), undefined)
  })

  it('counts anew only what those said whom a certificate concerns', () => {
    const facts = Array.from({ length: 30_000 }, (_, at) => note(`task-${at % 5_000}`, 'n'))
    const state = planState([opening()])
    const said = chainOf(STRANGER, inUpdates(facts))
    const built = cpuMs(() => apply(state, said))
    apply(state, chainOf(WORKER, [[addTask('mine')]]))
    assert.equal(state.task('mine')?.type, 'text/upper')
    const bid = offer('bid', WORKER, addTask('part'))
    const decided = cpuMs(() => apply(state, [bid, decision('bid')]))
    assert.ok(decided < built / 2, `${decided} ms, and ${built} ms for all facts`)
    assert.equal(state.task('part')?.type, 'text/upper')
  })

  it('keeps what was read until something changes', () => {
    const state = planState([opening(addTask('a'), addTask('b'), link('a', 'b'))])
    const [view, graph] = [state.view(), state.graph()]
    assert.ok(state.view() === view && state.graph() === graph)
    apply(state, chainOf(WORKER, [[addTask('c')]]))
    assert.deepEqual(state.graph().ready, ['a', 'c'])
    assert.equal(state.view().tasks.length, view.tasks.length + 1)
  })
})

function apply(state: PlanState, changes: Iterable<PlanChange>): void {
  for (const change of changes) state.apply(change)
}

function inUpdates(facts: readonly Fact[]): Fact[][] {
  return Array.from({ length: Math.ceil(facts.length / 128) }, (_, at) =>
    facts.slice(at * 128, (at + 1) * 128)
  )
}

function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1_000
}

/** PLAN-4, read once more: each link in turn, with a search through all that were taken. */
function flawsOf(facts: readonly Fact[]): string[] {
  const children = new Map<string, string[]>()
  const flaws: string[] = []
  const seen = new Set<string>()
  for (const fact of facts) {
    if (fact.kind !== 'LINK' || seen.has(`${fact.parent} ${fact.child}`)) continue
    const { parent, child } = fact
    seen.add(`${parent} ${child}`)
    if (isWay(children, child, parent)) flaws.push(`${parent} ${child} CYCLE`)
    else {
      const before = children.get(parent) ?? []
      children.set(parent, [...before, child])
      if (longestWay(children) <= PLAN_DEPTH_MAX) continue
      children.set(parent, before)
      flaws.push(`${parent} ${child} TOO_DEEP`)
    }
  }
  return flaws
}

function isWay(
  children: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string
): boolean {
  const open = [from]
  const seen = new Set(open)
  for (const name of open) {
    if (name === to) return true
    for (const child of children.get(name) ?? [])
      if (!seen.has(child)) {
        seen.add(child)
        open.push(child)
      }
  }
  return false
}

/** Tasks on it. */
function longestWay(children: ReadonlyMap<string, readonly string[]>): number {
  const known = new Map<string, number>()
  const below = (name: string): number => {
    const length =
      known.get(name) ?? 1 + Math.max(0, ...(children.get(name) ?? []).map(child => below(child)))
    known.set(name, length)
    return length
  }
  return Math.max(0, ...[...children.keys()].map(name => below(name)))
}
