import { SwarmError } from '../../core/base/index.ts'

/** A capsule that this node does not have. Raised by `evaluate`; nothing was judged. */
export class CapsuleUnavailableError extends SwarmError {
  readonly code = 'CAPSULE_UNAVAILABLE'

  /** `why`: what became of the attempts to get it. */
  constructor(capsule: string, why = 'it is not the one that the network agreed on') {
    super(`this node does not have the policy capsule ${capsule}: ${why}`, { capsule })
  }
}

/** A capsule whose parts do not match, that wants more than it may, or that fails its own conformance vectors. Raised when it is loaded. */
export class CapsuleRefusedError extends SwarmError {
  readonly code = 'CAPSULE_REFUSED'

  constructor(capsule: string, flaw: string) {
    super(`the policy capsule ${capsule} is refused: ${flaw}`, { capsule, flaw })
  }
}

/** An evaluation took longer than this node waits. A local fault: abstain, it says nothing about the message (R17). */
export class PolicyTimeoutError extends SwarmError {
  readonly code = 'POLICY_TIMEOUT'

  constructor(capsule: string, timeoutMs: number) {
    super(
      `the policy capsule ${capsule} gave no answer within ${timeoutMs} ms: the evaluator was restarted, try again`,
      { capsule, timeoutMs }
    )
  }
}

/** Nothing can be evaluated: the engine is stopped, overloaded, or its worker cannot run. A local fault: abstain. */
export class PolicyUnavailableError extends SwarmError {
  readonly code = 'POLICY_UNAVAILABLE'

  constructor(why: string, options?: ErrorOptions) {
    super(`policies cannot be evaluated: ${why}`, {}, options)
  }
}
