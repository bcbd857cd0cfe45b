import type { Refusal } from '../core/base/index.ts'

/** What is wrong with a line, and where exactly as far as that can be said. */
export type Flaw = {
  readonly code: string
  readonly message: string
  /** Verb and id of the envelope that it is about. */
  readonly event: string | null
  /** DID of who signed what breaks a rule of senders; null where it is no sender's fault, or nobody knows whose. */
  readonly sender: string | null
  /** Path of the field that differs. */
  readonly field: string | null
  /** What was derived, or what must stand there. */
  readonly expected: string | null
  /** What stands in the record. */
  readonly found: string | null
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly flaw: Flaw }

type About = Partial<Omit<Flaw, 'code' | 'message'>>

export function flawed(
  code: string,
  message: string,
  about: About = {}
): { readonly ok: false; readonly flaw: Flaw } {
  return {
    ok: false,
    flaw: {
      code,
      message,
      event: null,
      sender: null,
      field: null,
      expected: null,
      found: null,
      ...about
    }
  }
}

export function fromRefusal(
  { code, message }: Refusal,
  about: About = {}
): { readonly ok: false; readonly flaw: Flaw } {
  return flawed(code, message, about)
}
