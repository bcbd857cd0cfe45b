// Goal: the tasks of a plan are done in order, once, by others, and what cannot be done says why. Method: a swarm that does what it is asked, or not.
import assert from 'node:assert/strict'
import { checkPlan } from '../../../src/agents/plan/check-plan.ts'
import { type Coordinated, coordinate } from '../../../src/agents/plan/coordinator.ts'
import type { Plan } from '../../../src/agents/plan/plan.ts'
import { planCost, taskTerms } from '../../../src/agents/plan/terms.ts'
import type { SwarmClient } from '../../../src/rpc/index.ts'
import { ME } from '../../support/agent-harness.ts'
import { CID_A } from '../../support/fake-handlers.ts'
import { planThread, type Stated, type TaskEnd, TaskSwarm } from '../../support/task-swarm.ts'

/** Splits into parts, counts each, merges. */
function mapReduce(parts: number): Plan {
  const numbers = Array.from({ length: parts }, (_, index) => index + 1)
  return {
    tasks: [
      {
        task: 'split',
        capability: 'split',
        inputs: [{ artifact: CID_A }],
        produces: numbers.map(number => `part-${number}`)
      },
      ...numbers.map(number => ({
        task: `count-${number}`,
        capability: 'count',
        inputs: [{ product: `part-${number}` }],
        produces: [`counts-${number}`]
      })),
      {
        task: 'merge',
        capability: 'merge',
        inputs: numbers.toReversed().map(number => ({ product: `counts-${number}` })),
        produces: ['all']
      }
    ]
  }
}

/** Each task makes as many outputs as it should, named after what it read. */
function good(plan: Plan): (need: Stated) => TaskEnd {
  return ({ capability, inputCids = [] }) => {
    const task = plan.tasks.find(one => one.capability === capability)
    const made = task?.produces ?? []
    return { outputs: made.map((_, index) => `${capability}(${inputCids.join('+')})#${index}`) }
  }
}

