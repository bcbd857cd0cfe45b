import * as v from 'valibot'
import {
  CANDIDATES_MAX,
  EPOCHS_MAX,
  PLAN_FACTS_MAX,
  PLAN_HEADS_MAX,
  PLAN_SESSIONS_MAX,
  PLAN_UPDATES_MAX
} from '../base/index.ts'
import {
  amount,
  anyBytes,
  bytesOf,
  cid,
  did,
  fence,
  hash32,
  int,
  listOf,
  name,
  text,
  uint
} from './fields.ts'

/**
 * The payload of every verb, as a schema. The IPLD schemas in protocols/envelope/ say the same for other languages.
 * Unknown fields are refused: a signed field that one node reads and another ignores is a fork.
 */

const role = v.picklist(['requester', 'worker', 'verifier', 'voter'])

/** Zones and tags of a NEED, tags of a bidder: what a person would write down. */
const TERMS_ITEMS_MAX = 16

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

/** What the requester asks of those who take part, beside the work. What is empty or null asks for nothing. */
export const terms = v.strictObject({
  /** Where the work may be done: names of zones. */
  zones: listOf(text, TERMS_ITEMS_MAX),
  /** Tags that a worker must have, all of them. */
  tags: listOf(name, TERMS_ITEMS_MAX),
  /** Findings of verifiers of one org that count, for one proposal or one result; the worker's own org then never counts. */
  perOrg: v.nullable(uint),
  /** The same for verifiers in one zone. */
  perZone: v.nullable(uint),
  /** Tokens that the work may use. */
  tokensMax: v.nullable(uint)
})

/**
 * What its sender's MANIFEST says of it, said again under the sender's name where it counts: what policies and the group judge is then in
 * the log, the same for everybody. A claim, like the manifest.
 */
export const standing = v.strictObject({
  /** The MANIFEST. */
  manifest: cid,
  roles: listOf(role, 4),
  tags: listOf(name, TERMS_ITEMS_MAX),
  zone: text,
  org: text,
  stake: amount
})

/** One fact of the shared plan. Tasks are named within the thread. */
export const fact = v.variant('kind', [
  v.strictObject({
    kind: v.literal('ADD_TASK'),
    task: name,
    type: name,
    /** Capabilities that the task's worker needs. */
    requires: listOf(name),
    /** Names of what the task makes. */
    produces: listOf(name)
  }),
  /** The task reads the artifact. */
  v.strictObject({ kind: v.literal('REQUIRES'), task: name, artifact: cid }),
  /** The task has made the artifact. */
  v.strictObject({ kind: v.literal('PRODUCES'), task: name, artifact: cid }),
  /** Forward only. */
  v.strictObject({
    kind: v.literal('STATE'),
    task: name,
    state: v.picklist(['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL'])
  }),
  v.strictObject({ kind: v.literal('LINK'), parent: name, child: name }),
  /** Last writer wins by (lamport, sender). */
  v.strictObject({ kind: v.literal('ANNOTATE'), task: name, key: name, value: text })
])

/** One member's signature over a statement about the group. */
const memberSignature = v.strictObject({
  member: did,
  /** Ed25519 over the tagged bytes of the statement. */
  sig: bytesOf(64)
})

/** How one epoch was ended so that the next may begin: SEALs of more than 2/3 of its roster (R11). */
export const epochSeal = v.strictObject({
  /** The sealed epoch. */
  epoch: uint,
  /** Its FORM; null when it never came to one, since somebody never joined. */
  form: v.nullable(cid),
  /** The roster that had been asked to promise. */
  roster: listOf(did, 7),
  seals: listOf(
    v.strictObject({
      member: did,
      /** The decision that the member was locked on, or null: its digest and its PROPOSE. */
      digest: v.nullable(hash32),
      proposal: v.nullable(cid),
      /** Ed25519 over the tagged bytes of the SEAL statement. */
      sig: bytesOf(64)
    }),
    7
  )
})

/** FORM + finality votes of more than 2/3 of the roster (R10). */
export const certificate = v.strictObject({
  /** The complete FORM envelope. */
  form: anyBytes,
  /** The complete FORM envelopes of the NEED's earlier epochs, oldest first: they show that each was sealed, and what was carried. */
  previous: listOf(anyBytes, EPOCHS_MAX - 1),
  /** Which of the two things a group votes on. */
  stage: v.picklist(['decide', 'outcome']),
  /** taggedHash of the decision or outcome body that was voted on. */
  digest: hash32,
  votes: listOf(memberSignature, 16)
})

/** What the group decided. The same bytes at every member, derived from the log alone. */
export const decision = v.strictObject({
  need: cid,
  slot: text,
  epoch: uint,
  /** The PROPOSE that won. */
  proposal: cid,
  /** Its sender. */
  worker: did,
  /** Consensus term of the entry that decided. */
  term: uint,
  /** Its position in the log. */
  index: uint,
  /** The ATTEST_PLANs that it counted. */
  attestations: listOf(cid),
  /** Hash chain of the log up to that entry. */
  logHash: hash32,
  /** Where the plan stood at that entry: what its digest was made from. */
  planHeads: v.strictObject({
    /** NEED, this proposal, and the last logged update of each session, sorted by their text; empty when there are more. */
    listed: listOf(cid, PLAN_HEADS_MAX),
    /** taggedHash of all of them as text, sorted. */
    digest: hash32
  }),
  /** Digest of the plan at that entry. */
  planDigest: hash32
})

