import { equals } from '../core/base/index.ts'
import { encode, idOf } from '../core/codec/index.ts'
import type { Admitted } from '../core/envelope/index.ts'
import { decodeEntry, NeedLog, type NeedState } from '../core/need/index.ts'
import type { LogEntry } from '../core/raft/index.ts'
import {
  checkDecision,
  checkForm,
  checkOutcome,
  decisionDigest,
  groupIdOf,
  outcomeDigest
} from '../core/roster/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import type { VerifySignature } from '../ports/index.ts'
import { Admission, eventOf } from './admission.ts'
import { difference } from './difference.ts'
import { type Findings, noFindings, telemetryOf } from './findings.ts'
import { type Checked, type Flaw, flawed, fromRefusal } from './flaw.ts'
import { LamportOrder } from './lamport-order.ts'

export type ReplayerInit = {
  /** Text CID of the thread that the header names. */
  readonly thread: string
  /** For what is inside envelopes: JOINs, SEALs, votes. */
  readonly verify: VerifySignature
  /** Opens an envelope that is as the door wants it. Without it the replayer looks at form and signature itself, and trusts the policy digests. */
  readonly admit?: (bytes: Uint8Array, id?: string) => Checked<Admitted>
}

type Certified = Admitted<'DECIDE' | 'FINALIZE' | 'INVALIDATE'>
/** A certificate, who signed it, and the digest that they signed. */
type Waiting = {
  readonly admitted: Certified
  readonly signers: readonly string[]
  readonly isDecision: boolean
  readonly digest: Uint8Array
}
/** Different decisions that wait, and outcomes: of two, one is not what the log leads to, whatever the others are. */
const DIFFERENT_MAX = 2
/** Bytes of envelopes that entries may refer to: more than an honest node keeps of one thread. */
const SHOWN_BYTES_MAX: number = 64 * 1024 * 1024
const FINE: Checked<null> = { ok: true, value: null }

/**
 * Folds a record through the core, item by item (R19): the same code that decided when it happened. Takes the replay order of an export, and the
 * order in which a node saw things: certificates that come before the log that leads to them wait for it, and what took no effect then
 * takes none now.
 */
export class Replayer {
  readonly findings: Findings = noFindings()
  readonly #init: ReplayerInit
  readonly #admit: (bytes: Uint8Array, id?: string) => Checked<Admitted>
  #need: Admitted<'NEED'> | null = null
  readonly #forms: Admitted<'FORM'>[] = []
  #log: NeedLog | null = null
  #current: Admitted | null = null
  /** Certificates of the current group that the log has not come to yet. */
  #waiting: Waiting[] = []
  /** Envelopes that lines have shown and no entry has carried yet, by id, oldest first. */
  readonly #shown = new Map<string, Uint8Array>()
  #shownBytes = 0
  readonly #order = new LamportOrder()
  #disorder: Flaw[] = []

  constructor(init: ReplayerInit) {
    this.#init = init
    const admission = new Admission({ ...init, gate: null })
    this.#admit = init.admit ?? ((bytes, id) => admission.admit(bytes, id))
  }

  /** `id`: what the item's envelope was found to hash to, where that was looked at before. */
  take(item: RecordItem, id?: string): Checked<null> {
    this.findings.events += 1
    if (item.type === 'entry') return this.#takeEntry(item.entry, id)
    this.#show(item.bytes, id)
    return this.#takeEnvelope(item.bytes, id)
  }

  /** The fold over the log so far; null before the first FORM. */
  state(): NeedState | null {
    return this.#log?.state ?? null
  }

  /** An envelope that an item before has shown, for an entry that only names it. */
  earlier(id: string): Uint8Array | undefined {
    return this.#shown.get(id)
  }

  /** What the items since the last call say against the order of their senders' Lamport values. It takes nothing from what the log leads to. */
  takeDisorder(): readonly Flaw[] {
    const found = this.#disorder
    if (found.length > 0) this.#disorder = []
    return found
  }

