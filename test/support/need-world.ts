/**
 * A need's log fed by hand: every entry is signed by test keys and stamped by the test, so that transitions are reached which a
 * cluster with honest agents never takes.
 */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { CID } from '../../src/core/codec/index.ts'
import {
  type Admitted,
  type Draft,
  type Fence,
  type Payload,
  type Standing,
  sealEnvelope,
  signingBytes,
  unsignedEnvelope,
  type Verb
} from '../../src/core/envelope/index.ts'
import { type Applied, encodeEntry, NeedLog, verdictSeal } from '../../src/core/need/index.ts'
import { needDraft } from '../../src/simulator/index.ts'
import { CAPSULE, OUTPUT, testDraft, testKeys, testVerify } from './swarm-cluster.ts'

/** What a verifier says beside its finding. */
type Said = { readonly evaluation?: Uint8Array; readonly standing?: Standing | null }

/** Log time zero of these tests. */
export const T0 = 1_800_000_000_000
export const EVALUATION: Uint8Array = new Uint8Array(32)
const SALT = new Uint8Array(32).fill(7)
const LIFE_MS = 3_600_000
/** Entries of a log after which its state takes too long to be written down for each. */
const SHOWN_MAX = 12
const DEEPLY = { depth: 8, maxArrayLength: null, maxStringLength: null }

export const REQUESTER = 0
export const WORKER = 1

/** Who says it: an index of `testKeys`. */
export type Who = number

export class NeedWorld {
  readonly need: Admitted<'NEED'>
  readonly form: Admitted<'FORM'>
  readonly log: NeedLog
  #lamport = 0
  #index = 0

  constructor(overrides: Partial<Payload<'NEED'>> = {}, form: Partial<Payload<'FORM'>> = {}) {
    this.need = this.seal(REQUESTER, 'NEED', needPayload(overrides))
    const { kPlan, kResult, slot, epoch } = this.need.envelope.payload
    this.form = this.seal(REQUESTER, 'FORM', {
      need: this.need.cid,
      slot,
      epoch,
      seal: null,
      earlierSeals: [],
      checkpoint: null,
      tier: 'discovery',
      candidates: [],
      roster: [0, 1, 2, 3].map(did),
      joins: [],
      kPlan,
      kResult,
      quorum: 'more-than-two-thirds',
      precisionMs: 2_000,
      ...form
    })
    this.log = new NeedLog({
      need: this.need,
      form: this.form,
      previous: [],
      verify: testVerify
    })
  }

  /** Any envelope of the thread. */
  seal<V extends Verb>(
    who: Who,
    verb: V,
    payload: Payload<V>,
    act: { epoch?: number; fence?: Fence; lamport?: number; notAfter?: number } = {}
  ): Admitted<V> {
    this.#lamport += 1
    const keys = testKeys(who)
    const unsigned = unsignedEnvelope(
      {
        ...testDraft(T0, verb, verb === 'NEED' ? null : this.need.cid, payload),
        epoch: act.epoch ?? null,
        fence: act.fence ?? null,
        notAfter: act.notAfter ?? T0 + LIFE_MS
      } as Draft as Draft<V>,
      {
        sender: keys.did,
        lamport: act.lamport ?? this.#lamport,
        nonce: new Uint8Array(16),
        policyCapsule: CAPSULE,
        policyEngine: new Uint8Array(32),
        policyEvalDigest: new Uint8Array(32)
      }
    )
    return sealEnvelope(unsigned, keys.sign(signingBytes(unsigned)))
  }

  /** The next entry, so many ms after T0. */
  at(ms: number, admitted: Admitted | null = null): Applied {
    return this.raw(encodeEntry({ stamp: T0 + ms, envelope: admitted?.bytes ?? null }))
  }