/** How the thread ended. The same bytes at every member, derived from the log alone (P2). */
export const outcome = v.strictObject({
  need: cid,
  slot: text,
  epoch: uint,
  result: v.picklist(['FINAL', 'INVALID', 'EXPIRED']),
  /** One sentence for people. */
  reason: text,
  /** The decided PROPOSE, null when none was. */
  proposal: v.nullable(cid),
  /** The COMMIT that was judged, null when none came. */
  commit: v.nullable(cid),
  /** Artifacts of a FINAL result; empty otherwise. */
  outputs: listOf(cid),
  /** Verdicts that the result rests on. */
  attestations: listOf(cid),
  challenges: listOf(cid),
  /** Adds up to budget plus verify bounty. */
  payouts: listOf(
    v.strictObject({
      to: did,
      amount,
      why: v.picklist(['work', 'verify', 'refund'])
    })
  ),
  /** Fencing token of the lease under which the COMMIT was made. */
  fence: v.nullable(fence),
  /** Log time of the end in ms since 1970. */
  stamp: uint,
  term: uint,
  index: uint,
  logHash: hash32,
  planDigest: hash32
})

export const payloads = {
  /** Work wanted. Its id becomes the thread's id. */
  NEED: v.strictObject({
    /** The unit of exclusivity, named by the requester. */
    slot: text,
    /** The attempt to decide the slot, from 0. */
    epoch: uint,
    /** What is to be done, such as text/language. */
    task: name,
    /** Capabilities that a worker must have. */
    requires: listOf(name),
    /** Names of what the task makes. */
    produces: listOf(name),
    /** Artifacts to work on. */
    inputs: listOf(cid),
    /** The most that the work may cost. */
    budget: amount,
    /** Paid to the verifiers whose verdict stands, on top of the budget. */
    verifyBounty: amount,
    /** Independent ATTEST_PLANs that a proposal needs. */
    kPlan: uint,
    /** Independent passing ATTESTs that a COMMIT needs. */
    kResult: uint,
    windows,
    /** Log time after which the thread ends if there is no COMMIT; ms since 1970. */
    expiresAt: uint,
    /** The policy that governs the thread. */
    capsule: cid,
    /** Whether doing it again must give the same bytes. */
    taskClass: v.picklist(['deterministic', 'open']),
    /** The requester may decide alone when nobody else is there. */
    solo: v.boolean(),
    terms: v.nullable(terms)
  }),
  /** The requester binds one roster to (slot, epoch) (R8). The group id is the hash of the complete envelope. */
  FORM: v.strictObject({
    need: cid,
    slot: text,
    epoch: uint,
    /** Seals of the epoch before; null exactly in the NEED's own epoch. */
    seal: v.nullable(epochSeal),
    /** Seals of the epochs before that one, from the last epoch with a FORM on, oldest first; empty unless an epoch never came to a FORM. */
    earlierSeals: listOf(epochSeal, EPOCHS_MAX - 2),
    /** The checkpoint that candidates come from; null while the network has none. */
    checkpoint: v.null(),
    /** Where the candidates come from. */
    tier: v.picklist(['discovery', 'single']),
    /** Voters that were considered, with their manifests. */
    candidates: listOf(v.strictObject({ did, manifest: cid }), CANDIDATES_MAX),
    /** The members, in the order of the draw. */
    roster: listOf(did, 7),
    /** Each member's promise to join exactly this roster (R9). */
    joins: listOf(memberSignature, 7),
    kPlan: uint,
    kResult: uint,
    quorum: v.literal('more-than-two-thirds'),
    /** How far a stamp may be from a member's clock, in ms (R14). */
    precisionMs: uint
  }),
  /** A bid. */
  PROPOSE: v.strictObject({
    need: cid,
    /** Facts that the bidder would add to the plan. */
    patch: listOf(fact),
    ballot: v.strictObject({
      cost: amount,
      /** Expected time to COMMIT, in ms. */
      etaMs: uint,
      /** What the bidder stakes. */
      bond: amount
    }),
    /** Commitment artifacts of other slots that the bid relies on. */
    shardDependencies: listOf(cid),
    /** Who bids. Null says nothing, which the base capsule's bid gate refuses. */
    standing: v.nullable(standing)
  }),
  /** An independent verifier finds the proposal sound. */
  ATTEST_PLAN: v.strictObject({
    need: cid,
    proposal: cid,
    /** Digest of the bid gate's evaluation. */
    evaluation: hash32,
    /** Who attests: what the caps of the NEED's terms count by. */
    standing: v.nullable(standing)
  }),
  /** Exactly one, with its proof. */
  DECIDE: v.strictObject({ decision, certificate }),
  /** The decided worker takes the lease. `task` is the PROPOSE, here and below. */
  CLAIM: v.strictObject({ task: cid, leaseTtlMs: uint, cost: amount, etaMs: uint }),
  /** Renews the lease. Progress in percent. */
  HEARTBEAT: v.strictObject({ task: cid, progress: v.pipe(uint, v.maxValue(100)) }),
  /** Gives the lease back by will. */
  YIELD: v.strictObject({ task: cid, reason: text }),
  /** The lease ended by expiry. */
  RELEASE: v.strictObject({ task: cid }),
  /**
   * Adds plan facts. The updates of a sender in one thread form a chain for each session, so that every node counts the same ones,
   * in whatever order they come (protocols/plan).
   */
  UPDATE_PLAN: v.pipe(
    v.strictObject({
      /** A sender that has lost track of a chain begins the next one. */
      session: v.pipe(uint, v.maxValue(PLAN_SESSIONS_MAX - 1)),
      /** Position in the chain, from 1. */
      seq: v.pipe(uint, v.minValue(1), v.maxValue(PLAN_UPDATES_MAX)),
      /** The sender's UPDATE_PLAN with seq - 1 in this session; null exactly when seq is 1. */
      previous: v.nullable(cid),
      facts: v.pipe(listOf(fact, PLAN_FACTS_MAX), v.minLength(1, 'must have a fact'))
    }),
    v.check(
      ({ seq, previous }) => (seq === 1) === (previous === null),
      'previous is null exactly in the first update of a session'
    )
  ),
  /** The result. */
  COMMIT: v.strictObject({
    task: cid,
    outputs: listOf(cid),
    verifyBounty: amount,
    /** What the commit gate judges. */
    telemetry: v.strictObject({
      tokens: uint,
      cost: amount,
      wallMs: uint,
      /** Exit status of the program; negative when a signal ended it. */
      exitStatus: int,
      tool: text,
      model: text,
      zone: text
    })
  }),
  /** A passing verdict. Sealed first (seal set, the rest null), then revealed (R18). The seal hashes verdict, commit, sender and salt. */
  ATTEST: v.strictObject({
    task: cid,
    commit: cid,
    seal: v.nullable(hash32),
    /** Opens the seal. */
    salt: v.nullable(bytesOf(32)),
    /** Digest of the commit gate's evaluation. */
    evaluation: v.nullable(hash32),
    /** The CHALLENGE that this verdict is about, null in the first round. */
    challenge: v.nullable(cid),
    reasons: listOf(text, 8),
    /** Who judges; in a seal and in a finding about a CHALLENGE. */
    standing: v.nullable(standing)
  }),
  /** A failing verdict, revealed. */
  REJECT: v.strictObject({
    task: cid,
    commit: cid,
    salt: v.nullable(bytesOf(32)),
    evaluation: v.nullable(hash32),
    challenge: v.nullable(cid),
    reasons: listOf(text, 8),
    /** Who judges, in a finding about a CHALLENGE. */
    standing: v.nullable(standing)
  }),
  /** The result is wrong, here is bounded evidence. */
  CHALLENGE: v.strictObject({
    task: cid,
    commit: cid,
    bond: amount,
    proof: v.strictObject({
      type: v.picklist([
        'schema_violation',
        'missing_artifact',
        'hash_mismatch',
        'policy_violation',
        'output_mismatch',
        'missing_citation'
      ]),
      evidence: listOf(cid, 16),
      note: text
    })
  }),
  /** Upheld: the result is void. */
  INVALIDATE: v.strictObject({ outcome, certificate }),
  /** Final; derived only from the record. */
  FINALIZE: v.strictObject({ outcome, certificate }),
  /** A partition healed, and how. */
  RECONCILE: v.strictObject({ merged: listOf(cid), orphaned: listOf(cid), salvaged: listOf(cid) }),
  /** Signed state to sync from. */
  CHECKPOINT: v.strictObject({
    epoch: uint,
    treeSize: uint,
    root: hash32,
    stateRoots: listOf(hash32, 8)
  }),
  /** What an agent offers. */
  MANIFEST: v.strictObject({
    capabilities: listOf(name),
    roles: listOf(role),
    tags: listOf(name),
    /** Where it runs, for zone rules and diversity. */
    zone: text,
    /** Who runs it, for diversity. */
    org: text,
    price: amount,
    stake: amount,
    /** Program and version. */
    agent: text
  })
} as const

/** What an envelope says. */
export type Verb = keyof typeof payloads
export type Payload<V extends Verb> = v.InferOutput<(typeof payloads)[V]>
export type Fact = v.InferOutput<typeof fact>
export type Windows = v.InferOutput<typeof windows>
export type Terms = v.InferOutput<typeof terms>
export type Standing = v.InferOutput<typeof standing>
export type Decision = v.InferOutput<typeof decision>
export type Outcome = v.InferOutput<typeof outcome>
export type EpochSeal = v.InferOutput<typeof epochSeal>
export type Certificate = v.InferOutput<typeof certificate>
export const VERBS: readonly Verb[] = Object.keys(payloads) as Verb[]
