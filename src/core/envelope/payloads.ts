import * as v from 'valibot'
import { CANDIDATES_MAX } from '../base/index.ts'
import { amount, bytesOf, cid, did, fence, hash32, listOf, name, text, uint } from './fields.ts'

/**
 * The payload of every verb, as a schema. The IPLD schemas in protocols/envelope/ say the same for other languages.
 * Unknown fields are refused: a signed field that one node reads and another ignores is a fork.
 */

/** Lengths of the windows of a NEED in ms. All are judged in log time. */
export const windows = v.strictObject({
  /** From the FORM's activation to the earliest DECIDE. */
  bidMs: uint,
  /** Life of a lease without a heartbeat. */
  leaseTtlMs: uint,
  /** From COMMIT to the end of sealing, at the latest. */
  verifyMs: uint,
  /** How long more seals are taken after the K_result-th. */
  sealMs: uint,
  /** From the last needed seal to the end of revealing, at the latest. */
  revealMs: uint,
  /** T_challenge: from VERIFIED to FINAL. */
  challengeMs: uint
})

/** One fact of the shared plan. */
export const fact = v.variant('kind', [
  v.strictObject({ kind: v.literal('ADD_TASK'), task: name, type: name, requires: listOf(name), produces: listOf(name) }),
  v.strictObject({ kind: v.literal('REQUIRES'), task: name, artifact: cid }),
  v.strictObject({ kind: v.literal('PRODUCES'), task: name, artifact: cid }),
  v.strictObject({ kind: v.literal('STATE'), task: name, state: v.picklist(['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL']) }),
  v.strictObject({ kind: v.literal('LINK'), parent: name, child: name }),
  v.strictObject({ kind: v.literal('ANNOTATE'), task: name, key: name, value: text })
])

/** One member's signature over a statement about the group. */
const memberSignature = v.strictObject({ member: did, sig: bytesOf(64) })

/** FORM + finality votes of more than 2/3 of the roster (R10). `form` is the complete FORM envelope. */
export const certificate = v.strictObject({
  form: v.instance(Uint8Array),
  stage: v.picklist(['decide', 'outcome']),
  /** taggedHash of the decision or outcome body that was voted on. */
  digest: hash32,
  votes: listOf(memberSignature, 16)
})

/** What the group decided. The same bytes at every member, derived from the log alone. */
export const decision = v.strictObject({
  need: cid, slot: text, epoch: uint, proposal: cid, worker: did, term: uint, index: uint,
  attestations: listOf(cid), logHash: hash32, planDigest: hash32
})

/** How the thread ended. The same bytes at every member, derived from the log alone (P2). */
export const outcome = v.strictObject({
  need: cid, slot: text, epoch: uint,
  result: v.picklist(['FINAL', 'INVALID', 'EXPIRED']),
  reason: text,
  proposal: v.nullable(cid), commit: v.nullable(cid), outputs: listOf(cid),
  attestations: listOf(cid), challenges: listOf(cid),
  payouts: listOf(v.strictObject({ to: did, amount, why: v.picklist(['work', 'verify', 'refund']) })),
  fence: v.nullable(fence), stamp: uint, term: uint, index: uint, logHash: hash32, planDigest: hash32
})

export const payloads = {
  NEED: v.strictObject({
    slot: text, epoch: uint, task: name, requires: listOf(name), produces: listOf(name), inputs: listOf(cid),
    budget: amount, verifyBounty: amount, kPlan: uint, kResult: uint, windows, expiresAt: uint, capsule: cid,
    taskClass: v.picklist(['deterministic', 'open']), solo: v.boolean()
  }),
  FORM: v.strictObject({
    need: cid, slot: text, epoch: uint, seal: v.null(), checkpoint: v.null(), tier: v.picklist(['discovery', 'single']),
    candidates: listOf(v.strictObject({ did, manifest: cid }), CANDIDATES_MAX), roster: listOf(did, 7), joins: listOf(memberSignature, 7),
    kPlan: uint, kResult: uint, quorum: v.literal('more-than-two-thirds'), precisionMs: uint
  }),
  PROPOSE: v.strictObject({
    need: cid, patch: listOf(fact), ballot: v.strictObject({ cost: amount, etaMs: uint, bond: amount }), shardDependencies: listOf(cid)
  }),
  ATTEST_PLAN: v.strictObject({ need: cid, proposal: cid, evaluation: hash32 }),
  DECIDE: v.strictObject({ decision, certificate }),
  CLAIM: v.strictObject({ task: cid, leaseTtlMs: uint, cost: amount, etaMs: uint }),
  HEARTBEAT: v.strictObject({ task: cid, progress: v.pipe(uint, v.maxValue(100)) }),
  YIELD: v.strictObject({ task: cid, reason: text }),
  RELEASE: v.strictObject({ task: cid }),
  UPDATE_PLAN: v.strictObject({ facts: listOf(fact) }),
  COMMIT: v.strictObject({
    task: cid, outputs: listOf(cid), verifyBounty: amount,
    telemetry: v.strictObject({ tokens: uint, cost: amount, wallMs: uint, exitStatus: v.number(), tool: text, model: text, zone: text })
  }),
  /** Sealed first (seal set, the rest null), then revealed (R18). The seal hashes verdict, commit, sender and salt. */
  ATTEST: v.strictObject({ task: cid, commit: cid, seal: v.nullable(hash32), salt: v.nullable(bytesOf(32)), evaluation: v.nullable(hash32), challenge: v.nullable(cid), reasons: listOf(text, 8) }),
  REJECT: v.strictObject({ task: cid, commit: cid, salt: v.nullable(bytesOf(32)), evaluation: v.nullable(hash32), challenge: v.nullable(cid), reasons: listOf(text, 8) }),
  CHALLENGE: v.strictObject({
    task: cid, commit: cid, bond: amount,
    proof: v.strictObject({
      type: v.picklist(['schema_violation', 'missing_artifact', 'hash_mismatch', 'policy_violation', 'output_mismatch', 'missing_citation']),
      evidence: listOf(cid, 16), note: text
    })
  }),
  INVALIDATE: v.strictObject({ outcome, certificate }),
  FINALIZE: v.strictObject({ outcome, certificate }),
  RECONCILE: v.strictObject({ merged: listOf(cid), orphaned: listOf(cid), salvaged: listOf(cid) }),
  CHECKPOINT: v.strictObject({ epoch: uint, treeSize: uint, root: hash32, stateRoots: listOf(hash32, 8) }),
  MANIFEST: v.strictObject({
    capabilities: listOf(name), roles: listOf(v.picklist(['requester', 'worker', 'verifier', 'voter'])), tags: listOf(name), zone: text, org: text,
    price: amount, stake: amount, agent: text
  })
} as const

/** What an envelope says. */
export type Verb = keyof typeof payloads
export type Payload<V extends Verb> = v.InferOutput<(typeof payloads)[V]>
export type Fact = v.InferOutput<typeof fact>
export type Windows = v.InferOutput<typeof windows>
export type Decision = v.InferOutput<typeof decision>
export type Outcome = v.InferOutput<typeof outcome>
export type Certificate = v.InferOutput<typeof certificate>
export const VERBS: readonly Verb[] = Object.keys(payloads) as Verb[]