  /** Looks ahead before it applies: what is foreseen is what comes, and to foresee changes nothing. */
  raw(data: Uint8Array): Applied {
    this.#index += 1
    const entry = { term: 1, index: this.#index, data }
    const isShown = this.#index < SHOWN_MAX
    const before = isShown && inspect(this.log.state, DEEPLY)
    const foreseen = this.log.foresee([entry])
    assert.equal(isShown && inspect(this.log.state, DEEPLY), before)
    const applied = this.log.apply(entry)
    assert.deepEqual(foreseen?.decision ?? null, applied.decided)
    return applied
  }

  propose(
    who: Who,
    cost = 10n,
    etaMs = 100,
    standing: Standing | null = null
  ): Admitted<'PROPOSE'> {
    return this.seal(who, 'PROPOSE', {
      need: this.need.cid,
      patch: [],
      ballot: { cost, etaMs, bond: 0n },
      shardDependencies: [],
      standing
    })
  }

  attestPlan(
    who: Who,
    proposal: Admitted,
    { evaluation = EVALUATION, standing = null }: Said = {}
  ): Admitted<'ATTEST_PLAN'> {
    return this.seal(who, 'ATTEST_PLAN', {
      need: this.need.cid,
      proposal: proposal.cid,
      evaluation,
      standing
    })
  }

  claim(who: Who, epoch = 0): Admitted<'CLAIM'> {
    return this.seal(
      who,
      'CLAIM',
      { task: this.task(), leaseTtlMs: 1_000, cost: 10n, etaMs: 1 },
      { epoch }
    )
  }

  commit(who: Who, outputs = [OUTPUT], fence = this.fence()): Admitted<'COMMIT'> {
    const telemetry = {
      tokens: 0,
      cost: 1n,
      wallMs: 1,
      exitStatus: 0,
      tool: 't',
      model: '',
      zone: ''
    }
    return this.seal(
      who,
      'COMMIT',
      { task: this.task(), outputs, verifyBounty: 10n, telemetry },
      { epoch: fence[0], fence }
    )
  }

  sealVerdict(
    who: Who,
    pass: boolean,
    { evaluation = EVALUATION, standing = null }: Said = {}
  ): Admitted<'ATTEST'> {
    const commit = this.commitCid()
    const seal = verdictSeal({
      commit: commit.toString(),
      verifier: did(who),
      pass,
      evaluation,
      salt: SALT
    })
    const sealed = { seal, salt: null, evaluation: null, standing }
    return this.finding(who, true, sealed) as Admitted<'ATTEST'>
  }

  /** A reveal, or a finding in a dispute when `challenge` is given. */
  finding(
    who: Who,
    pass: boolean,
    fields: Partial<Payload<'ATTEST'>> = {}
  ): Admitted<'ATTEST' | 'REJECT'> {
    const { seal, ...finding } = {
      task: this.task(),
      commit: this.commitCid(),
      seal: null,
      salt: SALT,
      evaluation: EVALUATION,
      challenge: null,
      reasons: [],
      standing: null,
      ...fields
    }
    return pass
      ? this.seal(who, 'ATTEST', { ...finding, seal }, { epoch: 0 })
      : this.seal(who, 'REJECT', finding, { epoch: 0 })
  }

  challenge(who: Who): Admitted<'CHALLENGE'> {
    return this.seal(
      who,
      'CHALLENGE',
      {
        task: this.task(),
        commit: this.commitCid(),
        bond: 1n,
        proof: { type: 'output_mismatch', evidence: [], note: '' }
      },
      { epoch: 0 }
    )
  }

  /** To DECIDED at 300: the worker's proposal has one attestation. */
  decided(): this {
    const proposal = this.propose(WORKER)
    this.at(1, proposal)
    this.at(2, this.attestPlan(2, proposal))
    this.at(300)
    return this
  }

  /** To COMMITTED at 400, claimed at 310. */
  committed(): this {
    this.decided().at(310, this.claim(WORKER))
    this.at(400, this.commit(WORKER))
    return this
  }

  /** Each verdict sealed from 401 on, then revealed; judged at the last reveal. */
  judged(verdicts: readonly (readonly [Who, boolean])[]): this {
    this.committed()
    for (const [i, [who, pass]] of verdicts.entries()) this.at(401 + i, this.sealVerdict(who, pass))
    this.at(600)
    for (const [i, [who, pass]] of verdicts.entries()) this.at(601 + i, this.finding(who, pass))
    return this
  }

  task(): CID {
    return this.log.state.decision?.proposal ?? this.need.cid
  }

  commitCid(): CID {
    return CID.parse(this.log.state.commit?.admitted.id ?? this.need.id)
  }

  fence(): Fence {
    return this.log.state.lease?.fence ?? [0, 0, 0]
  }
}

export function did(who: Who): string {
  return testKeys(who).did
}

function needPayload(overrides: Partial<Payload<'NEED'>>): Payload<'NEED'> {
  const { payload } = needDraft(T0)
  return { ...payload, windows: { ...payload.windows, bidMs: 200 }, ...overrides }
}
