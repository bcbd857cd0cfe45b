import type { PlanChange } from '../plan/index.ts'
import type { Offence } from '../roster/index.ts'
import type { Phase } from './types.ts'

/** What happened. */
export type SwarmEvent =
  /** An envelope was admitted (own or foreign). */
  | {
      readonly type: 'envelope'
      readonly thread: string | null
      readonly id: string
      readonly verb: string
      readonly sender: string
      readonly atMs: number
    }
  /** Something about a thread changed; read `Swarm.view(thread)`. */
  | {
      readonly type: 'thread'
      readonly thread: string
      readonly phase: Phase
      readonly atMs: number
    }
  /** This node holds a certificate of the thread's decision: votes that came here, or a DECIDE. */
  | { readonly type: 'certified'; readonly thread: string; readonly atMs: number }
  /** Facts of an admitted envelope, for the plan store. */
  | ({ readonly type: 'facts'; readonly thread: string } & PlanChange)
  /** The thread ended and its record is complete. */
  | {
      readonly type: 'ended'
      readonly thread: string
      readonly phase: Phase
      readonly atMs: number
    }
  /** Somebody signed what no honest key signs, and this node keeps the proof. */
  | {
      readonly type: 'evidence'
      readonly thread: string
      readonly id: string
      readonly offence: Offence
      readonly convicted: readonly string[]
      readonly atMs: number
    }
  /** A peer says that its door refused an envelope of this node. */
  | {
      readonly type: 'refused'
      readonly thread: string | null
      readonly envelope: string
      readonly verb: string
      /** DID of the peer. */
      readonly by: string
      readonly code: string
      readonly reasons: readonly string[]
      readonly atMs: number
    }
  /** A node, this one or another, says how far its log of ended threads is witnessed. Nothing of it is kept here. */
  | {
      readonly type: 'checkpoint'
      readonly thread: null
      readonly id: string
      readonly sender: string
      readonly treeSize: number
      /** Hex. */
      readonly root: string
      readonly atMs: number
    }
  /** The thread is in the archive and out of memory. */
  | { readonly type: 'archived'; readonly thread: string; readonly atMs: number }
  /** The thread of a stranger made room for others, as if this node had never heard of it. Nothing of it is kept. */
  | { readonly type: 'let-go'; readonly thread: string; readonly atMs: number }
  | {
      readonly type: 'warning'
      readonly thread: string | null
      readonly message: string
      readonly atMs: number
    }
