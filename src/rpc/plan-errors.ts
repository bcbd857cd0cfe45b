import type { ErrorRows } from './error-kinds.ts'

/** Why a plan does not run. */
export const PLAN_ROWS: ErrorRows = [
  ['PLAN_INVALID', 'usage', 'A plan has wrong or double names, or no single last task.'],
  ['PLAN_CYCLE', 'usage', 'Tasks of a plan wait for each other; the message names the circle.'],
  ['PLAN_ABOVE_LIMIT', 'usage', 'A plan has too many tasks, inputs, outputs or facts.'],
  ['PLAN_INPUT_MISSING', 'usage', 'A task of a plan needs what no task makes.'],
  [
    'PLAN_BUDGET',
    'denied',
    'The NEED pays less than the tasks of the plan would cost.',
    'State it with a larger --budget.'
  ],
  [
    'PLAN_TASK_FAILED',
    'failure',
    'A task of a plan did not come to a result, as often as it was tried.',
    'See the thread of the task: "can-swarm plan ID" names it.'
  ]
]
