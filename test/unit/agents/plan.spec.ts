// Goal: a plan that cannot run is refused before anybody bids with it, and what is said of one is read back whole. Method: small plans by hand.
import assert from 'node:assert/strict'
import { checkPlan } from '../../../src/agents/plan/check-plan.ts'
import type { Plan, PlanTask } from '../../../src/agents/plan/plan.ts'
import { factsOf, planOf } from '../../../src/agents/plan/plan-facts.ts'
import { wordCountProgram } from '../../../src/agents/programs/word-programs.ts'
import { PARTS_MAX } from '../../../src/agents/programs/words.ts'
import { CID_A } from '../../support/fake-handlers.ts'

const signal = new AbortController().signal
const NEED = { task: 'text/word-count' }

/** `a: x y > z` is a task `a` that reads `x` and `y` and makes `z`; what nobody makes and begins with `b` is an artifact. */
function planned(...lines: string[]): Plan {
  return { tasks: lines.map(taskOf) }
}

function taskOf(line: string): PlanTask {
  const [task = '', reads = '', makes = ''] = line.split(/[:>]/u).map(part => part.trim())
  const names = (text: string): string[] => text.split(' ').filter(name => name !== '')
  const inputs = names(reads).map(name =>
    name.startsWith('baf') ? { artifact: name } : { product: name }
  )
  return { task, capability: 'text/upper', inputs, produces: names(makes) }
}

describe('agents/plan', () => {
  it('orders tasks by what they wait for', () => {
    const plan = planned('c: x y > z', 'a: bafy > x', 'b: x > y')
    const { order, last, waitsFor, height } = checkPlan(plan)
    assert.deepEqual(
      order.map(({ task }) => task),
      ['a', 'b', 'c']
    )
    assert.equal(last.task, 'c')
    assert.deepEqual(waitsFor.get('c'), ['a', 'b'])
    assert.deepEqual(
      ['a', 'b', 'c'].map(task => height.get(task)),
      [3, 2, 1]
    )
  })

  it('names the circle of a plan that has one', () => {
    const plan = planned('a: bafy z > x', 'b: x > y', 'c: y > z', 'd: z > out')
    assert.throws(() => checkPlan(plan), {
      code: 'PLAN_CYCLE',
      message: 'the plan goes in a circle: a waits for c waits for b waits for a'
    })
    assert.throws(() => checkPlan(planned('a: x > x')), { code: 'PLAN_CYCLE' })
  })

  it('refuses plans that cannot run', () => {
    const cases: [code: string, plan: Plan][] = [
      ['PLAN_INVALID', planned()],
      ['PLAN_INVALID', planned('a: bafy > x', 'a: bafy > y')],
      ['PLAN_INVALID', planned('a: bafy > x', 'b: bafy > x')],
      ['PLAN_INVALID', planned('a: bafy > x', 'b: bafy > y')],
      ['PLAN_INVALID', planned('A: bafy > x')],
      ['PLAN_INPUT_MISSING', planned('a: nothing > x')],
      ['PLAN_ABOVE_LIMIT', planned('a: > x')],
      ['PLAN_ABOVE_LIMIT', planned('a: bafy')],
      ['PLAN_ABOVE_LIMIT', planned(`a: ${'bafy '.repeat(25)}> x`)],
      [
        'PLAN_ABOVE_LIMIT',
        planned(...Array.from({ length: 33 }, (_, index) => `t${index}: bafy > x${index}`))
      ]
    ]
    for (const [code, plan] of cases)
      assert.throws(() => checkPlan(plan), { code }, JSON.stringify(plan))
  })

  it('reads a plan back from its facts, and nothing else', () => {
    const plan = planned(`a: ${CID_A} > x y`, `b: x ${CID_A} y > z`)
    const facts = factsOf(checkPlan(plan), NEED)
    const strange = { kind: 'ADD_TASK', task: 's', type: 't', requires: [], produces: [] } as const
    assert.deepEqual(planOf([...facts, strange]), plan)
    assert.ok(
      facts.some(fact => fact.kind === 'LINK' && fact.parent === 'b' && fact.child === NEED.task)
    )
    assert.throws(() => factsOf(checkPlan(plan), { task: 'a' }), { code: 'PLAN_INVALID' })
  })

  it('plans to count words: the largest fits into a PROPOSE', async () => {
    const input = Buffer.from('many words '.repeat(100_000))
    const plan = await wordCountProgram().plan(input, { signal, inputs: [CID_A] })
    const checked = checkPlan(plan)
    assert.equal(plan.tasks.length, PARTS_MAX + 2)
    assert.equal(checked.last.task, 'merge')
    assert.ok(factsOf(checked, NEED).length <= 128)
    const small = await wordCountProgram().plan(Buffer.from('a b'), { signal, inputs: [CID_A] })
    assert.deepEqual(
      checkPlan(small).order.map(({ task }) => task),
      ['split', 'count-1', 'merge']
    )
  })
})
