import { SwarmError } from '../core/base/index.ts'

/** A program failed, printed nothing, or could not be started. Details: exit status and the end of its stderr. */
export class ProgramFailedError extends SwarmError {
  readonly code = 'PROGRAM_FAILED'
}

/** A program did not end in time and was stopped. */
export class ProgramTimeoutError extends SwarmError {
  readonly code = 'PROGRAM_TIMEOUT'
}

/** Nobody delivered an artifact in time. */
export class ArtifactMissingError extends SwarmError {
  readonly code = 'ARTIFACT_MISSING'
}

/** An artifact is larger than an agent reads into memory. */
export class ArtifactTooLargeError extends SwarmError {
  readonly code = 'ARTIFACT_TOO_LARGE'
}

/** The agent stopped, or the lease went, while a program ran. */
export class JobAbortedError extends SwarmError {
  readonly code = 'JOB_ABORTED'
}

/** A plan that cannot run: names that are wrong or not unique, or no single last task. */
export class PlanInvalidError extends SwarmError {
  readonly code = 'PLAN_INVALID'
}

/** A plan whose tasks wait for each other. The message names the circle. */
export class PlanCycleError extends SwarmError {
  readonly code = 'PLAN_CYCLE'
}

/** A plan with too many tasks, inputs, outputs or facts. */
export class PlanTooLargeError extends SwarmError {
  readonly code = 'PLAN_ABOVE_LIMIT'
}

/** A task of a plan needs what no task makes. */
export class PlanInputMissingError extends SwarmError {
  readonly code = 'PLAN_INPUT_MISSING'
}

/** The NEED pays less than the tasks of the plan would cost. */
export class PlanBudgetError extends SwarmError {
  readonly code = 'PLAN_BUDGET'
}

/** A task of a plan did not come to a result, as often as it was tried. */
export class PlanTaskFailedError extends SwarmError {
  readonly code = 'PLAN_TASK_FAILED'
}
