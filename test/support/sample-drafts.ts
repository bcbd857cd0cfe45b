/**
 * One lifelike draft for each verb, always the same. Tests change single fields of them.
 */

import { nodeSigner } from '../../src/adapters/ed25519/index.ts'
import { utf8 } from '../../src/core/base/index.ts'
import { cidOf, encode, hash } from '../../src/core/codec/index.ts'
import type {
  Decision,
  Draft,
  Fence,
  Outcome,
  Payload,
  Standing,
  Verb
} from '../../src/core/envelope/index.ts'
import { PLACE_OF_VERB } from '../../src/core/envelope/index.ts'
import { CAPABILITY_OF_VERB } from '../../src/core/policy/index.ts'

/** The instant at which the samples are said, in ms since 1970. */
export const SAMPLE_NOW_MS = 1_700_000_000_000

/** Signers with fixed seeds: requester, worker, verifier and one more. */
export const SIGNERS = [1, 2, 3, 4].map(n => nodeSigner(new Uint8Array(32).fill(n)))

/** The same CID for the same name. */
export function sampleCid(name: string, codec?: number): ReturnType<typeof cidOf> {
  return cidOf(encode({ sample: name }), codec)
}

/** The same 32 bytes for the same name. */
export function sampleHash(name: string): Uint8Array {
  return hash(utf8(name))
}

const need = sampleCid('need')
const task = sampleCid('proposal')
const commit = sampleCid('commit')
const artifact = sampleCid('artifact', 0x70)
const fence: Fence = [0, 3, 17]
const [requester, worker, verifier, voter] = SIGNERS.map(signer => signer.did) as [
  string,
  string,
  string,
  string
]
const roster = [requester, worker, verifier, voter]
const position = { term: 3, index: 12, logHash: sampleHash('log'), planDigest: sampleHash('plan') }

const decision: Decision = {
  need,
  slot: 'translate/1',
  epoch: 0,
  proposal: task,
  worker,
  attestations: [sampleCid('attest-plan')],
  ...position,
  planHeads: { listed: [need, task], digest: sampleHash('heads') }
}

const outcome: Outcome = {
  need,
  slot: 'translate/1',
  epoch: 0,
  result: 'FINAL',
  reason: 'the challenge window has passed',
  proposal: task,
  commit,
  outputs: [artifact],
  attestations: [sampleCid('attest')],
  challenges: [],
  payouts: [
    { to: worker, amount: 90n, why: 'work' },
    { to: verifier, amount: 10n, why: 'verify' },
    { to: requester, amount: 9_007_199_254_740_993n, why: 'refund' }
  ],
  fence,
  stamp: SAMPLE_NOW_MS,
  ...position
}

const votes = roster.slice(0, 3).map(member => ({ member, sig: new Uint8Array(64).fill(7) }))
const certificate = {
  form: encode({ sample: 'form' }),
  previous: [encode({ sample: 'earlier form' })],
  digest: sampleHash('digest'),
  votes
}
const decided = { decision, certificate: { ...certificate, stage: 'decide' } as const }
const ended = { outcome, certificate: { ...certificate, stage: 'outcome' } as const }

const standing: Standing = {
  manifest: sampleCid('manifest'),
  roles: ['verifier', 'voter', 'worker'],
  tags: ['vetted'],
  zone: 'eu',
  org: 'acme',
  stake: 10n
}

