/** A failure of the world around the node (disk, peer, configuration), never of a peer's message. */
export abstract class SwarmError extends Error {
  /** Stable, UPPER_SNAKE, documented in docs/errors.md, never reused. */
  abstract readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions
  ) {
    super(message, options)
    this.name = new.target.name
    this.details = details
  }
}
