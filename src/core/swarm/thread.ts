import { assert, type Result, SparseMap, toHex } from '../base/index.ts'
import { idOf } from '../codec/index.ts'
import {
  type Admitted,
  type Certificate,
  type Decision,
  type Outcome,
  type Payload,
  parseEnvelope,
  type Verb
} from '../envelope/index.ts'
import { decodeEntry, LOGGED_VERBS, NeedLog } from '../need/index.ts'
import type { LogEntry } from '../raft/index.ts'
import { groupIdOf } from '../roster/index.ts'
import type { Context } from './context.ts'
import type { Formation } from './formation.ts'
import type { Forwarding } from './forwarding.ts'
import { Interval } from './interval.ts'
import type { Member } from './member.ts'
import { TICK_BYTES_MAX } from './room.ts'
import type { Sealing } from './sealing.ts'
import { ThreadPlan } from './thread-plan.ts'
import type { Phase, Sighting, Stage } from './types.ts'

/** A verifier's own finding, on disk before its seal is published. */
export type OwnVerdict = {
  readonly pass: boolean
  readonly evaluation: Uint8Array
  readonly reasons: readonly string[]
  triedAt: number
  triedIn: string | null
}

/** The group as bound by FORM, and the fold over its log as far as this node has it. */
export type Group = {
  readonly id: string
  readonly form: Admitted<'FORM'>
  log: NeedLog
  entries: LogEntry[]
  /** Bytes of the entries. */
  bytes: number
  /** When this node began to follow it, or went on with it after a restart. */
  since: number
  /** When an entry was last applied. */
  progressAt: number
}

/** A certified end. */
export type End = {
  readonly admitted: Admitted<'FINALIZE' | 'INVALIDATE'>
  readonly outcome: Outcome
  readonly signers: readonly string[]
}

/** See `Thread.scopedSlot`. */
export function scopedSlotOf({ envelope }: Admitted<'NEED'>): string {
  return `${envelope.sender}/${envelope.payload.slot}`
}

/** Everything that this node knows about one NEED. */
export class Thread {
  readonly id: string
  readonly need: Admitted<'NEED'>
  readonly envelopes = new Map<string, Sighting>()
  /** Admitted envelopes that belong in the log and are not applied yet, in order of arrival. */
  readonly unlogged = new SparseMap<string, Admitted>()
  /** Everyone who said something in this thread. */
  readonly senders = new Set<string>()
  group: Group | null = null
  member: Member | null = null
  /** FORMs of earlier epochs, oldest first: what the group's own FORM rests on. */
  readonly #past: Admitted<'FORM'>[] = []
  formation: Formation | null = null
  /** As requester: an epoch that is being ended so that the next can begin. */
  sealing: Sealing | null = null
  /** As requester: members of earlier epochs that were absent, and in which epoch last. */
  readonly absences = new SparseMap<string, number>()
  /** Manifests (text CIDs) that the requester sent along with its choice, and whose they are. */
  readonly vouched = new SparseMap<string, string>()
  decide: { readonly admitted: Admitted<'DECIDE'>; readonly signers: readonly string[] } | null =
    null
  end: End | null = null
  /** A decision that entries on disk lead to once they are committed, and that this member voted for. */
  foreseen: Decision | null = null
  /** The certificate of the decision out of votes that came here, until a DECIDE does. */
  held: { readonly decision: Decision; readonly certificate: Certificate } | null = null
  /** Given up here without a certificate, and why. */
  abandoned: string | null = null
  /** Votes by stage, then member: the first of each counts. */
  readonly votes: {
    readonly [S in Stage]: Map<string, { readonly digest: string; readonly sig: Uint8Array }>
  } = { decide: new SparseMap(), outcome: new SparseMap() }
  /** What this node derived and voted for, when, and when it last tried to publish it. */
  readonly derived: {
    [S in Stage]: {
      readonly digest: Uint8Array
      readonly atMs: number
      triedAt: number
      votedAt: number
    } | null
  } = { decide: null, outcome: null }
  /** FORMs and certified envelopes, in order of arrival: what a later statement is held against. */
  readonly certified: Admitted[] = []
  readonly ownVerdicts = new SparseMap<string, OwnVerdict>()
  readonly warnings: string[] = []
  /** Bytes of all filed envelopes. */
  bytes = 0
  /** What came after its epoch was left: bytes, and how many envelopes by sender. */
  readonly late = { bytes: 0, bySender: new SparseMap<string, number>() }
  /** Envelopes out of entries that are on their way through the door, and since when. */
  readonly #asked = new SparseMap<string, number>()
  readonly answers = new Interval(ANSWERS_MS)
  /** When anything last came or happened, ms since 1970. */
  changedAt = 0
  /** See resting.ts. */
  isResting = false
  /** Since when the archive is asked to take this thread, and what it was like then. */
  archiving: { readonly askedAt: number; readonly mark: string } | null = null
  pulledAt = 0
  /** When this node last asked somebody for a group that it does not know. */
  comparedAt = 0
  readonly plan: ThreadPlan = new ThreadPlan(this)
  /** When this node last looked at what became of branches that lost. */
  reconciledAt = 0
  /** Set while this node has envelopes that the log lacks and should have. */
  forwarding: Forwarding | null = null
  /** Whom this node asked last. */
  pulledFrom: string | null = null

