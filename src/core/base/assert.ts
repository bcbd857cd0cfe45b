/** An invariant does not hold: a bug in this program. Never caught; the process ends. */
export class AssertionError extends Error {
  readonly code = 'ASSERTION'

  constructor(message: string) {
    super(message)
    this.name = 'AssertionError'
  }
}

/** States an invariant. Stays on in production: a wrong node is worse than a stopped one. */
export function assert(condition: unknown, message: string): asserts condition {
  if (condition !== true && !condition) throw new AssertionError(message)
}

/** Marks a switch as exhaustive; the argument's type is `never` when it is. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case: ${String(value)}`)
}