describe('agents/plan/coordinator', () => {
  const view = planThread()
  let stop: AbortController
  let progress: number[]
  beforeEach(() => {
    stop = new AbortController()
    progress = []
  })
  afterEach(() => stop.abort())

  const run = (swarm: TaskSwarm, plan: Plan): Promise<Coordinated> =>
    coordinate(swarm as SwarmClient, view, {
      plan,
      did: ME,
      share: 5n,
      signal: stop.signal,
      progress: percent => progress.push(percent),
      onTask: () => undefined
    })

  it('states each task when what it waits for is FINAL, with its outputs as inputs in order', async () => {
    const plan = mapReduce(3)
    const swarm = new TaskSwarm(good(plan))
    const { outputs, spent, tokens } = await run(swarm, plan)
    assert.deepEqual(swarm.tasks().at(0), 'split.1')
    assert.deepEqual(swarm.tasks().slice(1, 4).sort(), ['count-1.1', 'count-2.1', 'count-3.1'])
    assert.deepEqual(swarm.tasks().slice(4), ['merge.1'])
    const counts = [3, 2, 1].map(number => `count(split(${CID_A})#${number - 1})#0`)
    assert.deepEqual(swarm.stated.at(-1)?.inputCids, counts)
    assert.deepEqual(outputs, [`merge(${counts.join('+')})#0`])
    assert.equal(spent, 15n, 'what comes back is not spent')
    assert.equal(tokens, 10)
    assert.equal(progress.at(-1), 100)
  })

  it('rests each task on the proposal that was decided and on the results that it reads', async () => {
    const plan = mapReduce(2)
    const swarm = new TaskSwarm(good(plan))
    await run(swarm, plan)
    assert.deepEqual(swarm.stated[0]?.refs, ['p'])
    const counted = swarm.stated.filter(({ capability }) => capability === 'count')
    for (const { refs } of counted) assert.deepEqual(refs, ['p', 'finalize-thread-1'])
    const results = counted.map(({ thread }) => `finalize-${thread}`)
    assert.deepEqual([...(swarm.stated.at(-1)?.refs ?? [])].sort(), [...results, 'p'].sort())
  })

  it('says what happens to each task, with the result that shows it', async () => {
    const plan = mapReduce(1)
    const swarm = new TaskSwarm(good(plan))
    await run(swarm, plan)
    const said = swarm.factsSaid()
    const facts = said.flatMap(({ facts }) => facts)
    const count = `count(split(${CID_A})#0)#0`
    for (const fact of [
      { kind: 'ANNOTATE', task: 'count-1', key: 'thread', value: 'thread-2' },
      { kind: 'STATE', task: 'count-1', state: 'DECIDED' },
      { kind: 'PRODUCES', task: 'count-1', artifact: count },
      { kind: 'STATE', task: 'count-1', state: 'FINAL' }
    ])
      assert.equal(facts.filter(one => JSON.stringify(one) === JSON.stringify(fact)).length, 1)
    const produced = said.find(({ facts }) =>
      facts.some(fact => 'artifact' in fact && fact.artifact === count)
    )
    assert.ok(produced?.refs?.includes('finalize-thread-2'))
  })

  it('opens bids slowly at first, so that workers see what each of them was given', async () => {
    const plan = mapReduce(12)
    const swarm = new TaskSwarm(good(plan))
    const hold = Promise.withResolvers<void>()
    await Promise.all([
      run(swarm, plan),
      swarm.called('need.state', 1).then(async () => {
        await swarm.called('need.state', 2)
        swarm.holdUntil(hold.promise)
        // All of the map runs at once though no two of its first were stated together.
        await swarm.called('need.state', 13)
        hold.resolve()
      })
    ])
    const first = swarm.calls.findIndex(
      ({ method, params }) => method === 'need.state' && (params as Stated).capability === 'count'
    )
    const next = swarm.calls.slice(first + 1).findIndex(({ method }) => method === 'need.state')
    const looks = swarm.calls.slice(first, first + next).map(({ method }) => method)
    assert.ok(looks.includes('thread.get'), 'the second waits until the first is decided')
    assert.ok(swarm.undecidedMax > 1 && swarm.openMax >= 11)
  })

  it('tries a failed task again, in a slot of its own', async () => {
    const plan = mapReduce(2)
    const ends = good(plan)
    const swarm = new TaskSwarm(need =>
      need.slot.includes('/count-2@') && need.slot.endsWith('.1')
        ? { failed: 'nobody came' }
        : ends(need)
    )
    await run(swarm, plan)
    assert.equal(swarm.tasks().filter(task => task === 'count-2.2').length, 1)
    const facts = swarm.factsSaid().flatMap(({ facts }) => facts) as { value?: string }[]
    assert.ok(facts.some(({ value }) => value === 'attempt 1: EXPIRED: nobody came'))
  })

  it('fails with the reason when a task has failed as often as it may', async () => {
    const plan = mapReduce(2)
    const ends = good(plan)
    const swarm = new TaskSwarm(need =>
      need.slot.includes('/count-1@') ? { failed: 'nobody came' } : ends(need)
    )
    await assert.rejects(run(swarm, plan), {
      code: 'PLAN_TASK_FAILED',
      message: 'count-1 of the plan failed 2 times: EXPIRED: nobody came'
    })
    assert.ok(!swarm.tasks().includes('merge.1'))
  })

  it('does not go on with a task that made less than the plan says', async () => {
    const plan = mapReduce(2)
    const swarm = new TaskSwarm(() => ({ outputs: ['one'] }))
    await assert.rejects(run(swarm, plan), {
      code: 'PLAN_TASK_FAILED',
      message: /it made 1 outputs, the plan has 2/u
    })
  })

  it('goes on after a restart with what was stated before, and says nothing twice', async () => {
    const plan = mapReduce(3)
    const swarm = new TaskSwarm(good(plan))
    const never = new Promise<void>(() => undefined)
    await swarm.called('need.state', 0)
    const first = run(swarm, plan)
    first.catch(() => undefined)
    await swarm.called('need.state', 2)
    swarm.holdUntil(never)
    await swarm.called('need.state', 3)
    stop.abort(new Error('killed'))
    await assert.rejects(first, /killed/u)
    const before = swarm.tasks()

    stop = new AbortController()
    const said = swarm.factsSaid().flatMap(({ facts }) => facts)
    const again = new TaskSwarm(good(plan))
    again.on('plan.changes', ({ sender, after }) => {
      assert.equal(sender, ME)
      const [first, second] = [said.slice(0, 3), said.slice(3)]
      const facts = after === 'first' ? second : first
      const change = { envelope: 'e', sender: ME, lamport: 1, facts, chain: null }
      return { changes: [change], next: after === 'first' ? null : 'first' }
    })
    for (const need of swarm.stated) again.adopt(need, good(plan)(need))
    await run(again, plan)
    const tasks = [...before, ...again.tasks()]
    assert.deepEqual([...new Set(tasks)].length, tasks.length, `twice: ${tasks}`)
    assert.equal(tasks.length, 5)
    const repeated = again.factsSaid().flatMap(({ facts }) => facts)
    for (const fact of said)
      assert.ok(!repeated.some(one => JSON.stringify(one) === JSON.stringify(fact)))
  })

  it('refuses a plan with a circle before anything is stated', async () => {
    const swarm = new TaskSwarm(() => ({ outputs: [] }))
    const plan: Plan = {
      tasks: [
        { task: 'a', capability: 'x', inputs: [{ product: 'q' }], produces: ['p'] },
        { task: 'b', capability: 'x', inputs: [{ product: 'p' }], produces: ['q'] }
      ]
    }
    await assert.rejects(run(swarm, plan), { code: 'PLAN_CYCLE' })
    assert.equal(swarm.stated.length, 0)
  })
})

