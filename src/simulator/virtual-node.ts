import type { Admitted, Draft, SenderWindow } from '../core/envelope/index.ts'
import type {
  ArchivedThread,
  Effect,
  Input,
  JournalRecord,
  PeerMessage,
  Swarm,
  SwarmEvent
} from '../core/swarm/index.ts'
import type { Keys } from './signatures.ts'
import { VirtualDoor } from './virtual-door.ts'

/** One node of a virtual world: the real machine, a disk, a clock, and what has not happened yet. */
export type VirtualNode = {
  readonly index: number
  readonly did: string
  readonly keys: Keys
  swarm: Swarm
  alive: boolean
  /** How far this node's clock is ahead, in ms. */
  skewMs: number
  /** How many ms its clock gains in a second, since when. */
  driftPerMille: number
  driftsSince: number
  /** What survives a crash, and what was written but not synced. */
  disk: JournalRecord[]
  unsynced: JournalRecord[]
  /** Ids of envelopes that the machine has kept: the door does not let them in twice. */
  readonly known: Set<string>
  door: VirtualDoor
  /** What the journal says that the door has seen, since it was rewritten. */
  seen: readonly SenderWindow[]
  /** Ended threads that are out of memory. Survives crashes. */
  readonly archive: Map<string, ArchivedThread>
  readonly replies: Map<number, unknown>
  readonly events: SwarmEvent[]
  /** Reacts to events as an agent would; runs after the step. */
  agent: ((node: VirtualNode, event: SwarmEvent) => void) | null
  /** How long an fsync takes, in ms: effects after it wait, and so does the next input. */
  fsyncMs: number
  /** Stopped like a process by SIGSTOP: inputs wait, the clock goes on. */
  paused: boolean
  /** An fsync is under way. */
  syncing: boolean
  /** Effects of the step that have not run. */
  readonly pending: Effect[]
  readonly inbox: Input[]
  /** Virtual time of the next tick; infinity when none is armed. */
  tickAt: number
  /** Grows with each crash: what was scheduled for an earlier life does not happen. */
  life: number
  /** How this node lies; null for an honest one. */
  malice: Malice | null
}

/** The lies of a Byzantine node. The machine below is honest; what leaves it is not. */
export type Malice = {
  /** What leaves instead of a message, if anything. */
  readonly send?: (to: VirtualNode, message: PeerMessage) => readonly PeerMessage[]
  /** Sees what arrives, before the machine does. */
  readonly receive?: (from: VirtualNode, message: PeerMessage) => void
  /** Whether it acts as if it had never got this: an own envelope, or one out of another leader's log, it cannot do without. */
  readonly ignores?: (admitted: Admitted) => boolean
  /** The other thing to say with the same clock value. */
  readonly publish?: (draft: Draft) => Draft | undefined
}

export function virtualNode(index: number, keys: Keys, swarm: Swarm): VirtualNode {
  return {
    index,
    did: keys.did,
    keys,
    swarm,
    alive: true,
    skewMs: 0,
    driftPerMille: 0,
    driftsSince: 0,
    disk: [],
    unsynced: [],
    known: new Set(),
    door: new VirtualDoor(),
    seen: [],
    archive: new Map(),
    replies: new Map(),
    events: [],
    agent: null,
    fsyncMs: 0,
    paused: false,
    syncing: false,
    pending: [],
    inbox: [],
    tickAt: Number.POSITIVE_INFINITY,
    life: 0,
    malice: null
  }
}

/** True while an input has to wait: the process stands still, or an fsync is under way. */
export function isHeldUp(node: VirtualNode): boolean {
  return node.paused || node.syncing || node.pending.length > 0
}
