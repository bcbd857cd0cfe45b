import type { Phase } from '../core/swarm/index.ts'

/** What an agent did or could not do, for people and logs. */
export type AgentEvent =
  | { readonly type: 'announced'; readonly capability: string }
  | { readonly type: 'proposed'; readonly thread: string; readonly cost: string }
  | { readonly type: 'plan-attested'; readonly thread: string; readonly proposal: string }
  | { readonly type: 'claimed'; readonly thread: string }
  /** The program starts: of a worker on a lease, of a verifier on a COMMIT. */
  | { readonly type: 'started'; readonly thread: string }
  | { readonly type: 'committed'; readonly thread: string; readonly outputs: readonly string[] }
  | {
      readonly type: 'judged'
      readonly thread: string
      readonly commit: string
      readonly pass: boolean
      readonly reasons: readonly string[]
    }
  /** A verifier could not judge; it says nothing to the swarm. */
  | {
      readonly type: 'abstained'
      readonly thread: string
      readonly commit: string
      readonly reason: string
    }
  /** A coordinator has stated a task of its plan, as the NEED of another thread. */
  | {
      readonly type: 'task-stated'
      readonly thread: string
      readonly task: string
      readonly stated: string
    }
  /** A worker gave the task back. */
  | { readonly type: 'yielded'; readonly thread: string; readonly reason: string }
  /** The lease went while the program ran. */
  | { readonly type: 'lease-lost'; readonly thread: string }
  /** The program or a fetch failed. */
  | { readonly type: 'failed'; readonly thread: string; readonly error: Error }
  /** The node refused a call; it is tried again while the thread asks for it. */
  | {
      readonly type: 'refused'
      readonly thread: string
      readonly call: string
      readonly code: string
      readonly message: string
    }
  | { readonly type: 'ended'; readonly thread: string; readonly phase: Phase }

export type OnAgentEvent = (event: AgentEvent) => void
