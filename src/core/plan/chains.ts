import {
  assert,
  compareText,
  ENVELOPE_BYTES_MAX,
  PLAN_FACTS_MAX,
  PLAN_SESSIONS_MAX,
  PLAN_UPDATES_MAX
} from '../base/index.ts'
import { SESSION_BYTES_MAX, SESSION_FACTS_MAX } from './limits.ts'
import type { ForkView, PlanApplied, PlanChange } from './types.ts'

type Chained = PlanChange & { readonly chain: NonNullable<PlanChange['chain']> }

/** One sender's updates in one session. */
type Session = {
  readonly sender: string
  readonly session: number
  /** By seq: one, or the two that fork the session there. A third proves nothing more. */
  readonly places: Map<number, Chained[]>
  /** From this seq on nothing counts; Infinity while no place has two. */
  forkedAt: number
  /** Those that count, in order of seq from 1. */
  readonly counted: Chained[]
  facts: number
  bytes: number
}

/** Where an update of a sender stands. */
export type PlanPlace = {
  readonly session: number
  readonly seq: number
  readonly previous: string | null
}

export type PlanChainsInit = {
  readonly count: (change: PlanChange) => void
  readonly retract: (change: PlanChange) => void
}

/**
 * Which UPDATE_PLANs count: those whose whole chain back to seq 1 is here, up to the first place that has two, within the session's
 * quotas. A function of the set: what comes early waits, and a fork that comes late takes back what had counted.
 */
export class PlanChains {
  readonly #init: PlanChainsInit
  /** By sender, then session. */
  readonly #senders = new Map<string, Map<number, Session>>()
  /** Sessions of all senders. */
  count = 0

  constructor(init: PlanChainsInit) {
    this.#init = init
  }

  /** Takes an update that was not here before. */
  add(change: Chained): PlanApplied {
    const session = this.#sessionOf(change.sender, change.chain.session)
    const { seq } = change.chain
    const here = session.places.get(seq)
    if (here === undefined) {
      session.places.set(seq, [change])
      return { isNew: true, counted: this.#advance(session), retracted: [], rival: null }
    }
    if (here.length === 1) here.push(change)
    session.forkedAt = Math.min(session.forkedAt, seq)
    const retracted = this.#retreat(session)
    return { isNew: true, counted: [], retracted, rival: here[0]?.envelope ?? null }
  }

  /** Everything that counts, by session in order of seq. */
  *all(): Iterable<PlanChange> {
    for (const session of this.#sessions()) yield* session.counted
  }

  forks(): ForkView[] {
    const forked = [...this.#sessions()].filter(({ forkedAt }) => Number.isFinite(forkedAt))
    return forked
      .map(({ sender, session, forkedAt }) => ({ sender, session, seq: forkedAt }))
      .sort((a, b) => compareText(a.sender, b.sender) || a.session - b.session)
  }

  /** The two updates at the first place where a session is forked; none where it is not. */
  rivals(sender: string, session: number): string[] {
    const known = this.#senders.get(sender)?.get(session)
    return (known?.places.get(known.forkedAt) ?? []).map(({ envelope }) => envelope)
  }

  /** Whether another update than the one that is here at this place would be the first to show that its session is forked there. */
  wouldFork(sender: string, { session, seq }: Pick<PlanPlace, 'session' | 'seq'>): boolean {
    const known = this.#senders.get(sender)?.get(session)
    if (known === undefined) return false
    return known.places.has(seq) && seq < known.forkedAt
  }

  has(sender: string, session: number): boolean {
    return this.#senders.get(sender)?.has(session) === true
  }

  /** The last update of each session that counts. */
  heads(): string[] {
    return [...this.#sessions()].flatMap(({ counted }) => counted.at(-1)?.envelope ?? [])
  }

  /**
   * Where the next update of a sender goes: after the last one of its latest session, or where that is forked, full, or has a gap (the
   * sender has lost track of it), at the beginning of the next. Null when there is none left.
   */
  next(sender: string): PlanPlace | null {
    const sessions = this.#senders.get(sender)
    const latest = Math.max(0, ...(sessions?.keys() ?? []))
    const session = sessions?.get(latest)
    if (session === undefined || isOpen(session)) {
      const last = session?.counted.at(-1) ?? null
      const seq = (last?.chain.seq ?? 0) + 1
      return { session: latest, seq, previous: last?.envelope ?? null }
    }
    return latest + 1 < PLAN_SESSIONS_MAX ? { session: latest + 1, seq: 1, previous: null } : null
  }

  *#sessions(): Iterable<Session> {
    for (const sessions of this.#senders.values()) yield* sessions.values()
  }

  #sessionOf(sender: string, session: number): Session {
    const sessions = this.#senders.get(sender) ?? new Map<number, Session>()
    this.#senders.set(sender, sessions)
    const known = sessions.get(session)
    if (known !== undefined) return known
    const places = new Map<number, Chained[]>()
    const fresh = { sender, session, places, forkedAt: Infinity, counted: [], facts: 0, bytes: 0 }
    sessions.set(session, fresh)
    this.count += 1
    return fresh
  }

  #advance(session: Session): string[] {
    const counted: string[] = []
    for (let next = nextOf(session); next !== undefined; next = nextOf(session)) {
      session.counted.push(next)
      session.facts += next.facts.length
      session.bytes += next.size
      this.#init.count(next)
      counted.push(next.envelope)
    }
    return counted
  }

  #retreat(session: Session): string[] {
    const retracted: string[] = []
    while (session.counted.length >= session.forkedAt) {
      const last = session.counted.pop()
      assert(last !== undefined, 'what is taken back had counted')
      session.facts -= last.facts.length
      session.bytes -= last.size
      this.#init.retract(last)
      retracted.push(last.envelope)
    }
    return retracted
  }
}

/** The update that counts next, if it is here. */
function nextOf({ counted, places, forkedAt, facts, bytes }: Session): Chained | undefined {
  const seq = counted.length + 1
  if (seq >= forkedAt) return undefined
  const next = places.get(seq)?.[0]
  if (next === undefined || next.chain.previous !== (counted.at(-1)?.envelope ?? null))
    return undefined
  const isWithin =
    facts + next.facts.length <= SESSION_FACTS_MAX && bytes + next.size <= SESSION_BYTES_MAX
  return isWithin ? next : undefined
}

/** Whether another update would count, however large. */
function isOpen({ counted, places, facts, bytes }: Session): boolean {
  return (
    places.size === counted.length &&
    counted.length < PLAN_UPDATES_MAX &&
    facts + PLAN_FACTS_MAX <= SESSION_FACTS_MAX &&
    bytes + ENVELOPE_BYTES_MAX <= SESSION_BYTES_MAX
  )
}
