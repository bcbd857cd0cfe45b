import type { Refusal, Result } from '../base/index.ts'
import type { CID } from '../codec/index.ts'
import type { Admitted, Draft, Fact, Fence, Payload, Windows } from '../envelope/index.ts'
import type { Divergence, NeedPhase } from '../need/index.ts'
import type { HardState, LogEntry, RaftMessage } from '../raft/index.ts'
import type { Offence } from '../roster/index.ts'
import type { SwarmEvent } from './events.ts'
import type { ReconcileView } from './reconcile-view.ts'
import type { Tombstone } from './tombstones.ts'

/** Everything the outside world can tell a node. All times are ms since 1970 by this node's clock. */
export type Input =
  /** Time passed. Sent when `Swarm.nextTickMs()` wants it, and now and then. */
  | { readonly kind: 'tick'; readonly nowMs: number }
  /** An envelope that passed the door (length to policy). `local`: this node signed it, from a `publish` effect or a command. */
  | {
      readonly kind: 'envelope'
      readonly nowMs: number
      readonly admitted: Admitted
      readonly local: boolean
    }
  /** A decoded direct message of an authenticated peer. */
  | {
      readonly kind: 'message'
      readonly nowMs: number
      readonly from: string
      readonly message: PeerMessage
    }
  /** A peer came or went. */
  | {
      readonly kind: 'peer'
      readonly nowMs: number
      readonly did: string
      readonly connected: boolean
    }
  /** A request of this node's user or agents. Answered by exactly one `reply` effect. */
  | {
      readonly kind: 'command'
      readonly nowMs: number
      readonly id: number
      readonly command: Command
    }
  /** A draft that could not become an envelope: the preflight gate or the signer said no. */
  | {
      readonly kind: 'draft-refused'
      readonly nowMs: number
      readonly draft: Draft
      readonly lamport: number
      readonly refusal: Refusal
    }
  /** What an `archive` effect asked for is in the archive, and survives a crash. */
  | { readonly kind: 'archived'; readonly nowMs: number; readonly thread: string }

/** Everything a node can ask of the world. Executed in order; nothing after a synced `persist` runs before its fsync (R13). */
export type Effect =
  | { readonly kind: 'persist'; readonly records: readonly JournalRecord[]; readonly sync: boolean }
  /** Best effort, direct stream, bounded queue (R7). */
  | { readonly kind: 'send'; readonly to: string; readonly message: PeerMessage }
  /** Preflight policy, nonce, signature; then it comes back as an `envelope` input with `local` set. */
  | { readonly kind: 'publish'; readonly draft: Draft; readonly lamport: number }
  /** Bytes of an envelope that came inside something else (an entry, a certificate, an invitation): send them through the door like any other (R4). */
  | {
      readonly kind: 'admit'
      readonly bytes: Uint8Array
      readonly from: string
      readonly origin: AdmitOrigin
    }
  /** Broadcast the bytes of an own or forwarded envelope on the topic. */
  | { readonly kind: 'gossip'; readonly bytes: Uint8Array }
  | { readonly kind: 'reply'; readonly id: number; readonly result: Result<unknown> }
  /** Keep an ended thread outside memory, durably; then say so with an `archived` input. When that fails, it is asked for again. */
  | { readonly kind: 'archive'; readonly thread: string; readonly archived: ArchivedThread }
  /** Look for voters that are not connected: too few are here for a group. Best effort. */
  | { readonly kind: 'seek-voters' }
  /** Answer a peer's pull out of the archive (see `answerFromArchive`). Best effort. */
  | { readonly kind: 'recall'; readonly to: string; readonly pull: Pull }
  /** For agents, the CLI, metrics, the plan store and the record. */
  | { readonly kind: 'observe'; readonly event: SwarmEvent }

/**
 * `log`: inside consensus entries or a certificate, where time was judged by the group; `peer`: like any other envelope, with rate,
 * freshness and replay.
 */
export type AdmitOrigin = 'log' | 'peer'

