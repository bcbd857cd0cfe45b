import type { FactText } from '../../rpc/index.ts'
import { PlanInvalidError, PlanTooLargeError } from '../errors.ts'
import { PLAN_FACTS_MAX } from '../limits.ts'
import type { CheckedPlan } from './check-plan.ts'
import type { Plan, PlanTask, TaskInput } from './plan.ts'

/** Key of the annotation that says what a task works on: products and artifacts, in order, with blanks between. */
export const INPUTS_KEY = 'inputs'

/**
 * A plan as facts for a PROPOSE: each task, what it works on, what it waits for; and that the NEED's own task waits for the last
 * one. `planOf` reads them back. Throws PlanTooLargeError when they do not fit into one PROPOSE, PlanInvalidError when a task is called like the NEED's.
 */
export function factsOf(
  { order, last, waitsFor }: CheckedPlan,
  need: { readonly task: string }
): FactText[] {
  if (order.some(({ task }) => task === need.task))
    throw new PlanInvalidError(`${need.task} is what the NEED is called: name the task otherwise`)
  const facts = order.flatMap(task => [
    ...taskFacts(task),
    ...(waitsFor.get(task.task) ?? []).map(
      (parent): FactText => ({ kind: 'LINK', parent, child: task.task })
    )
  ])
  facts.push({ kind: 'LINK', parent: last.task, child: need.task })
  if (facts.length > PLAN_FACTS_MAX)
    throw new PlanTooLargeError(
      `the plan takes ${facts.length} facts; a PROPOSE has at most ${PLAN_FACTS_MAX}`
    )
  return facts
}

function taskFacts({ task, capability, inputs, produces }: PlanTask): FactText[] {
  const artifacts = inputs.flatMap(input => ('artifact' in input ? [input.artifact] : []))
  return [
    { kind: 'ADD_TASK', task, type: capability, requires: [capability], produces },
    ...artifacts.map((artifact): FactText => ({ kind: 'REQUIRES', task, artifact })),
    {
      kind: 'ANNOTATE',
      task,
      key: INPUTS_KEY,
      value: inputs.map(input => ('artifact' in input ? input.artifact : input.product)).join(' ')
    }
  ]
}

/** The plan that facts of one PROPOSE state. Tasks without inputs of their own are none of it. */
export function planOf(facts: readonly FactText[]): Plan {
  const products = new Set(facts.flatMap(fact => (fact.kind === 'ADD_TASK' ? fact.produces : [])))
  const inputs = new Map(
    facts.flatMap(fact =>
      fact.kind === 'ANNOTATE' && fact.key === INPUTS_KEY ? [[fact.task, fact.value]] : []
    )
  )
  const tasks = facts.flatMap((fact): PlanTask[] => {
    const value = fact.kind === 'ADD_TASK' ? inputs.get(fact.task) : undefined
    if (fact.kind !== 'ADD_TASK' || value === undefined) return []
    const { task, type, produces } = fact
    const read = value
      .split(' ')
      .map((name): TaskInput => (products.has(name) ? { product: name } : { artifact: name }))
    return [{ task, capability: type, inputs: read, produces }]
  })
  return { tasks }
}
