import { assert, ok, REPLAY_IDS_MAX, REPLAY_SENDERS_MAX, type Result } from '../base/index.ts'
import { forgottenAt } from './freshness.ts'
import { refuseEnvelope } from './refusals.ts'

/** What the guard looks at; an `Admitted` fits. */
export type Guarded = {
  readonly id: string
  readonly envelope: {
    readonly sender: string
    readonly lamport: number
    readonly notAfter: number
  }
}

export type ReplayGuardInit = { readonly idsMax?: number; readonly sendersMax?: number }

type Sender = {
  /** Lamport value -> id of what was accepted with it. */
  readonly ids: Map<number, string>
  /** Nothing at or below this lamport value is taken any more: what stood there has been given up to make room. */
  floor: number
  /** The floor stands until everything given up has expired, in ms since 1970. */
  floorUntil: number
}

type Remembered = { readonly sender: string; readonly lamport: number; readonly until: number }

/** How often expired entries are looked for, in ms of the caller's clock. A sweep reads every entry. */
const SWEEP_MS = 60_000

/**
 * Takes each envelope once, and one envelope for each lamport value of a sender (ENV-14, ENV-15), until freshness refuses
 * it anyway. The door asks `check` before the policy and calls `remember` once the envelope is accepted. After a restart,
 * `remember` is fed the accepted envelopes of the journal, in any order.
 *
 * 1. Nothing that was remembered is taken again, in whatever order, under whatever load.
 * 2. Bounded: when `idsMax` ids are held, the oldest is given up and its sender may no longer go below its lamport value;
 *    when `sendersMax` senders are held, newcomers wait. Both refuse honest envelopes rather than take one twice.
 * 3. A clock that goes back does not revive what has been forgotten.
 */
export class ReplayGuard {
  readonly #idsMax: number
  readonly #sendersMax: number
  /** Id -> entry, in order of acceptance. */
  readonly #remembered = new Map<string, Remembered>()
  readonly #senders = new Map<string, Sender>()
  #sweptAtMs = 0

  constructor(init: ReplayGuardInit = {}) {
    this.#idsMax = init.idsMax ?? REPLAY_IDS_MAX
    this.#sendersMax = init.sendersMax ?? REPLAY_SENDERS_MAX
    assert(this.#idsMax > 0 && this.#sendersMax > 0, 'the guard can remember something')
  }

  /** Ids held; for metrics and tests. */
  get size(): number {
    return this.#remembered.size
  }

  /** Whether an envelope that passed `checkFreshness` at `nowMs` may be taken. Changes nothing that later answers depend on. */
  check(admitted: Guarded, nowMs: number): Result<void> {
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) this.#sweep(nowMs)
    const { sender: did, lamport } = admitted.envelope
    if (this.#remembered.has(admitted.id)) return refuseEnvelope('REPLAYED')
    if (forgottenAt(admitted.envelope) < this.#sweptAtMs) return refuseEnvelope('ENVELOPE_EXPIRED')
    const sender = this.#senders.get(did)
    if (sender === undefined) {
      return this.#senders.size < this.#sendersMax
        ? ok(undefined)
        : refuseEnvelope('REPLAY_GUARD_FULL')
    }
    if (sender.ids.has(lamport)) return refuseEnvelope('EQUIVOCATION')
    return lamport <= sender.floor ? refuseEnvelope('STALE_LAMPORT') : ok(undefined)
  }

  /** Records an accepted envelope. Doing so twice is the same as once. */
  remember(admitted: Guarded): void {
    if (this.#remembered.has(admitted.id)) return
    const { sender: did, lamport } = admitted.envelope
    const sender = this.#senders.get(did) ?? {
      ids: new Map<number, string>(),
      floor: -1,
      floorUntil: 0
    }
    this.#senders.set(did, sender)
    if (!sender.ids.has(lamport)) sender.ids.set(lamport, admitted.id)
    this.#remembered.set(admitted.id, {
      sender: did,
      lamport,
      until: forgottenAt(admitted.envelope)
    })
    if (this.#remembered.size > this.#idsMax) this.#giveUpOldest()
    assert(this.#remembered.size <= this.#idsMax, 'the guard holds at most its limit of ids')
  }

  #giveUpOldest(): void {
    const [id, entry] = this.#remembered.entries().next().value as [string, Remembered]
    const sender = this.#senders.get(entry.sender) as Sender
    sender.floor = Math.max(sender.floor, entry.lamport)
    sender.floorUntil = Math.max(sender.floorUntil, entry.until)
    this.#forget(id, entry)
  }

  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs
    for (const [id, entry] of this.#remembered) if (entry.until < nowMs) this.#forget(id, entry)
    for (const [did, sender] of this.#senders) {
      if (sender.floorUntil < nowMs) sender.floor = -1
      if (sender.ids.size === 0 && sender.floor < 0) this.#senders.delete(did)
    }
  }

  #forget(id: string, entry: Remembered): void {
    this.#remembered.delete(id)
    const ids = this.#senders.get(entry.sender)?.ids
    if (ids?.get(entry.lamport) === id) ids.delete(entry.lamport)
  }
}
