import { decode } from '@ipld/dag-cbor'
import type { LogEntry } from '../../core/raft/index.ts'
import { type Statement, statementOf } from './statements.ts'

/** Who found what about each challenge, read from the log of a thread that ended FINAL or INVALID. */
export class DisputeModel {
  readonly #sealed = new Set<string>()
  readonly #challenges = new Map<
    string,
    { readonly by: string; readonly found: Map<string, boolean> }
  >()
  readonly #related: ReadonlySet<string>
  readonly #rules: DisputeRules
  /** Log time at which sealing ends; known once the COMMIT is in the log. */
  #sealingEndsAt = Number.NEGATIVE_INFINITY

  constructor(rules: DisputeRules) {
    this.#rules = rules
    this.#related = new Set(rules.related)
  }

  apply(entry: LogEntry): void {
    if (entry.data.length === 0) return
    const [stamp, bytes] = decode<[number, Uint8Array | null]>(entry.data)
    if (bytes !== null) this.#onStatement(statementOf(bytes), stamp)
  }

  /** True when more found against the COMMIT than for it in one of these challenges. */
  isUpheld(challenges: readonly string[]): boolean {
    return challenges.some(id => {
      const findings = [...(this.#challenges.get(id)?.found.values() ?? [])]
      const passes = findings.filter(pass => pass).length
      return findings.length - passes > passes
    })
  }

  #onStatement({ id, verb, sender, payload }: Statement, stamp: number): void {
    const { commit, verifyMs } = this.#rules
    if (id === commit) this.#sealingEndsAt = stamp + verifyMs
    if (String(payload.commit) !== commit) return
    if (verb === 'CHALLENGE') this.#challenges.set(id, { by: sender, found: new Map() })
    const isFinding = verb === 'ATTEST' || verb === 'REJECT'
    if (!isFinding || this.#related.has(sender)) return
    if (payload.challenge === null) {
      if (verb === 'ATTEST' && payload.seal !== null) this.#onSeal(sender, stamp)
      return
    }
    const challenge = this.#challenges.get(String(payload.challenge))
    if (challenge === undefined || challenge.by === sender || this.#sealed.has(sender)) return
    if (payload.evaluation !== null && !challenge.found.has(sender))
      challenge.found.set(sender, verb === 'ATTEST')
  }

  /** A seal that comes after the end of sealing is void: its sender may find in a dispute. */
  #onSeal(sender: string, stamp: number): void {
    if (stamp >= this.#sealingEndsAt) return
    const { kResult, sealMs } = this.#rules
    const before = this.#sealed.size
    this.#sealed.add(sender)
    if (this.#sealed.size === kResult && before < kResult)
      this.#sealingEndsAt = Math.min(this.#sealingEndsAt, stamp + sealMs)
  }
}

/** What the model goes by; times in ms. */
export type DisputeRules = {
  /** The COMMIT that counts. */
  readonly commit: string
  /** Worker and requester, whose findings count nothing. */
  readonly related: readonly string[]
  readonly kResult: number
  readonly verifyMs: number
  readonly sealMs: number
}
