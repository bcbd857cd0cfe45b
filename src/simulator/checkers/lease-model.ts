import { decode } from '@ipld/dag-cbor'
import type { LogEntry } from '../../core/raft/index.ts'
import { type Statement, statementOf } from './statements.ts'

/** Fencing token: epoch, term, index. */
export type Token = readonly [number, number, number]

type Lease = { readonly token: Token; readonly ttlMs: number; endsAt: number }

/** What the log of a thread says about who may work, by protocols/thread alone (R14, R15). */
export class LeaseModel {
  /** The COMMIT that counts, and the token under which it was made. */
  commit: { readonly statement: Statement; readonly token: Token } | null = null
  /** Tokens in the order in which they were granted. */
  readonly granted: Token[] = []
  /** Entries whose stamp is not above the one before. */
  readonly standing: number[] = []
  readonly #decision: Decision
  readonly #need: Statement
  readonly #logged = new Set<string>()
  readonly #said = new Set<string>()
  #lease: Lease | null = null
  #stamp = 0

  constructor(need: Statement, form: Statement, decision: Decision) {
    this.#need = need
    this.#decision = decision
    for (const { sender, lamport } of [need, form]) this.#said.add(`${sender} ${lamport}`)
  }

  apply(entry: LogEntry): void {
    if (entry.data.length === 0) return
    const [stamp, bytes] = decode<[number, Uint8Array | null]>(entry.data)
    if (stamp <= this.#stamp) {
      this.standing.push(entry.index)
      return
    }
    this.#stamp = stamp
    if (this.#lease !== null && stamp >= this.#lease.endsAt) this.#lease = null
    // Without a COMMIT by then the thread has expired, whatever this entry holds.
    const isOver = this.commit === null && stamp >= this.#need.payload.expiresAt
    if (bytes === null || isOver) return
    const statement = statementOf(bytes)
    const said = `${statement.sender} ${statement.lamport}`
    if (this.#logged.has(statement.id) || statement.notAfter < stamp) return
    this.#logged.add(statement.id)
    if (this.#said.has(said)) return
    this.#said.add(said)
    const isWorking = entry.index > this.#decision.index && this.commit === null
    if (isWorking && statement.sender === this.#decision.worker) this.#onWorker(statement, entry)
  }

  #onWorker(statement: Statement, { term, index }: LogEntry): void {
    const { verb, payload, fence, epoch } = statement
    const isTask = String(payload.task) === String(this.#decision.proposal)
    if (verb === 'CLAIM' && this.#lease === null && isTask && epoch === this.#decision.epoch) {
      const ttlMs = Math.min(payload.leaseTtlMs, this.#need.payload.windows.leaseTtlMs)
      const token: Token = [this.#decision.epoch, term, index]
      this.#lease = { token, ttlMs, endsAt: this.#stamp + ttlMs }
      this.granted.push(token)
    }
    const lease = this.#lease
    if (lease === null || fence === null || fence.join() !== lease.token.join()) return
    if (verb === 'HEARTBEAT') lease.endsAt = this.#stamp + lease.ttlMs
    if (verb === 'YIELD') this.#lease = null
    if (verb === 'COMMIT' && isTask && payload.outputs.length > 0) {
      this.commit = { statement, token: lease.token }
      this.#lease = null
    }
  }
}

/** What a DECIDE names, as decoded. */
export type Decision = {
  readonly epoch: number
  readonly index: number
  readonly worker: string
  readonly proposal: unknown
  readonly attestations: readonly unknown[]
}

/** Greater as a fencing token: compared field by field. */
export function isLater(one: Token, other: Token): boolean {
  for (const [i, value] of one.entries()) {
    const against = other[i] as number
    if (value !== against) return value > against
  }
  return false
}
