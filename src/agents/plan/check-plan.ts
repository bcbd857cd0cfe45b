import {
  PlanCycleError,
  PlanInputMissingError,
  PlanInvalidError,
  PlanTooLargeError
} from '../errors.ts'
import { PLAN_TASKS_MAX, TASK_INPUTS_MAX, TASK_OUTPUTS_MAX } from '../limits.ts'
import type { Plan, PlanTask } from './plan.ts'

/** A plan that can run. */
export type CheckedPlan = {
  /** Every task after those that it waits for. */
  readonly order: readonly PlanTask[]
  /** The task whose outputs are the result. */
  readonly last: PlanTask
  /** Names of the tasks that each task waits for, in the order of its inputs. */
  readonly waitsFor: ReadonlyMap<string, readonly string[]>
  /** Tasks on the longest way from each task to the last, itself included. */
  readonly height: ReadonlyMap<string, number>
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/u

/**
 * Whether a plan can run. Throws PlanInvalidError for names that are wrong or not unique, and for more than one last task; PlanTooLargeError; PlanInputMissingError for a
 * product that no task makes; PlanCycleError, which names the circle.
 */
export function checkPlan({ tasks }: Plan): CheckedPlan {
  if (tasks.length > PLAN_TASKS_MAX)
    throw new PlanTooLargeError(`a plan has at most ${PLAN_TASKS_MAX} tasks, not ${tasks.length}`)
  const makers = makersOf(tasks)
  const waitsFor = new Map(tasks.map(task => [task.task, parentsOf(task, makers)]))
  const order = orderOf(tasks, waitsFor)
  const waited = new Set([...waitsFor.values()].flat())
  const [last, ...others] = tasks.filter(({ task }) => !waited.has(task))
  if (last === undefined || others.length > 0)
    throw new PlanInvalidError(
      `a plan ends with one task: nobody waits for ${[last, ...others].map(one => one?.task).join(', ') || 'any'}`
    )
  return { order, last, waitsFor, height: heightsOf(order, waitsFor) }
}

/** Which task makes each product. */
function makersOf(tasks: readonly PlanTask[]): Map<string, string> {
  const makers = new Map<string, string>()
  const names = new Set<string>()
  for (const { task, inputs, produces } of tasks) {
    for (const name of [task, ...produces])
      if (!NAME.test(name))
        throw new PlanInvalidError(`"${name}" is no name: write up to 64 of a-z 0-9 . _ -`)
    if (names.has(task)) throw new PlanInvalidError(`two tasks are called ${task}`)
    names.add(task)
    if (inputs.length < 1 || inputs.length > TASK_INPUTS_MAX)
      throw new PlanTooLargeError(`${task} has ${inputs.length} inputs: 1 to ${TASK_INPUTS_MAX}`)
    if (produces.length < 1 || produces.length > TASK_OUTPUTS_MAX)
      throw new PlanTooLargeError(
        `${task} has ${produces.length} outputs: 1 to ${TASK_OUTPUTS_MAX}`
      )
    for (const product of produces) {
      const other = makers.get(product)
      if (other !== undefined)
        throw new PlanInvalidError(`${product} is made twice, by ${other} and ${task}`)
      makers.set(product, task)
    }
  }
  return makers
}

function parentsOf(
  { task, inputs }: PlanTask,
  makers: ReadonlyMap<string, string>
): readonly string[] {
  const parents = inputs.flatMap(input => {
    if ('artifact' in input) return []
    const maker = makers.get(input.product)
    if (maker === undefined)
      throw new PlanInputMissingError(`${task} needs ${input.product}, which no task makes`)
    return [maker]
  })
  return [...new Set(parents)]
}

/** Layer by layer; what is left over waits for itself. */
function orderOf(
  tasks: readonly PlanTask[],
  waitsFor: ReadonlyMap<string, readonly string[]>
): PlanTask[] {
  const order: PlanTask[] = []
  const done = new Set<string>()
  let left = tasks
  while (left.length > 0) {
    const layer = left.filter(({ task }) => waitsFor.get(task)?.every(one => done.has(one)))
    if (layer.length === 0) throw new PlanCycleError(circleOf(left, waitsFor))
    order.push(...layer)
    for (const { task } of layer) done.add(task)
    left = left.filter(({ task }) => !done.has(task))
  }
  return order
}

function heightsOf(
  order: readonly PlanTask[],
  waitsFor: ReadonlyMap<string, readonly string[]>
): Map<string, number> {
  const heights = new Map(order.map(({ task }) => [task, 1]))
  for (const { task } of order.toReversed())
    for (const parent of waitsFor.get(task) ?? [])
      heights.set(parent, Math.max(heights.get(parent) ?? 1, 1 + (heights.get(task) ?? 1)))
  return heights
}

/** Walks from a task that waits to one that it waits for, until a task comes again. */
function circleOf(
  left: readonly PlanTask[],
  waitsFor: ReadonlyMap<string, readonly string[]>
): string {
  const names = new Set(left.map(({ task }) => task))
  const path: string[] = []
  let at = left[0]?.task ?? ''
  while (!path.includes(at)) {
    path.push(at)
    at = waitsFor.get(at)?.find(parent => names.has(parent)) ?? at
  }
  const circle = [...path.slice(path.indexOf(at)), at]
  return `the plan goes in a circle: ${circle.join(' waits for ')}`
}