/** A payload for each verb. */
export const SAMPLE_PAYLOADS: { readonly [V in Verb]: Payload<V> } = {
  NEED: {
    slot: 'translate/1',
    epoch: 0,
    task: 'text/language',
    requires: ['text/language'],
    produces: ['languages'],
    inputs: [artifact],
    budget: 100n,
    verifyBounty: 10n,
    kPlan: 1,
    kResult: 2,
    windows: {
      bidMs: 500,
      leaseTtlMs: 5000,
      verifyMs: 5000,
      sealMs: 200,
      revealMs: 2000,
      challengeMs: 1000
    },
    expiresAt: SAMPLE_NOW_MS + 60_000,
    capsule: sampleCid('capsule'),
    taskClass: 'deterministic',
    solo: false,
    terms: { zones: ['eu'], tags: ['vetted'], perOrg: 1, perZone: null, tokensMax: 1000 }
  },
  FORM: {
    need,
    slot: 'translate/1',
    epoch: 0,
    seal: null,
    earlierSeals: [],
    checkpoint: null,
    tier: 'discovery',
    candidates: roster.map(did => ({ did, manifest: sampleCid(`manifest of ${did}`) })),
    roster,
    joins: roster.map(member => ({ member, sig: new Uint8Array(64).fill(9) })),
    kPlan: 1,
    kResult: 2,
    quorum: 'more-than-two-thirds',
    precisionMs: 10_000
  },
  PROPOSE: {
    need,
    patch: [
      {
        kind: 'ADD_TASK',
        task: 'detect',
        type: 'text/language',
        requires: ['text/language'],
        produces: ['languages']
      },
      { kind: 'REQUIRES', task: 'detect', artifact },
      { kind: 'STATE', task: 'detect', state: 'DRAFT' },
      { kind: 'LINK', parent: 'root', child: 'detect' },
      { kind: 'ANNOTATE', task: 'detect', key: 'note', value: 'zuerst prüfen 🐟' }
    ],
    ballot: { cost: 90n, etaMs: 1500, bond: 5n },
    shardDependencies: [],
    standing
  },
  ATTEST_PLAN: { need, proposal: task, evaluation: sampleHash('evaluation'), standing },
  DECIDE: decided,
  CLAIM: { task, leaseTtlMs: 5000, cost: 90n, etaMs: 1500 },
  HEARTBEAT: { task, progress: 40 },
  YIELD: { task, reason: 'the machine is going to sleep' },
  RELEASE: { task },
  UPDATE_PLAN: {
    session: 0,
    seq: 1,
    previous: null,
    facts: [{ kind: 'PRODUCES', task: 'detect', artifact }]
  },
  COMMIT: {
    task,
    outputs: [artifact],
    verifyBounty: 10n,
    telemetry: {
      tokens: 0,
      cost: 90n,
      wallMs: 321,
      exitStatus: -9,
      tool: 'franc 6',
      model: '',
      zone: 'eu'
    }
  },
  ATTEST: {
    task,
    commit,
    seal: sampleHash('seal'),
    salt: null,
    evaluation: null,
    challenge: null,
    reasons: [],
    standing
  },
  REJECT: {
    task,
    commit,
    salt: sampleHash('salt'),
    evaluation: sampleHash('evaluation'),
    challenge: null,
    reasons: ['line 3 differs'],
    standing: null
  },
  CHALLENGE: {
    task,
    commit,
    bond: 20n,
    proof: { type: 'output_mismatch', evidence: [sampleCid('evidence', 0x55)], note: 'line 3' }
  },
  INVALIDATE: { ...ended, outcome: { ...outcome, result: 'INVALID', outputs: [] } },
  FINALIZE: ended,
  RECONCILE: { merged: [need], orphaned: [task], salvaged: [artifact] },
  CHECKPOINT: {
    epoch: 4,
    treeSize: 1000,
    root: sampleHash('root'),
    stateRoots: [sampleHash('ledger')]
  },
  MANIFEST: {
    capabilities: ['text/language', 'swarm/voter'],
    roles: ['worker', 'voter'],
    tags: ['demo'],
    zone: 'eu',
    org: 'example',
    price: 1n,
    stake: 2n ** 63n - 1n,
    agent: 'can-swarm 0.1.0'
  }
}

/** A draft for a verb; thread, epoch and fence as the verb needs them. */
export function sampleDraft<V extends Verb>(verb: V): Draft<V> {
  const place = PLACE_OF_VERB[verb]
  return {
    verb,
    thread: place.thread ? need : null,
    capability: CAPABILITY_OF_VERB[verb],
    epoch: place.epoch ? 0 : null,
    fence: place.fence ? fence : null,
    refs: [artifact],
    payload: SAMPLE_PAYLOADS[verb],
    notAfter: SAMPLE_NOW_MS + 3_600_000,
    traceparent: verb === 'NEED' ? '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' : null
  } as unknown as Draft<V>
}
