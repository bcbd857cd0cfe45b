import { assert, compareBytes, compareText } from '../base/index.ts'
import { taggedHash } from '../codec/index.ts'
import { TAGS } from '../envelope/index.ts'

/** Sizes of a full group. Four tolerate one member that is absent or faulty, seven two. */
export const GROUP_SIZES: readonly number[] = [4, 7]

/** Members of a full group unless the requester wants more. */
export const GROUP_SIZE = 4

/** Highest K that a group asks for: what a log counts per proposal and result (the need's FINDINGS_MAX). */
export const K_MAX = 64

/** Highest weight of a candidate. Each unit costs a hash, and one candidate must not be a majority of any draw by itself. */
export const WEIGHT_MAX = 16

/** A candidate with a whole number of tickets, 1 to WEIGHT_MAX. */
export type WeightedCandidate = { readonly did: string; readonly weight: number }

/** Votes that a certificate needs, and seals that end an epoch: more than two thirds of the roster (R10, R11). */
export function quorumOf(rosterSize: number): number {
  return Math.floor((rosterSize * 2) / 3) + 1
}

/**
 * Orders candidates for one (need, epoch) by weighted rendezvous hashing: integer-only, the same at every node. A candidate
 * of weight w has w tickets and scores by its smallest; ordered by score, each next candidate is drawn in proportion to its
 * weight among those who remain, and leaving one out moves no other. Names count once, the first weight stands.
 */
export function weightedOrder(
  need: string,
  epoch: number,
  candidates: readonly WeightedCandidate[]
): string[] {
  const weights = new Map<string, number>()
  for (const { did, weight } of candidates) if (!weights.has(did)) weights.set(did, weight)
  const scored = [...weights].map(([did, weight]) => ({
    did,
    score: smallestTicket(need, epoch, did, weight)
  }))
  scored.sort((a, b) => compareBytes(a.score, b.score) || compareText(a.did, b.did))
  return scored.map(candidate => candidate.did)
}

/** The draw while nobody can check a stake: each candidate has weight one. The first are the roster, the rest the reserves in their order. */
export function drawOrder(need: string, epoch: number, candidates: readonly string[]): string[] {
  return weightedOrder(
    need,
    epoch,
    candidates.map(did => ({ did, weight: 1 }))
  )
}

function smallestTicket(need: string, epoch: number, did: string, weight: number): Uint8Array {
  assert(
    Number.isInteger(weight) && weight >= 1 && weight <= WEIGHT_MAX,
    `a weight is a whole number from 1 to ${WEIGHT_MAX}`
  )
  let smallest = taggedHash(TAGS.draw, { need, epoch, did, ticket: 0 })
  for (let ticket = 1; ticket < weight; ticket++) {
    const hash = taggedHash(TAGS.draw, { need, epoch, did, ticket })
    if (compareBytes(hash, smallest) < 0) smallest = hash
  }
  return smallest
}

/** True when the roster names candidates only, each once, in the order of the draw. */
export function followsDraw(order: readonly string[], roster: readonly string[]): boolean {
  let position = -1
  for (const did of roster) {
    const next = order.indexOf(did)
    if (next <= position) return false
    position = next
  }
  return roster.length > 0
}

/**
 * Independent findings that are really asked for: the target, but at most three tenths of the active verifiers, and at
 * least one (PROTOCOL.md, Quantities).
 */
export function effectiveK(target: number, activeVerifiers: number): number {
  return Math.max(1, Math.min(target, K_MAX, Math.floor((activeVerifiers * 3) / 10)))
}