/** A request of the local user or agent. */
export type Command =
  | { readonly type: 'state-need'; readonly draft: Draft<'NEED'> }
  /** Publish any other envelope in this node's name. The core fills epoch and fence where the verb needs them. */
  | { readonly type: 'publish'; readonly draft: Draft }
  /**
   * Adds facts to the plan of a thread, in this node's name. The core gives them their place in the chain of the node's updates.
   * Answered with the envelope.
   */
  | {
      readonly type: 'update-plan'
      readonly thread: string
      readonly facts: readonly Fact[]
      readonly refs: readonly CID[]
    }
  /** A verifier's finding. The core seals it, publishes the seal, and reveals when the group says so. */
  | {
      readonly type: 'verdict'
      readonly thread: string
      readonly commit: string
      readonly pass: boolean
      readonly evaluation: Uint8Array
      readonly reasons: readonly string[]
    }
  /** Ends the epoch that an own NEED is in and forms a new group for the next; answered with that epoch's number. */
  | { readonly type: 'reform'; readonly thread: string }
  /** How threads ended that this node never followed, from a source that its user trusts (see `knowEnds`). */
  | { readonly type: 'know-ends'; readonly ends: readonly Tombstone[] }
  | { readonly type: 'announce'; readonly draft: Draft<'MANIFEST'> | Draft<'CHECKPOINT'> }
  /** Something that the shell found out about a thread and a person should see, such as why its capsule cannot be used here. */
  | { readonly type: 'warn'; readonly thread: string; readonly message: string }

/** Direct messages between peers. Encoded as canonical DAG-CBOR on the stream. */
export type PeerMessage =
  /** First message on a connection: which threads I follow (text CIDs) and that I am here. */
  | { readonly type: 'hello'; readonly threads: readonly string[] }
  /** Complete envelopes, each of which goes through the receiver's door. */
  | { readonly type: 'envelopes'; readonly items: readonly Uint8Array[] }
  /** Ask for what I lack of a thread: ids that I have, the group that I follow or null, and how far my log of it goes. */
  | {
      readonly type: 'pull'
      readonly thread: string
      readonly have: readonly string[]
      readonly group: string | null
      readonly entries: number
    }
  /** The requester asks whether a candidate is there. Binds nobody. */
  | { readonly type: 'invite'; readonly need: Uint8Array; readonly epoch: number }
  | { readonly type: 'available'; readonly thread: string; readonly epoch: number }
  /** The roster is chosen: check the draw, promise on disk, sign (R9). */
  | {
      readonly type: 'bind'
      readonly thread: string
      readonly epoch: number
      readonly candidates: readonly { readonly did: string; readonly manifest: string }[]
      readonly roster: readonly string[]
    }
  | {
      readonly type: 'join'
      readonly thread: string
      readonly epoch: number
      readonly rosterHash: Uint8Array
      readonly sig: Uint8Array
    }
  | {
      readonly type: 'decline'
      readonly thread: string
      readonly epoch: number
      readonly reason: string
    }
  /** A member that was asked to join does not hold these manifests of candidates (text CIDs), so it cannot check who they are. */
  | {
      readonly type: 'lacking'
      readonly thread: string
      readonly epoch: number
      readonly manifests: readonly string[]
    }
  /** The manifests asked for: complete envelopes. */
  | {
      readonly type: 'manifests'
      readonly thread: string
      readonly epoch: number
      readonly items: readonly Uint8Array[]
    }
  /** The requester asks a member to leave an epoch for good, so that the next may begin (R11). */
  | { readonly type: 'seal-ask'; readonly thread: string; readonly epoch: number }
  /** The member has left: the roster that it had promised, the decision that it was locked on or null, its signature. */
  | {
      readonly type: 'sealed'
      readonly thread: string
      readonly epoch: number
      readonly roster: Uint8Array
      readonly digest: Uint8Array | null
      readonly proposal: string | null
      readonly sig: Uint8Array
    }
  /** Raft among members; `group` is the hex hash of FORM. */
  | { readonly type: 'raft'; readonly group: string; readonly message: RaftMessage }
  | {
      readonly type: 'vote'
      readonly group: string
      readonly stage: Stage
      readonly digest: Uint8Array
      readonly sig: Uint8Array
    }
  /** The receiver's own envelope was refused at the sender's door: by which rule, and what the rule saw (POL-18). */
  | {
      readonly type: 'refused'
      readonly envelope: string
      readonly code: string
      readonly reasons: readonly string[]
    }
  /** Committed entries for those outside the roster, from `first` on. */
  | {
      readonly type: 'log'
      readonly group: string
      readonly thread: string
      readonly entries: readonly LogEntry[]
    }

