import { SwarmError } from '../../core/base/index.ts'

/** The plan's worker did not answer, or the store is stopped. Nothing is lost: a plan is folded again from its envelopes. */
export class PlanUnavailableError extends SwarmError {
  readonly code = 'PLAN_UNAVAILABLE'

  constructor(why: string, options?: ErrorOptions) {
    super(`the shared plan cannot be read now: ${why}; try again`, {}, options)
  }
}

/** A thread's plan has more facts than a node keeps. */
export class PlanTooLargeError extends SwarmError {
  readonly code = 'PLAN_TOO_LARGE'

  constructor(thread: string, factsMax: number) {
    super(`the plan of thread ${thread} has more than ${factsMax} facts: state a new NEED`, {
      thread,
      factsMax
    })
  }
}
