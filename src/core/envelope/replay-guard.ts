import { assert, ok, REPLAY_IDS_MAX, REPLAY_SENDERS_MAX, type Result } from '../base/index.ts'
import { forgottenAt } from './freshness.ts'
import { refuseEnvelope } from './refusals.ts'

/** What the guard looks at; an `Admitted` fits. */
export type Guarded = {
  readonly id: string
  readonly envelope: {
    readonly sender: string
    readonly verb: string
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

/** What the guard remembers of one sender, or a part of it. */
export type SenderWindow = {
  readonly sender: string
  /** Nothing at or below this lamport value is taken; -1 for none. */
  readonly floor: number
  /** Until when the floor stands, ms since 1970. */
  readonly floorUntil: number
  readonly ids: readonly {
    readonly id: string
    readonly lamport: number
    readonly until: number
  }[]
}

/**
 * What needs no order among its sender's envelopes: an update has its chain, and certified ends and decisions have their votes. A member that shows one node something
 * else under the value of its DECIDE would else keep that node from the certificate that all others have.
 */
const SELF_PROVEN: ReadonlySet<string> = new Set([
  'UPDATE_PLAN',
  'DECIDE',
  'FINALIZE',
  'INVALIDATE'
])

/** Ids in one part of a sender's window. */
export const WINDOW_IDS_MAX = 1_024

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
    if (sender !== undefined && SELF_PROVEN.has(admitted.envelope.verb)) return ok(undefined)
    if (sender === undefined) {
      return this.#senders.size < this.#sendersMax
        ? ok(undefined)
        : refuseEnvelope('REPLAY_GUARD_FULL')
    }
    if (sender.ids.has(lamport)) return refuseEnvelope('EQUIVOCATION')
    return lamport <= sender.floor ? refuseEnvelope('STALE_LAMPORT') : ok(undefined)
  }

  /** True for the id of an envelope that `check` refuses as REPLAYED. */
  holds(id: string, nowMs: number): boolean {
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) this.#sweep(nowMs)
    return this.#remembered.has(id)
  }

  /** Records an accepted envelope. Doing so twice is the same as once. */
  remember(admitted: Guarded): void {
    const { sender, lamport } = admitted.envelope
    this.#remember(admitted.id, { sender, lamport, until: forgottenAt(admitted.envelope) })
  }

  /** Everything that still matters at `nowMs`, but for ids that `isLeftOut`: to be fed to `restore` after a restart (R20). */
  *windows(nowMs: number, isLeftOut: (id: string) => boolean): Iterable<SenderWindow> {
    for (const [sender, { ids, floor, floorUntil }] of this.#senders) {
      const kept: { id: string; lamport: number; until: number }[] = []
      for (const id of ids.values()) {
        const entry = this.#remembered.get(id)
        if (entry === undefined || entry.until < nowMs || isLeftOut(id)) continue
        kept.push({ id, lamport: entry.lamport, until: entry.until })
      }
      const stands = floorUntil >= nowMs
      for (let at = 0; at < kept.length || (at === 0 && stands); at += WINDOW_IDS_MAX)
        yield {
          sender,
          floor: stands ? floor : -1,
          floorUntil: stands ? floorUntil : 0,
          ids: kept.slice(at, at + WINDOW_IDS_MAX)
        }
    }
  }

  /** Puts back what `windows` gave. */
  restore({ sender: did, floor, floorUntil, ids }: SenderWindow): void {
    const sender = this.#senderOf(did)
    sender.floor = Math.max(sender.floor, floor)
    sender.floorUntil = Math.max(sender.floorUntil, floorUntil)
    for (const { id, lamport, until } of ids) this.#remember(id, { sender: did, lamport, until })
  }

  #senderOf(did: string): Sender {
    const known = this.#senders.get(did)
    if (known !== undefined) return known
    const sender = { ids: new Map<number, string>(), floor: -1, floorUntil: 0 }
    this.#senders.set(did, sender)
    return sender
  }

  #remember(id: string, entry: Remembered): void {
    if (this.#remembered.has(id)) return
    const sender = this.#senderOf(entry.sender)
    if (!sender.ids.has(entry.lamport)) sender.ids.set(entry.lamport, id)
    this.#remembered.set(id, entry)
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
