import { taggedBytes, taggedHash } from '../codec/index.ts'
import { TAGS } from '../envelope/index.ts'

/** Pure strict Ed25519, handed in by the shell (R3). */
export type Verify = (did: string, bytes: Uint8Array, signature: Uint8Array) => boolean

/** The (slot, epoch) of one thread: what a JOIN, a SEAL, a lock and a vote are unique for. */
export type EpochKey = { readonly thread: string; readonly slot: string; readonly epoch: number }

/** What JOIN promises: exactly these members, in this order, for this (slot, epoch). */
export function rosterHash(key: EpochKey, roster: readonly string[]): Uint8Array {
  return taggedHash(TAGS.roster, { ...key, roster })
}

/** The bytes that a member signs to join. */
export function joinBytes(key: EpochKey, roster: Uint8Array): Uint8Array {
  return taggedBytes(TAGS.join, { ...key, roster })
}
