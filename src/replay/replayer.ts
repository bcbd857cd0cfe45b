import { equals, ok, type Result, refuse } from '../core/base/index.ts'
import { CID, encode } from '../core/codec/index.ts'
import { type Admitted, type Outcome, parseEnvelope, signedBytes } from '../core/envelope/index.ts'
import { decodeEntry, NeedLog } from '../core/need/index.ts'
import { evaluationDigest, messageInput } from '../core/policy/index.ts'
import type { LogEntry } from '../core/raft/index.ts'
import {
  checkDecision,
  checkForm,
  checkOutcome,
  decisionDigest,
  outcomeDigest
} from '../core/roster/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import type { PolicyEngine, VerifySignature } from '../ports/index.ts'

export type ReplayerInit = {
  /** Text CID of the thread that the header names. */
  readonly thread: string
  readonly verify: VerifySignature
  /** Evaluates policies again; null to trust the digests. */
  readonly policy: PolicyEngine | null
}

/** What a replay found out. */
export type Findings = {
  events: number
  /** Policy evaluations that gave the digest in the envelope again. */
  policies: number
  decide: {
    readonly proposal: string
    readonly epoch: number
    readonly term: number
    readonly index: number
    readonly signers: readonly string[]
  } | null
  outcome: {
    readonly result: Outcome['result']
    readonly reason: string
    readonly finalize: string
    readonly signers: readonly string[]
  } | null
  /** True when the outcome derived from the log gives the very bytes of the recorded FINALIZE or INVALIDATE. */
  finalizeBytesEqual: boolean
}

/** Folds a record through the core, item by item (R19): the same code that decided when it happened. */
export class Replayer {
  readonly findings: Findings = {
    events: 0,
    policies: 0,
    decide: null,
    outcome: null,
    finalizeBytesEqual: false
  }
  readonly #init: ReplayerInit
  #need: Admitted<'NEED'> | null = null
  readonly #forms: Admitted<'FORM'>[] = []
  #log: NeedLog | null = null

  constructor(init: ReplayerInit) {
    this.#init = init
  }

  async take(item: RecordItem): Promise<Result<null>> {
    this.findings.events += 1
    return item.type === 'entry' ? this.#takeEntry(item.entry) : this.#takeEnvelope(item.bytes)
  }

