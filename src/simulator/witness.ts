import type { Effect, Input, JournalRecord, PeerMessage } from '../core/swarm/index.ts'
import type { VirtualNode } from './virtual-node.ts'

/** Whoever watches a world from outside. Each call comes at the moment when the thing happens. */
export interface Witness {
  stepped?(node: VirtualNode, input: Input, effects: readonly Effect[]): void
  /** Records went to the disk; a crash may still lose them. */
  written?(node: VirtualNode, records: readonly JournalRecord[]): void
  /** Everything written is on the disk for good. */
  synced?(node: VirtualNode): void
  /** A direct message left; whether it arrives is another matter. */
  sent?(from: VirtualNode, to: VirtualNode, message: PeerMessage): void
  gossiped?(from: VirtualNode, bytes: Uint8Array): void
  /** The door let somebody's bytes not in. */
  refused?(node: VirtualNode, bytes: Uint8Array): void
  /** The process ended; the first `kept` of the unsynced records are on the disk all the same. */
  crashed?(node: VirtualNode, kept: number): void
  restarted?(node: VirtualNode): void
}
