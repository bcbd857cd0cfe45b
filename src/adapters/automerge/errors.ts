import { SwarmError } from '../../core/base/index.ts'

/** The plan's worker did not answer, or the store is stopped. Nothing is lost: a plan is folded again from its envelopes. */
export class PlanUnavailableError extends SwarmError {
  readonly code = 'PLAN_UNAVAILABLE'

  constructor(why: string, options?: ErrorOptions) {
    super(`the shared plan cannot be read now: ${why}; try again`, {}, options)
  }
}