  async #takeEntry(entry: LogEntry): Promise<Result<null>> {
    const log = this.#log
    if (log === null)
      return refuse('REPLAY_ORDER', 'a log entry comes before the FORM of its group')
    if (entry.index !== log.state.at.index + 1)
      return refuse(
        'REPLAY_ORDER',
        `expected log index ${log.state.at.index + 1}, found ${entry.index}`
      )
    const bytes = decodeEntry(entry.data)?.envelope ?? null
    if (bytes !== null) {
      const admitted = await this.#admit(bytes)
      if (!admitted.ok) return admitted
    }
    log.apply(entry)
    return ok(null)
  }

  async #takeEnvelope(bytes: Uint8Array): Promise<Result<null>> {
    const admitted = await this.#admit(bytes)
    if (!admitted.ok) return admitted
    const { verb } = admitted.value.envelope
    if (verb === 'NEED') return this.#takeNeed(admitted.value as Admitted<'NEED'>)
    if (this.#need === null) return refuse('REPLAY_ORDER', `a ${verb} comes before the NEED`)
    if (verb === 'FORM') return this.#takeForm(admitted.value as Admitted<'FORM'>, this.#need)
    if (verb === 'DECIDE') return this.#takeDecide(admitted.value as Admitted<'DECIDE'>, this.#need)
    if (verb === 'FINALIZE' || verb === 'INVALIDATE')
      return this.#takeEnd(admitted.value as Admitted<'FINALIZE' | 'INVALIDATE'>, this.#need)
    return refuse('REPLAY_ORDER', `a ${verb} stands outside the log`)
  }

  #takeNeed(need: Admitted<'NEED'>): Result<null> {
    if (this.#need !== null) return refuse('REPLAY_ORDER', 'a second NEED')
    if (need.id !== this.#init.thread)
      return refuse(
        'REPLAY_THREAD',
        `the header names the thread ${this.#init.thread}, the NEED is ${need.id}`
      )
    this.#need = need
    return ok(null)
  }

  #takeForm(form: Admitted<'FORM'>, need: Admitted<'NEED'>): Result<null> {
    if ((this.#log?.state.at.index ?? 0) > 0)
      return refuse('REPLAY_ORDER', 'a FORM comes after the log of a group')
    const { verify } = this.#init
    const previous = [...this.#forms]
    const last = previous.at(-1)?.envelope.payload.epoch ?? -1
    if (form.envelope.payload.epoch <= last)
      return refuse('REPLAY_ORDER', 'the FORMs are not in the order of their epochs')
    const checked = checkForm(form, { need, previous }, verify)
    if (!checked.ok) return checked
    this.#log = new NeedLog({ need, form, previous, verify })
    this.#forms.push(form)
    return checked
  }

  #takeDecide(admitted: Admitted<'DECIDE'>, need: Admitted<'NEED'>): Result<null> {
    const { decision, certificate } = admitted.envelope.payload
    const checked = checkDecision(decision, certificate, need, this.#init.verify)
    if (!checked.ok) return checked
    const derived = this.#log?.state.decision ?? null
    if (derived === null)
      return refuse(
        'REPLAY_DECIDE',
        'the log does not lead to a decision, but a DECIDE is recorded'
      )
    if (!equals(decisionDigest(derived), decisionDigest(decision)))
      return refuse('REPLAY_DECIDE', difference('DECIDE', derived, decision))
    this.findings.decide = {
      proposal: decision.proposal.toString(),
      epoch: decision.epoch,
      term: decision.term,
      index: decision.index,
      signers: checked.value.signers
    }
    return ok(null)
  }

  #takeEnd(admitted: Admitted<'FINALIZE' | 'INVALIDATE'>, need: Admitted<'NEED'>): Result<null> {
    const { outcome, certificate } = admitted.envelope.payload
    const checked = checkOutcome(outcome, certificate, need, this.#init.verify)
    if (!checked.ok) return checked
    const derived = this.#log?.state.outcome ?? null
    if (derived === null)
      return refuse('REPLAY_OUTCOME', 'the log does not lead to an outcome, but one is recorded')
    if (!equals(outcomeDigest(derived), outcomeDigest(outcome)))
      return refuse('REPLAY_OUTCOME', difference('outcome', derived, outcome))
    const rebuilt = encode({ ...admitted.envelope, payload: { outcome: derived, certificate } })
    this.findings.finalizeBytesEqual = equals(rebuilt, admitted.bytes)
    this.findings.outcome = {
      result: outcome.result,
      reason: outcome.reason,
      finalize: admitted.id,
      signers: checked.value.signers
    }
    return this.findings.finalizeBytesEqual
      ? ok(null)
      : refuse('REPLAY_BYTES', 'the derived outcome does not give the recorded bytes')
  }

  /** What the door does, without the stages that depend on now: form, signature, thread, policy. */
  async #admit(bytes: Uint8Array): Promise<Result<Admitted>> {
    const parsed = parseEnvelope(bytes)
    if (!parsed.ok) return parsed
    const admitted = parsed.value
    const { envelope } = admitted
    const what = `${envelope.verb} ${admitted.id}`
    if (!this.#init.verify(envelope.sender, signedBytes(admitted), envelope.sig))
      return refuse('BAD_SIGNATURE', `${what}: the signature is wrong`)
    if (envelope.verb !== 'NEED' && envelope.thread?.toString() !== this.#init.thread)
      return refuse('REPLAY_THREAD', `${what}: belongs to another thread`)
    const policy = await this.#checkPolicy(admitted)
    return policy.ok ? ok(admitted) : policy
  }

  async #checkPolicy({ id, envelope }: Admitted): Promise<Result<null>> {
    const { policy } = this.#init
    if (policy === null) return ok(null)
    const what = `${envelope.verb} ${id}`
    if (!equals(envelope.policyEngine, policy.engine))
      return refuse(
        'POLICY_ENGINE_MISMATCH',
        `${what}: evaluated by another policy engine than this program's`
      )
    const capsule = CID.asCID(envelope.policyCapsule)?.toString() ?? ''
    const input = messageInput(envelope)
    const decision = await policy.evaluate(capsule, input)
    const digest = evaluationDigest({ input, decision, capsule, engine: policy.engine })
    if (!decision.allow)
      return refuse(
        'POLICY_DENIED',
        `${what}: the policy denies it: ${decision.reasons.join('; ')}`
      )
    if (!equals(digest, envelope.policyEvalDigest))
      return refuse('POLICY_DIGEST_MISMATCH', `${what}: the policy evaluation gives another digest`)
    this.findings.policies += 1
    return ok(null)
  }
}

/** Names the first field that differs, with what was expected (derived) and found (recorded). */
function difference(what: string, derived: object, recorded: object): string {
  for (const [field, expected] of Object.entries(derived)) {
    const found = (recorded as Record<string, unknown>)[field]
    if (!equals(encode(expected), encode(found ?? null)))
      return `${what}.${field}: expected ${show(expected)}, found ${show(found)}`
  }
  return `${what}: another digest`
}

function show(value: unknown): string {
  return value instanceof Uint8Array
    ? Buffer.from(value).toString('hex')
    : String(
        typeof value === 'object' && value !== null && !CID.asCID(value)
          ? JSON.stringify(value, (_, item: unknown) =>
              typeof item === 'bigint' ? String(item) : item
            )
          : value
      )
}
