import type { Refusal, Result } from '../core/base/index.ts'
import {
  ENVELOPE_BYTES_MAX,
  equals,
  refuse,
  SENDER_ENVELOPES_BURST,
  SENDER_ENVELOPES_PER_SECOND
} from '../core/base/index.ts'
import { idOf } from '../core/codec/index.ts'
import {
  type Admitted,
  AuthorRate,
  checkFreshness,
  parseEnvelope,
  ReplayGuard,
  refuseEnvelope,
  type SenderWindow,
  signedBytes
} from '../core/envelope/index.ts'
import { evaluationDigest, messageInput } from '../core/policy/index.ts'
import type {
  Clock,
  DoorVerdict,
  Logger,
  PolicyEngine,
  VerifySignature,
  VerifySignatureAside
} from '../ports/index.ts'
import { Counters } from './counters.ts'
import { Lanes } from './lanes.ts'
import { policyFailure } from './policy-failure.ts'

/**
 * Who brings an envelope. `peer`: gossip or a direct message. `local`: this node signed it. `log`: it came inside a
 * consensus entry that the machine wants to take; the log's own order and time then stand for rate, freshness and replay,
 * which would make a member that is late disagree with its group. `plan`: it came by plan sync and has a place in its sender's chain,
 * which stands for expiry and replay: what a node was away for still counts, and who says two things at one place has both found.
 */
export type Origin = 'peer' | 'local' | 'log' | 'plan'

/** What the author of an envelope is told that the policy gate refused: its name is proven by then. */
export type Notice = { readonly author: string; readonly reasons: readonly string[] }

/** What the door says; `refusal` unless accepted, `id` once the bytes were an envelope. */
export type Admission = {
  readonly verdict: DoorVerdict
  readonly refusal?: Refusal
  readonly id?: string
  readonly notice?: Notice
}

export type DoorComponents = {
  readonly verify: VerifySignature
  /** Looks at the signatures of links, which come in great numbers; by default `verify` does. */
  readonly verifyAside?: VerifySignatureAside
  readonly policy: PolicyEngine
  readonly clock: Clock
  readonly logger: Logger
  /** The last stage: hands the envelope to the driver. `ignore` when there is no room. */
  readonly accept: (admitted: Admitted, isLocal: boolean) => DoorVerdict | Promise<DoorVerdict>
  /** Envelopes that one sender may have accepted per second; the burst is in proportion. */
  readonly senderPerSecond?: number
  /** The policy gate refused an envelope that a peer brought. */
  readonly refused?: (refused: Refused) => void
}

/** A refusal to tell the author of. */
export type Refused = Notice & {
  readonly id: string
  /** Who brought it. */
  readonly from: string
  readonly code: string
  /** Of the envelope. */
  readonly bytes: number
}

/** Seconds' worth of envelopes that a sender may say at once. */
const BURST_SECONDS: number = SENDER_ENVELOPES_BURST / SENDER_ENVELOPES_PER_SECOND
/** Policy evaluations under way at once. More only queue inside the engine's worker. */
const EVALUATIONS_MAX = 32
/** Envelopes of peers that wait for an evaluation; beyond, they are ignored and come again. Bounds memory to 64 MiB. */
const EVALUATIONS_WAITING_MAX = 1024

/** Accepted envelopes that the machine may still get a second time; the oldest are forgotten. */
const UNSETTLED_MAX = 8192

/** Links that came by plan sync and are not in the replay guard; the oldest are forgotten, and are judged again when they come again. */
const LINKS_MAX = 65_536

/**
 * The one fail-closed door (R4): length, depth, canonical form, shape, author rate, signature, freshness, replay, policy,
 * state, each cheaper than the next. What is wrong by the bytes alone is rejected, which costs the forwarding peer its
 * good name; what may be our clock, load, version or timing is ignored.
 */
export class Door {
  readonly #components: DoorComponents
  readonly #rate: AuthorRate
  readonly #replay = new ReplayGuard()
  readonly #lanes = new Lanes(EVALUATIONS_MAX)
  readonly #counters = new Counters()
  /** By id: the same bytes from several peers at once are judged once. */
  readonly #inFlight = new Map<string, Promise<Admission>>()

  /** Ids that were accepted and that the machine has not kept, oldest first. */
  readonly #unsettled = new Set<string>()

  /** Ids of links that the replay guard has no place for, oldest first: what plan sync brings must not crowd out others there. */
  readonly #links = new Set<string>()

  constructor(components: DoorComponents) {
    this.#components = components
    const perSecond = components.senderPerSecond ?? SENDER_ENVELOPES_PER_SECOND
    this.#rate = new AuthorRate({ perSecond, burst: perSecond * BURST_SECONDS })
  }

