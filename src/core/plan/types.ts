import type { Fact } from '../envelope/index.ts'

/** The facts that one envelope states, with their source. */
export type PlanChange = {
  /** Text CID of the envelope (R2): names the change; the same envelope is counted once. */
  readonly envelope: string
  /** DID of the signer. */
  readonly sender: string
  /** The sender's Lamport clock. */
  readonly lamport: number
  readonly facts: readonly Fact[]
  /** Where an UPDATE_PLAN stands among its sender's; null for other verbs. */
  readonly chain: PlanChain | null
}

/** The place of an UPDATE_PLAN. A sender's updates in one thread form one chain for each session. */
export type PlanChain = {
  readonly session: number
  /** From 1. */
  readonly seq: number
  /** Text CID of the update with seq - 1; null exactly when seq is 1. */
  readonly previous: string | null
}

/** How far a task is. Only ever moves forward. */
export type TaskState = 'DRAFT' | 'DECIDED' | 'VERIFIED' | 'FINAL'

/** A note on a task: the last writer by (lamport, sender, envelope, position) wins. */
export type Annotation = {
  readonly key: string
  readonly value: string
  readonly sender: string
  readonly lamport: number
}

/** One task with everything that was said of it. */
export type TaskView = {
  readonly task: string
  /** Null when facts speak of the task but nobody has added it. */
  readonly type: string | null
  /** Text CID of the ADD_TASK's envelope: the smallest (lamport, sender, envelope, position) of all. Null as above. */
  readonly source: string | null
  /** Names that the task needs and makes, sorted. */
  readonly requires: readonly string[]
  readonly produces: readonly string[]
  /** Text CIDs of artifacts that it needs and made, sorted. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly state: TaskState
  /** Sorted by key. */
  readonly annotations: readonly Annotation[]
}

/** `child` waits for `parent`. `source` is the smallest of the envelopes that say so. */
export type LinkView = { readonly parent: string; readonly child: string; readonly source: string }

/** The materialised plan. Plain JSON; equal bytes for equal sets of changes, in whatever order they came. */
export type PlanView = {
  /** Sorted by name. */
  readonly tasks: readonly TaskView[]
  /** In source order: (lamport, sender, envelope, position). */
  readonly links: readonly LinkView[]
}

/** What to do next, derived from a view. Plain JSON. */
export type PlanGraph = {
  /** Every task after the tasks that it waits for: layer by layer, each layer sorted. */
  readonly order: readonly string[]
  /** Added, still DRAFT, and everything it waits for is FINAL. Sorted. */
  readonly ready: readonly string[]
  /** Still DRAFT, with the tasks that are not FINAL yet. Sorted. */
  readonly blocked: readonly { readonly task: string; readonly by: readonly string[] }[]
  /** Links that the order leaves out, with the reason. In source order. */
  readonly ignored: readonly (LinkView & { readonly why: 'CYCLE' | 'TOO_MANY' })[]
}