/** An epoch that a quorum of its roster has sealed, as the requester keeps it: FORM's `EpochSeal` with CIDs as text. */
export type SealedEpoch = {
  readonly epoch: number
  /** The epoch's FORM, or null when it never came to one. */
  readonly form: string | null
  readonly roster: readonly string[]
  readonly seals: readonly {
    readonly member: string
    readonly digest: Uint8Array | null
    readonly proposal: string | null
    readonly sig: Uint8Array
  }[]
}
/** A peer's question for what it lacks of a thread. */
export type Pull = Extract<PeerMessage, { readonly type: 'pull' }>

/** The two things a group votes on. */
export type Stage = 'decide' | 'outcome'

/** What is on disk. Replayed in order into `Swarm.restore` at start; then the node goes on where it was. */
export type JournalRecord =
  | { readonly type: 'envelope'; readonly bytes: Uint8Array; readonly atMs: number }
  /** One-shot promise to join exactly this roster for (slot, epoch) (R9). */
  | {
      readonly type: 'join'
      readonly thread: string
      readonly slot: string
      readonly epoch: number
      readonly rosterHash: Uint8Array
    }
  /**
   * The requester's choice of a roster, before it binds the members: after a restart it must not choose another. `seals` are those
   * that the FORM of this epoch will show.
   */
  | {
      readonly type: 'chosen'
      readonly thread: string
      readonly epoch: number
      readonly seals: readonly SealedEpoch[]
      readonly candidates: readonly { readonly did: string; readonly manifest: string }[]
      readonly roster: readonly string[]
    }
  /** The requester has begun to seal this epoch: after a restart it goes on, and makes no FORM for it. */
  | {
      readonly type: 'sealing'
      readonly thread: string
      readonly epoch: number
      /** Members that were absent in it, if any were: they are invited to later epochs only for want of others. */
      readonly absent?: readonly string[]
    }
  /** This member takes part in (slot, epoch) no more; on disk before its SEAL leaves (R11). */
  | {
      readonly type: 'sealed'
      readonly thread: string
      readonly slot: string
      readonly epoch: number
      /** Hash of the roster that it had promised to join. */
      readonly roster: Uint8Array
      /** The decision that it was locked on, or null. */
      readonly digest: Uint8Array | null
      readonly proposal: string | null
    }
  | { readonly type: 'hard-state'; readonly group: string; readonly state: HardState }
  | { readonly type: 'entries'; readonly group: string; readonly entries: readonly LogEntry[] }
  /** Once-only lock of a finality vote (R10). */
  | {
      readonly type: 'lock'
      readonly slot: string
      readonly epoch: number
      readonly stage: Stage
      readonly digest: Uint8Array
      /** PROPOSE of the decision (text CID); null for an outcome. */
      readonly proposal: string | null
    }
  | {
      readonly type: 'verdict'
      readonly thread: string
      readonly commit: string
      readonly pass: boolean
      readonly evaluation: Uint8Array
      readonly reasons: readonly string[]
    }
  /** Entries learnt from others by a node outside the roster. */
  | {
      readonly type: 'learned'
      readonly thread: string
      readonly group: string
      readonly entries: readonly LogEntry[]
    }
  /** Proof of an offence that this node saw (canonical bytes of an evidence object). */
  | { readonly type: 'evidence'; readonly bytes: Uint8Array }
  /** The thread ended here without a certificate (no group, or no quorum before the NEED expired). */
  | {
      readonly type: 'abandoned'
      readonly thread: string
      readonly reason: string
      readonly nowMs: number
    }
  /** The thread is over, archived, and out of memory (R12). */
  | ({ readonly type: 'tombstone' } & Tombstone)
  /** In a compacted journal, for own envelopes that are not in it any more: this node's Lamport clock. */
  | { readonly type: 'clock'; readonly lamport: number }
  /** In an archived thread only: what a person should see. */
  | { readonly type: 'warned'; readonly thread: string; readonly warnings: readonly string[] }

/** One line for each thread, in memory or archived. */
export type ThreadSummary = Pick<
  ThreadView,
  'thread' | 'slot' | 'task' | 'phase' | 'reason' | 'requester' | 'expiresAt' | 'openedAt' | 'void'
>

/** Why what is decided in a thread counts for nothing here (EVIDENCE-15). */
export type VoidView = {
  /** Id of the evidence that says so. */
  readonly evidence: string
  /** The epoch for which the requester signed two FORMs. */
  readonly epoch: number
  /** One sentence. */
  readonly reason: string
}

/** An ended thread as it is kept outside memory: its line in a list, and records that bring it back (see `reviveThread`). */
export type ArchivedThread = {
  readonly summary: ThreadSummary
  readonly records: readonly JournalRecord[]
}