  /** Judges the complete bytes of one envelope that `from` handed over. Never rejects, whatever the bytes are. */
  async admit(bytes: Uint8Array, from: string, origin: Origin): Promise<Admission> {
    const admission = await this.#judge(bytes, origin)
    const code = admission.refusal?.code
    this.#counters.add(code ?? 'ACCEPTED')
    if (code !== undefined)
      this.#components.logger.debug('envelope refused', {
        code,
        from,
        origin,
        id: admission.id,
        reason: admission.refusal?.message
      })
    const { id, notice } = admission
    if (origin === 'peer' && code !== undefined && id !== undefined && notice !== undefined)
      this.#components.refused?.({ ...notice, id, from, code, bytes: bytes.length })
    return admission
  }

  /** Remembers an envelope that this node accepted before it was started again. */
  restore(bytes: Uint8Array): void {
    const parsed = parseEnvelope(bytes)
    if (parsed.ok) this.#replay.remember(parsed.value)
  }

  /** Remembers what `windows` gave before this node was started again. */
  restoreWindow(window: SenderWindow): void {
    this.#replay.restore(window)
  }

  /** What has to be remembered over a restart. Not what the machine has not kept: it may have to come again. */
  windows(): Iterable<SenderWindow> {
    return this.#replay.windows(this.#components.clock.nowMs(), id => this.#unsettled.has(id))
  }

  /** The machine has kept this envelope: it need not see it again. */
  settle(bytes: Uint8Array): void {
    if (this.#unsettled.size > 0) this.#unsettled.delete(idOf(bytes))
  }

  /** Refusals by code, and `ACCEPTED`; for metrics and doctor. */
  counts(): Readonly<Record<string, number>> {
    return this.#counters.toObject()
  }

  #judge(bytes: Uint8Array, origin: Origin): Promise<Admission> | Admission {
    if (origin === 'peer' && bytes.length <= ENVELOPE_BYTES_MAX) {
      // Most of what comes has come before, and those bytes passed every stage: their hash says so.
      const id = idOf(bytes)
      if (this.#knows(id) && !this.#unsettled.has(id))
        return { ...ignore(refuseEnvelope('REPLAYED').refusal), id }
    }
    const parsed = parseEnvelope(bytes)
    if (!parsed.ok) return { verdict: 'reject', refusal: parsed.refusal }
    const admitted = parsed.value
    // A consensus entry is judged by fewer stages, so it must not share the answer of a peer's copy; nor must a link of a chain.
    const key = origin === 'log' || origin === 'plan' ? `${origin} ${admitted.id}` : admitted.id
    const running = this.#inFlight.get(key)
    if (running !== undefined) return running
    const admission = this.#judgeEnvelope(admitted, origin).finally(() =>
      this.#inFlight.delete(key)
    )
    this.#inFlight.set(key, admission)
    return admission
  }

  async #judgeEnvelope(admitted: Admitted, origin: Origin): Promise<Admission> {
    const { id } = admitted
    const known = this.#judgeKnown(admitted, origin)
    if (known !== undefined) return known
    const refused =
      (isLink(admitted, origin)
        ? await this.#judgeLinkAuthor(admitted)
        : this.#judgeAuthor(admitted, origin)) ??
      this.#judgeTime(admitted, origin) ??
      (await this.#judgePolicy(admitted, origin))
    if (refused !== undefined) return { ...refused, id }
    return this.#hand(admitted, origin)
  }

  /**
   * Bytes that were accepted before need no second look. The machine gets them once more where it may want them: out of a
   * consensus entry, or while it has kept nothing of them (it may have had no room, or waited too long for their NEED).
   */
  #judgeKnown(admitted: Admitted, origin: Origin): Promise<Admission> | Admission | undefined {
    const { clock, accept } = this.#components
    const { id } = admitted
    if (!this.#knows(id)) return undefined
    if (origin === 'log') return this.#hand(admitted, origin)
    const isWanted = isLink(admitted, origin) || checkFreshness(admitted.envelope, clock.nowMs()).ok
    if (this.#unsettled.has(id) && isWanted) void accept(admitted, origin === 'local')
    return { ...ignore(refuseEnvelope('REPLAYED').refusal), id }
  }

  #knows(id: string): boolean {
    return this.#links.has(id) || this.#replay.holds(id, this.#components.clock.nowMs())
  }

  /** Rate before signature, since the signature is what a flood would make us pay for. */
  #judgeAuthor(admitted: Admitted, origin: Origin): Admission | undefined {
    const { clock, verify } = this.#components
    const { envelope } = admitted
    const { sender } = envelope
    const isPaced = origin === 'log'
    if (!isPaced) {
      const rate = this.#rate.check(sender, clock.nowMs())
      if (!rate.ok) return ignore(rate.refusal)
    }
    if (!verify(sender, signedBytes(admitted), envelope.sig))
      return reject(refuseEnvelope('BAD_SIGNATURE').refusal)
    if (!isPaced) this.#rate.spend(sender, clock.nowMs())
    return undefined
  }

  /** Who brings links has a pace of its own. */
  async #judgeLinkAuthor(admitted: Admitted): Promise<Admission | undefined> {
    const { verify, verifyAside = async (...triple) => verify(...triple) } = this.#components
    const { sender, sig } = admitted.envelope
    return (await verifyAside(sender, signedBytes(admitted), sig))
      ? undefined
      : reject(refuseEnvelope('BAD_SIGNATURE').refusal)
  }

  #judgeTime(admitted: Admitted, origin: Origin): Admission | undefined {
    if (origin === 'log') return undefined
    const nowMs = this.#components.clock.nowMs()
    if (isLink(admitted, origin)) {
      const fresh = refusalOf(checkFreshness(admitted.envelope, nowMs))
      return fresh === undefined || fresh.code === 'ENVELOPE_EXPIRED' ? undefined : ignore(fresh)
    }
    const refusal =
      refusalOf(checkFreshness(admitted.envelope, nowMs)) ??
      refusalOf(this.#replay.check(admitted, nowMs))
    return refusal === undefined ? undefined : ignore(refusal)
  }

  async #judgePolicy(admitted: Admitted, origin: Origin): Promise<Admission | undefined> {
    const author = admitted.envelope.sender
    if (!equals(admitted.envelope.policyEngine, this.#components.policy.engine))
      return told(ignore(ENGINE_MISMATCH.refusal), author)
    // The rules of the network are not the sender's to choose: a capsule that allows everything is made in a minute.
    if (admitted.envelope.policyCapsule.toString() !== this.#components.policy.baseCapsule)
      return told(ignore(CAPSULE_MISMATCH.refusal), author)
    if ((origin === 'peer' || origin === 'plan') && this.#lanes.waiting >= EVALUATIONS_WAITING_MAX)
      return ignore(BUSY.refusal)
    try {
      return await this.#lanes.run(() => this.#evaluate(admitted))
    } catch (error) {
      return ignore(policyFailure(error, this.#components.logger))
    }
  }

  /** Gate 2: the same question to the same capsule must give the sender's answer. */
  async #evaluate({ envelope }: Admitted): Promise<Admission | undefined> {
    const { policy } = this.#components
    const input = messageInput(envelope)
    const capsule = envelope.policyCapsule.toString()
    const decision = await policy.evaluate(capsule, input)
    const { reasons } = decision
    if (!decision.allow)
      return told(
        reject(refuseEnvelope('POLICY_DENIED', reasons.join('; ')).refusal),
        envelope.sender,
        reasons
      )
    const digest = evaluationDigest({ input, decision, capsule, engine: policy.engine })
    return equals(digest, envelope.policyEvalDigest)
      ? undefined
      : told(reject(DIGEST_MISMATCH.refusal), envelope.sender)
  }

  /**
   * Two envelopes of one author with one lamport value may both have been under evaluation, so replay is asked again. What
   * the machine could not take is not remembered: it may come again.
   */
  async #hand(admitted: Admitted, origin: Origin): Promise<Admission> {
    const { id } = admitted
    if (origin !== 'log') {
      const raced = this.#judgeTime(admitted, origin)
      if (raced !== undefined) return { ...raced, id }
    }
    const answer = this.#components.accept(admitted, origin === 'local')
    // Awaited only when it must be: nothing may come between the second look and the remembering.
    const verdict = typeof answer === 'string' ? answer : await answer
    if (verdict !== 'accept') return { verdict, refusal: BUSY.refusal, id }
    if (isLink(admitted, origin)) keepNewest(this.#links, id, LINKS_MAX)
    else this.#replay.remember(admitted)
    keepNewest(this.#unsettled, id, UNSETTLED_MAX)
    return { verdict, id }
  }
}

const ENGINE_MISMATCH = refuse(
  'POLICY_ENGINE_MISMATCH',
  'the sender evaluates policies by other rules: one of the two programs is too old'
)
const CAPSULE_MISMATCH = refuse(
  'CAPSULE_UNAVAILABLE',
  'the sender judges messages by another base capsule: one of the two programs is too old'
)
const DIGEST_MISMATCH = refuse(
  'POLICY_DIGEST_MISMATCH',
  'the policy gives another answer here than the sender signed'
)
export const BUSY: { readonly ok: false; readonly refusal: Refusal } = refuse(
  'DOOR_BUSY',
  'this node has too much to do: the envelope may come again'
)

/** Such an envelope was mostly said long ago, one of many: its pace is that of the stream, of which one message is handled at a time. */
function isLink({ envelope }: Admitted, origin: Origin): boolean {
  return origin === 'plan' && envelope.verb === 'UPDATE_PLAN'
}

/** Adds to a set that holds so many, and forgets the oldest. */
function keepNewest(ids: Set<string>, id: string, max: number): void {
  ids.add(id)
  if (ids.size > max) ids.delete(ids.values().next().value as string)
}

function ignore(refusal: Refusal): Admission {
  return { verdict: 'ignore', refusal }
}

function reject(refusal: Refusal): Admission {
  return { verdict: 'reject', refusal }
}

/** A refusal that its author is told of; by default the message is the one reason. */
function told(
  admission: Admission,
  author: string,
  reasons: readonly string[] = [admission.refusal?.message ?? '']
): Admission {
  return { ...admission, notice: { author, reasons } }
}

function refusalOf(result: Result<void>): Refusal | undefined {
  return result.ok ? undefined : result.refusal
}