describe('agents/plan/terms', () => {
  it('pays each task out of what the NEED pays', () => {
    assert.deepEqual(planCost({ price: '1', tasks: 6 }, '100'), { cost: 31n, share: 5n })
    assert.deepEqual(planCost({ price: '1', tasks: 6 }, '20'), { cost: 19n, share: 3n })
    assert.throws(() => planCost({ price: '1', tasks: 6 }, '6'), { code: 'PLAN_BUDGET' })
    assert.throws(() => planCost({ price: '9', tasks: 1 }, '2'), { code: 'PLAN_BUDGET' })
  })

  it('gives each task a part of the time that is left, and windows that fit into it', () => {
    const windows = {
      bidMs: 1000,
      leaseTtlMs: 9000,
      verifyMs: 6000,
      sealMs: 0,
      revealMs: 2000,
      challengeMs: 1000
    }
    const parent = planThread({ expiresAt: 20_000, windows, kPlan: 2, kResult: 3 })
    const terms = taskTerms(parent, { height: 3, share: 5n, nowMs: 0 })
    assert.deepEqual([terms.kPlan, terms.kResult, terms.ttlMs], [2, 3, 5000])
    assert.deepEqual([terms.budget, terms.verifyBounty], ['4', '1'])
    assert.deepEqual(terms.windows, {
      bidMs: 500,
      leaseTtlMs: 9000,
      verifyMs: 3000,
      sealMs: 0,
      revealMs: 1000,
      challengeMs: 500
    })
    assert.equal('terms' in terms, false)
    const asked = { zones: ['eu'], tags: [], perOrg: null, perZone: null, tokensMax: 5 }
    const bound = taskTerms({ ...parent, terms: asked }, { height: 3, share: 5n, nowMs: 0 })
    assert.deepEqual(bound.terms, { zones: ['eu'], tags: [], tokensMax: 5 })
    const late = { height: 3, share: 5n, nowMs: 19_000 }
    assert.throws(() => taskTerms(parent, late), { code: 'PLAN_TASK_FAILED' })
    assert.equal(taskTerms(parent, { height: 1, share: 5n, nowMs: 0 }).windows?.bidMs, 1000)
  })

  it('knows how many tasks still follow each other', () => {
    const { height } = checkPlan(mapReduce(2))
    assert.deepEqual([...height].sort(), [['count-1', 2], ['count-2', 2], ['merge', 1], ['split', 3]]) // biome-ignore format: pairs
  })
})