/** Where a thread stands. */
export type Phase =
  /** NEED accepted, no group yet. */
  'OPEN' | NeedPhase

export const TERMINAL: ReadonlySet<Phase> = new Set<Phase>(['FINAL', 'INVALID', 'EXPIRED'])

/** A JSON-safe picture of a thread, for RPC, CLI, SDK and agents. CIDs as text, amounts as decimal strings. */
export type ThreadView = {
  readonly thread: string
  readonly slot: string
  readonly epoch: number
  readonly phase: Phase
  /** Why it ended, or what it waits for: one sentence. */
  readonly reason: string
  /** Set where evidence convicts the requester of two FORMs: what the thread came to, or comes to, is void. Null otherwise. */
  readonly void: VoidView | null
  readonly requester: string
  readonly task: string
  readonly requires: readonly string[]
  readonly inputs: readonly string[]
  /** What the NEED refers to: its inputs, and of a task of a plan what it rests on. */
  readonly refs: readonly string[]
  readonly budget: string
  readonly verifyBounty: string
  readonly windows: Windows
  readonly expiresAt: number
  /** When this node first saw the NEED, ms since 1970. */
  readonly openedAt: number
  readonly capsule: string
  readonly taskClass: string
  /** What the requester asks of bidders, verifiers and results beyond the rules; null for nothing. */
  readonly terms: Payload<'NEED'>['terms']
  readonly solo: boolean
  readonly kPlan: number
  readonly kResult: number
  readonly group: null | {
    readonly id: string
    readonly tier: 'discovery' | 'single'
    readonly roster: readonly string[]
    readonly member: boolean
    readonly leader: string | null
    readonly term: number
    /** Last log index applied here. */
    readonly applied: number
  }
  readonly proposals: readonly {
    readonly id: string
    readonly worker: string
    readonly cost: string
    readonly etaMs: number
    readonly attestations: readonly string[] /* DIDs */
    readonly logged: boolean
  }[]
  readonly decide: null | {
    readonly proposal: string
    readonly worker: string
    readonly epoch: number
    readonly term: number
    readonly index: number
    readonly signers: readonly string[]
    readonly certified: boolean
  }
  readonly lease: null | {
    readonly holder: string
    readonly fence: Fence
    readonly expiresAt: number
    readonly progress: number
  }
  readonly commit: null | {
    readonly id: string
    readonly worker: string
    readonly outputs: readonly string[]
    readonly telemetry: Readonly<Record<string, string | number>>
  }
  readonly verdicts: readonly {
    readonly verifier: string
    readonly sealed: boolean
    readonly pass: boolean | null
    readonly reasons: readonly string[]
    readonly dispute: boolean
  }[]
  readonly challenges: readonly {
    readonly id: string
    readonly challenger: string
    readonly type: string
    readonly note: string
    readonly status: 'open' | 'upheld' | 'dismissed'
  }[]
  readonly finalize: null | {
    readonly id: string
    readonly result: 'FINAL' | 'INVALID' | 'EXPIRED'
    readonly signers: readonly string[]
    readonly payouts: readonly {
      readonly to: string
      readonly amount: string
      readonly why: string
    }[]
  }
  /** Every admitted envelope of the thread in the order this node saw it. */
  readonly envelopes: readonly {
    readonly id: string
    readonly verb: string
    readonly sender: string
    readonly lamport: number
    readonly seenAt: number
  }[]
  /** RECONCILEs, oldest first: what became of branches that lost to the decision of a later epoch. */
  readonly reconciles: readonly ReconcileView[]
  /** Proofs of offences in this thread that this node holds. */
  readonly evidence: readonly {
    readonly id: string
    readonly offence: Offence
    readonly convicted: readonly string[] /* DIDs */
  }[]
  /** What nodes evaluated differently though the question was the same (POL-19). */
  readonly divergences: readonly Divergence[]
  /** What a person should see: disagreements, refusals, what this node could not do. */
  readonly warnings: readonly string[]
}

/** An envelope of a thread, and when this node first saw it, ms since 1970. */
export type Sighting = { readonly admitted: Admitted; readonly seenAt: number }

/** One line of a thread's record, in replay order (R19). */
export type RecordItem =
  /** `atMs`: when this node first saw it, ms since 1970. */
  | { readonly type: 'envelope'; readonly bytes: Uint8Array; readonly atMs: number }
  | { readonly type: 'entry'; readonly entry: LogEntry }
