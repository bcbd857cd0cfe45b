import type { Admitted } from '../core/envelope/index.ts'
import type { Effect, Input, JournalRecord, PeerMessage } from '../core/swarm/index.ts'
import type { Origin } from './virtual-door.ts'
import type { VirtualNode } from './virtual-node.ts'

export type Arrival = { readonly origin: Origin; readonly nowMs: number }

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
  /** The door lets an envelope of somebody else in, at this time of the node's clock. */
  admitted?(node: VirtualNode, admitted: Admitted, at: Arrival): void
  /** The door let somebody's bytes not in. */
  refused?(node: VirtualNode, bytes: Uint8Array): void
  /** The process ended; the first `kept` of the unsynced records are on the disk all the same. */
  crashed?(node: VirtualNode, kept: number): void
  restarted?(node: VirtualNode): void
}

/** Several witnesses as one: each sees everything, in this order. */
export function witnesses(all: readonly Witness[]): Witness {
  return {
    stepped: (node, input, effects) => {
      for (const each of all) each.stepped?.(node, input, effects)
    },
    written: (node, records) => {
      for (const each of all) each.written?.(node, records)
    },
    synced: node => {
      for (const each of all) each.synced?.(node)
    },
    sent: (from, to, message) => {
      for (const each of all) each.sent?.(from, to, message)
    },
    gossiped: (from, bytes) => {
      for (const each of all) each.gossiped?.(from, bytes)
    },
    admitted: (node, admitted, at) => {
      for (const each of all) each.admitted?.(node, admitted, at)
    },
    refused: (node, bytes) => {
      for (const each of all) each.refused?.(node, bytes)
    },
    crashed: (node, kept) => {
      for (const each of all) each.crashed?.(node, kept)
    },
    restarted: node => {
      for (const each of all) each.restarted?.(node)
    }
  }
}