  /** After the last item: what still waits for a log that is not there. */
  end(): Checked<null> {
    const [waiting] = this.#waiting
    if (waiting === undefined) return FINE
    const event = eventOf(waiting.admitted)
    return waiting.isDecision
      ? flawed('REPLAY_DECIDE', 'the log does not lead to a decision, but a DECIDE is recorded', {
          event
        })
      : flawed('REPLAY_OUTCOME', 'the log does not lead to an outcome, but one is recorded', {
          event
        })
  }

  #takeEntry(entry: LogEntry, id: string | undefined): Checked<null> {
    if (this.#log === null)
      return flawed('REPLAY_ORDER', 'a log entry comes before the FORM of its group')
    // A node that was told a false log learns it anew, from the first entry. Never one that led to its certified end: what is asked of the fold rests on that.
    if (entry.index === 1 && this.#log.state.at.index > 0 && this.findings.outcome === null)
      this.#begin()
    const log: NeedLog = this.#log
    const expected = log.state.at.index + 1
    if (entry.index !== expected)
      return flawed('REPLAY_ORDER', `expected log index ${expected}, found ${entry.index}`, {
        field: 'index',
        expected: String(expected),
        found: String(entry.index)
      })
    const bytes = decodeEntry(entry.data)?.envelope ?? null
    this.#current = null
    if (bytes !== null) {
      const admitted = this.#admit(bytes, id)
      if (!admitted.ok) return admitted
      this.#current = admitted.value
      this.#note(admitted.value)
    }
    const { decided, ended } = log.apply(entry)
    const { commit } = log.state
    this.findings.commits = commit === null ? [] : [telemetryOf(commit.admitted)]
    return decided === null && ended === null ? FINE : this.#settle()
  }

  #takeEnvelope(bytes: Uint8Array, id: string | undefined): Checked<null> {
    const checked = this.#admit(bytes, id)
    if (!checked.ok) return checked
    const admitted = checked.value
    const { verb } = admitted.envelope
    this.#note(admitted)
    if (verb === 'NEED') return this.#takeNeed(admitted as Admitted<'NEED'>)
    if (this.#need === null)
      return flawed('REPLAY_ORDER', `a ${verb} comes before the NEED`, { event: eventOf(admitted) })
    if (verb === 'FORM') return this.#takeForm(admitted as Admitted<'FORM'>, this.#need)
    if (verb === 'DECIDE' || verb === 'FINALIZE' || verb === 'INVALIDATE')
      return this.#takeCertified(admitted as Certified, this.#need)
    return FINE
  }

  #takeNeed(need: Admitted<'NEED'>): Checked<null> {
    const event = eventOf(need)
    if (this.#need !== null) return flawed('REPLAY_ORDER', 'a second NEED', { event })
    if (need.id !== this.#init.thread)
      return flawed('REPLAY_THREAD', 'the NEED is another than the header names', {
        event,
        field: 'thread',
        expected: this.#init.thread,
        found: need.id
      })
    this.#need = need
    return FINE
  }

  /**
   * The first FORM of each epoch counts, as it did for the recording node; another one for it is evidence and has no effect. Nor has one that comes after
   * the certified end.
   */
  #takeForm(form: Admitted<'FORM'>, need: Admitted<'NEED'>): Checked<null> {
    const last = this.#forms.at(-1)?.envelope.payload.epoch ?? -1
    if (form.envelope.payload.epoch <= last || this.findings.outcome !== null) return this.#aside()
    const previous = [...this.#forms]
    const checked = checkForm(form, { need, previous }, this.#init.verify)
    if (!checked.ok) return fromRefusal(checked.refusal, { event: eventOf(form) })
    this.#forms.push(form)
    this.#waiting = []
    this.#begin()
    return FINE
  }

  /** The log of the current group, from its first entry. */
  #begin(): void {
    const form = this.#forms.at(-1)
    if (form === undefined || this.#need === null) return
    this.#log = new NeedLog({
      need: this.#need,
      form,
      previous: this.#forms.slice(0, -1),
      verify: this.#init.verify,
      // Asked for the entry that is being taken.
      known: () => this.#current ?? undefined
    })
  }

  #takeCertified(admitted: Certified, need: Admitted<'NEED'>): Checked<null> {
    const { verify } = this.#init
    const { payload } = admitted.envelope
    const checked =
      'decision' in payload
        ? checkDecision(payload.decision, payload.certificate, need, verify)
        : checkOutcome(payload.outcome, payload.certificate, need, verify)
    if (!checked.ok) return fromRefusal(checked.refusal, { event: eventOf(admitted) })
    const form = this.#forms.at(-1)
    if (form === undefined)
      return flawed('REPLAY_ORDER', 'a certificate comes before the FORM of its group', {
        event: eventOf(admitted)
      })
    if (groupIdOf(form.bytes) !== checked.value.group) return this.#aside()
    const isDecision = 'decision' in payload
    const digest = isDecision ? decisionDigest(payload.decision) : outcomeDigest(payload.outcome)
    // Anybody may say one certificate again, as often as it likes: what it says is compared once.
    const alike = this.#waiting.filter(waiting => waiting.isDecision === isDecision)
    if (alike.length >= DIFFERENT_MAX || alike.some(waiting => equals(waiting.digest, digest)))
      return FINE
    this.#waiting.push({ admitted, signers: checked.value.signers, isDecision, digest })
    return this.#settle()
  }