  constructor(need: Admitted<'NEED'>) {
    this.id = need.id
    this.need = need
  }

  /** The slot as a unit of exclusivity: a requester's own name space, so that nobody can occupy another's. */
  scopedSlot(): string {
    return scopedSlotOf(this.need)
  }

  /** The epoch of the group that is followed; before there is one, of the formation under way, or the NEED's own. */
  epoch(): number {
    const { group, formation, sealing } = this
    if (group !== null) return group.form.envelope.payload.epoch
    return formation?.epoch ?? sealing?.epoch ?? this.need.envelope.payload.epoch
  }

  /** FORMs of the epochs before that of the group, oldest first. */
  previousForms(): readonly Admitted<'FORM'>[] {
    return this.#past
  }

  /** FORMs of all epochs that came to a group here, oldest first. */
  forms(): readonly Admitted<'FORM'>[] {
    return this.group === null ? [] : [...this.#past, this.group.form]
  }

  /** When this node first saw the NEED, ms since 1970. */
  openedAt(): number {
    return this.envelopes.get(this.id)?.seenAt ?? 0
  }

  /** Something came or happened. */
  changed(atMs: number): void {
    this.changedAt = Math.max(this.changedAt, atMs)
    this.isResting = false
  }

  isEnded(): boolean {
    return this.end !== null || this.abandoned !== null
  }

  /** True when the whole log up to the certified outcome is here. */
  isComplete(): boolean {
    return this.end !== null && this.group?.log.state.outcome != null
  }

  /** The decision that this node could show to anybody, or null. */
  certifiedDecision(): Decision | null {
    return this.decide?.admitted.envelope.payload.decision ?? this.held?.decision ?? null
  }

  phase(): Phase {
    if (this.end !== null) return this.end.outcome.result
    if (this.abandoned !== null) return 'EXPIRED'
    const phase = this.group?.log.state.phase ?? 'OPEN'
    // The fold may be ahead of its certificate: an end counts once it is certified.
    if (phase !== 'FINAL' && phase !== 'INVALID' && phase !== 'EXPIRED') return phase
    if (this.group?.log.state.commit != null) return phase === 'FINAL' ? 'VERIFIED' : 'REVEALING'
    return this.group?.log.state.decision == null ? 'BIDDING' : 'DECIDED'
  }

  /**
   * Binds the group of an epoch, with a FORM that was checked and is of a later epoch than the group before, if there was one. What was
   * said without regard to an epoch may be said to the new group again; votes and certificates were about the old one.
   */
  adopt(form: Admitted<'FORM'>, context: Context): Group {
    if (this.group !== null) this.#past.push(this.group.form)
    this.group = {
      id: groupIdOf(form.bytes),
      form,
      log: this.#newLog(form, context),
      entries: [],
      bytes: 0,
      since: context.nowMs,
      progressAt: context.nowMs
    }
    this.formation = null
    context.forming.delete(this.id)
    this.sealing = null
    if (this.#past.length > 0) this.#leaveEpoch(form.envelope.payload.epoch)
    return this.group
  }

  #leaveEpoch(epoch: number): void {
    this.member = null
    this.decide = null
    this.foreseen = null
    this.held = null
    for (const stage of ['decide', 'outcome'] as const) {
      this.votes[stage].clear()
      this.derived[stage] = null
    }
    this.unlogged.clear()
    this.plan.offerAgain()
    for (const { admitted } of this.envelopes.values()) {
      const { verb } = admitted
      if (verb === 'UPDATE_PLAN' || !LOGGED_VERBS.has(verb)) continue
      const said = admitted.envelope.epoch
      if (said === null || said >= epoch) this.unlogged.set(admitted.id, admitted)
    }
  }

  #newLog(form: Admitted<'FORM'>, { verify }: Context): NeedLog {
    const known = (bytes: Uint8Array): Admitted | undefined =>
      this.envelopes.get(idOf(bytes))?.admitted
    return new NeedLog({ need: this.need, form, previous: [...this.#past], verify, known })
  }

  /** The fold before the first entry. */
  freshLog(context: Context): NeedLog {
    assert(this.group !== null, 'only a group has a log')
    return this.#newLog(this.group.form, context)
  }

  /** Forgets what was learnt of the log: it did not fit the certificate. */
  resetLog(context: Context): void {
    if (this.group === null) return
    this.group.log = this.freshLog(context)
    this.group.entries = []
    this.group.bytes = 0
  }

  file(admitted: Admitted, seenAt: number): Sighting {
    const sighting = { admitted, seenAt }
    this.envelopes.set(admitted.id, sighting)
    this.bytes += admitted.bytes.length
    this.senders.add(admitted.envelope.sender)
    this.changed(seenAt)
    this.#asked.delete(admitted.id)
    if (CERTIFIED_VERBS.has(admitted.envelope.verb)) this.certified.push(admitted)
    const { verb } = admitted.envelope
    if (this.isOfLeftEpoch(admitted)) this.#noteLate(admitted)
    else if (LOGGED_VERBS.has(verb) && verb !== 'UPDATE_PLAN' && !this.isLogged(admitted.id))
      this.unlogged.set(admitted.id, admitted)
    return sighting
  }

  /** True for what acts within an epoch before that of the group. */
  isOfLeftEpoch({ envelope }: Admitted): boolean {
    return this.group !== null && envelope.epoch !== null && envelope.epoch < this.epoch()
  }

  #noteLate({ envelope, bytes }: Admitted): void {
    this.late.bytes += bytes.length
    this.late.bySender.set(envelope.sender, (this.late.bySender.get(envelope.sender) ?? 0) + 1)
  }

  /** What the log does not have and could take: the plan's updates come last. */
  *loggable(): Iterable<Admitted> {
    yield* this.unlogged.values()
    yield* this.plan.unlogged.values()
  }

  isLogged(id: string): boolean {
    return this.group?.log.state.logged.has(id) === true
  }

  /**
   * Sends envelopes that came inside entries and are not known here through the door, each once in a while: the entries are
   * looked at again with every envelope that comes in. `missing`: the entries have to wait. `foreign`: something in them does
   * not belong into the log of this thread, which no honest member would put there.
   */
  admitMissing(
    context: Context,
    entries: readonly LogEntry[],
    from: string
  ): 'complete' | 'missing' | 'foreign' {
    let answer: 'complete' | 'missing' = 'complete'
    for (const entry of entries) {
      const carried = carriedBy(entry)
      if (carried === null && entry.data.length > TICK_BYTES_MAX) return 'foreign'
      if (carried === null || this.envelopes.has(carried.id)) continue
      answer = 'missing'
      const askedAt = this.#asked.get(carried.id)
      if (askedAt !== undefined && context.nowMs - askedAt < context.settings.retryMs) continue
      const bytes = carried.bytes()
      if (!this.#isLoggable(bytes)) return 'foreign'
      if (this.#asked.size >= ASKED_MAX) this.#asked.clear()
      this.#asked.set(carried.id, context.nowMs)
      context.admit(bytes, from, 'log')
    }
    return answer
  }

  /**
   * The answer of a check of an envelope against this thread's NEED, worked out once: before it is kept, when it takes effect,
   * and when its FORM comes late, the same signatures are looked at.
   */
  checkOnce<T>(admitted: Admitted, check: () => Result<T>): Result<T> {
    const known = checked.get(admitted) as Result<T> | undefined
    if (known !== undefined) return known
    const answer = check()
    checked.set(admitted, answer)
    return answer
  }

  /** True for an envelope that this node sent through its door because the log has it. */
  isAsked(id: string): boolean {
    return this.#asked.has(id)
  }

  #isLoggable(bytes: Uint8Array): boolean {
    const parsed = parseEnvelope(bytes)
    if (!parsed.ok) return false
    const { verb, thread } = parsed.value.envelope
    return LOGGED_VERBS.has(verb) && String(thread) === this.id
  }

  /** False for a certificate that does not hold. One that says what an accepted one says is as good: it is mostly another member's. */
  isProven(admitted: Admitted): boolean {
    const { verb, payload } = admitted.envelope
    if (verb !== 'DECIDE' && verb !== 'FINALIZE') return true
    if (checked.get(admitted)?.ok === true) return true
    const accepted = verb === 'DECIDE' ? this.decide : this.end
    return accepted !== null && digestIn(payload) === digestIn(accepted.admitted.envelope.payload)
  }

  warn(context: Context, message: string): void {
    if (this.warnings.includes(message) || this.warnings.length >= WARNINGS_MAX) return
    this.warnings.push(message)
    context.warn(this.id, message)
  }

  /** The latest time at which a certified end can still come by itself; after it (plus grace) the thread is given up. */
  lastDeadline(): number {
    const { windows, expiresAt } = this.need.envelope.payload
    const commit = this.group?.log.state.commit ?? null
    if (commit === null) return expiresAt
    return Math.max(
      expiresAt,
      commit.stamp + 2 * windows.verifyMs + windows.sealMs + windows.revealMs + windows.challengeMs
    )
  }
}

/** What a certificate is about, in hex. */
function digestIn(payload: unknown): string {
  return toHex((payload as Payload<'DECIDE' | 'FINALIZE'>).certificate.digest)
}

/** What names a group or carries a certificate. */
const CERTIFIED_VERBS: ReadonlySet<Verb> = new Set<Verb>([
  'FORM',
  'DECIDE',
  'FINALIZE',
  'INVALIDATE'
])

/** Between two answers to one peer's pulls of a thread, in ms: pulls are small and their answers are not. */
const ANSWERS_MS = 100

/** Envelopes that are on their way through the door at once; what one full window of appends brings. */
const ASKED_MAX = 4096

/** FORMs and certificates whose signatures have been looked at, with the answer. Each is of one thread. */
const checked = new WeakMap<Admitted, Result<unknown>>()

const idByEntry = new WeakMap<LogEntry, string>()

type Carried = { readonly id: string; readonly bytes: () => Uint8Array }

/**
 * The envelope inside an entry. Entries that wait are looked at often, and hashing is what that would cost; of the bytes, the entry
 * has the one copy.
 */
function carriedBy(entry: LogEntry): Carried | null {
  const known = idByEntry.get(entry)
  if (known !== undefined) return { id: known, bytes: () => envelopeIn(entry) as Uint8Array }
  const bytes = envelopeIn(entry)
  if (bytes === null) return null
  const id = idOf(bytes)
  idByEntry.set(entry, id)
  return { id, bytes: () => bytes }
}

function envelopeIn(entry: LogEntry): Uint8Array | null {
  return decodeEntry(entry.data)?.envelope ?? null
}

/** Warnings kept per thread; a noisy peer must not fill memory. */
const WARNINGS_MAX = 32
