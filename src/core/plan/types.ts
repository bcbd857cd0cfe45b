import type { Fact } from '../envelope/index.ts'

/** What one envelope adds to a plan. */
export type PlanChange = {
  /** Text CID of the envelope (R2): names the change; the same envelope is counted once. */
  readonly envelope: string
  /** DID of the signer. */
  readonly sender: string
  /** The sender's Lamport clock. */
  readonly lamport: number
  /** Bytes of the envelope. */
  readonly size: number
  readonly facts: readonly Fact[]
  /** Where an UPDATE_PLAN stands among its sender's; null for other verbs. */
  readonly chain: PlanChain | null
  /** What a NEED, PROPOSE, DECIDE or FINALIZE does beside stating facts; null for other verbs. */
  readonly act: PlanAct | null
}

/** The place of an UPDATE_PLAN. A sender's updates in one thread form one chain for each session. */
export type PlanChain = {
  readonly session: number
  /** From 1. */
  readonly seq: number
  /** Text CID of the update with seq - 1; null exactly when seq is 1. */
  readonly previous: string | null
}

/** A chain of one sender's updates. */
export type PlanSession = { readonly sender: string; readonly session: number }

export type PlanAct =
  /** The NEED: its sender is the requester. */
  | { readonly kind: 'open' }
  /** A PROPOSE: its facts count once it is decided. */
  | { readonly kind: 'offer' }
  /** A certified DECIDE. Members may each publish one; it counts by what it says, not by whose it is. */
  | { readonly kind: 'decide'; readonly proposal: string; readonly epoch: number }
  /** A certified FINALIZE: its facts count as the COMMIT's that it judged. */
  | { readonly kind: 'end'; readonly proposal: string; readonly commit: string }

/** What came of applying a change. */
export type PlanApplied = {
  /** False when the envelope was there already. */
  readonly isNew: boolean
  /** UPDATE_PLANs that count now and did not before: this one, and those that had waited for it. */
  readonly counted: readonly string[]
  /** UPDATE_PLANs that count no more, since their session is forked at or before them. */
  readonly retracted: readonly string[]
  /** The envelope that stands at the same place of the same chain; null unless this one forks it. */
  readonly rival: string | null
}

/** How far a task is. Only ever moves forward. */
export type TaskState = 'DRAFT' | 'DECIDED' | 'VERIFIED' | 'FINAL'

/** A note on a task: the last writer by (lamport, sender, envelope, position) wins among those of equal standing. */
export type Annotation = {
  readonly key: string
  readonly value: string
  readonly source: string
  readonly sender: string
  readonly lamport: number
}

/** An artifact of a task, and the envelope that says so (text CIDs). */
export type ArtifactView = { readonly artifact: string; readonly source: string }

/** One task with everything that was said of it. Every `source` is the text CID of a signed envelope. */
export type TaskView = {
  readonly task: string
  /** Null when facts speak of the task but nobody has added it. */
  readonly type: string | null
  /** The ADD_TASK that counts: the smallest source. Null as above. */
  readonly source: string | null
  /** Names that the task needs and makes, sorted. */
  readonly requires: readonly string[]
  readonly produces: readonly string[]
  /** Artifacts that it needs and made, sorted. */
  readonly inputs: readonly ArtifactView[]
  readonly outputs: readonly ArtifactView[]
  readonly state: TaskState
  /** Who moved it to `state`: for DECIDED by certificate the PROPOSE, for FINAL the COMMIT. Null when nobody has said anything. */
  readonly stateSource: string | null
  /** Sorted by key. */
  readonly annotations: readonly Annotation[]
  /** The task was added by a branch that lost to the decision of this epoch; null when it stands. */
  readonly orphanedByEpoch: number | null
}

/** `child` waits for `parent`. `source` is the smallest of the envelopes that say so. */
export type LinkView = { readonly parent: string; readonly child: string; readonly source: string }

/** A proposal that was decided. Its facts are in the plan. */
export type BranchView = {
  readonly proposal: string
  readonly proposer: string
  /** The highest epoch whose group decided it. */
  readonly epoch: number
  /** The epoch of the decision that it lost to; null for the branch that stands. */
  readonly orphanedByEpoch: number | null
}

/** Two updates at one place: from there on the session counts for nobody. */
export type ForkView = { readonly sender: string; readonly session: number; readonly seq: number }

/** The materialised plan. Plain JSON; equal bytes for equal sets of changes, in whatever order they came. */
export type PlanView = {
  /** Sorted by name. */
  readonly tasks: readonly TaskView[]
  /** In source order. */
  readonly links: readonly LinkView[]
  /** The one that stands first. */
  readonly branches: readonly BranchView[]
  /** Sorted by sender and session; the smallest forked place of each. */
  readonly forks: readonly ForkView[]
}

/** A bounded part of a plan, and what is not in it. */
export type PlanExcerpt = {
  readonly view: PlanView
  /** Of the tasks and links that the view has. */
  readonly graph: PlanGraph
  /** `items`: inputs, outputs and notes of the tasks that are shown. All 0 where the view is whole. */
  readonly left: {
    readonly tasks: number
    readonly links: number
    readonly items: number
    readonly forks: number
  }
}

/** Why the order leaves a link out. */
export type LinkFlaw =
  /** It would close a circle with links before it in source order. */
  | 'CYCLE'
  /** A way through the links would be longer than PLAN_DEPTH_MAX tasks. */
  | 'TOO_DEEP'
  /** It stands behind PLAN_LINKS_MAX others in source order, or behind PLAN_FLAWS_MAX that are left out. */
  | 'TOO_MANY'

/** What to do next, derived from a view. Plain JSON. */
export type PlanGraph = {
  /** Every task after the tasks that it waits for: layer by layer, each layer sorted. */
  readonly order: readonly string[]
  /** Added, still DRAFT, not orphaned, and everything it waits for is FINAL. Sorted. */
  readonly ready: readonly string[]
  /** The same, but for the tasks that are not FINAL yet. Sorted. */
  readonly blocked: readonly { readonly task: string; readonly by: readonly string[] }[]
  /** Links that the order leaves out, with the reason. In source order. */
  readonly ignored: readonly (LinkView & { readonly why: LinkFlaw })[]
}
