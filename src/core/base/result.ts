/** The protocol's "no": a value, never an exception. `code` is stable and documented in docs/errors.md. */
export type Refusal = {
  readonly code: string
  /** One sentence for a person: what was wrong, and what to do where that is known. */
  readonly message: string
}

/** The outcome of an operation that the protocol may refuse. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal }

/** Wraps a value as a success. */
export function ok<T>(value: T): Result<T> {
  return { ok: true, value }
}

/** Builds a refusal. */
export function refuse(code: string, message: string): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { code, message } }
}