  /** Compares the certificates that the log has come to with what it leads to. */
  #settle(): Checked<null> {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) {
      const compared = one.isDecision ? this.#compareDecide(one) : this.#compareEnd(one)
      if (!compared.ok) return compared
      if (!compared.value) this.#waiting.push(one)
    }
    return FINE
  }

  /** False while the log has not decided. */
  #compareDecide({ admitted, signers, digest }: Waiting): Checked<boolean> {
    const derived = this.#log?.state.decision ?? null
    if (derived === null) return { ok: true, value: false }
    const { decision } = (admitted as Admitted<'DECIDE'>).envelope.payload
    if (!equals(decisionDigest(derived), digest))
      return difference('REPLAY_DECIDE', eventOf(admitted), 'decision', derived, decision)
    this.findings.decide = {
      proposal: decision.proposal.toString(),
      epoch: decision.epoch,
      term: decision.term,
      index: decision.index,
      signers
    }
    return { ok: true, value: true }
  }

  #compareEnd({ admitted, signers, digest }: Waiting): Checked<boolean> {
    const derived = this.#log?.state.outcome ?? null
    if (derived === null) return { ok: true, value: false }
    const event = eventOf(admitted)
    const { certificate, outcome } = (admitted as Admitted<'FINALIZE'>).envelope.payload
    if (!equals(outcomeDigest(derived), digest))
      return difference('REPLAY_OUTCOME', event, 'outcome', derived, outcome)
    const rebuilt = encode({ ...admitted.envelope, payload: { outcome: derived, certificate } })
    if (!equals(rebuilt, admitted.bytes))
      return flawed('REPLAY_BYTES', 'the derived outcome does not give the recorded bytes', {
        event
      })
    if (this.findings.outcome !== null) return { ok: true, value: true }
    this.findings.finalizeBytesEqual = true
    this.findings.outcome = {
      result: outcome.result,
      reason: outcome.reason,
      finalize: admitted.id,
      signers
    }
    return { ok: true, value: true }
  }

  /** Bounded: what nobody refers to for long is forgotten. */
  #show(bytes: Uint8Array, id: string = idOf(bytes)): void {
    this.#shown.set(id, bytes)
    this.#shownBytes += bytes.length
    for (const [id, oldest] of this.#shown) {
      if (this.#shownBytes <= SHOWN_BYTES_MAX) return
      this.#shown.delete(id)
      this.#shownBytes -= oldest.length
    }
  }

  #aside(): Checked<null> {
    this.findings.aside += 1
    return FINE
  }

  #note(admitted: Admitted): void {
    const disorder = this.#order.take(admitted)
    if (disorder !== null) this.#disorder.push(disorder)
  }
}
