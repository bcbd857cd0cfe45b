import { compareBytes, compareText } from '../base/index.ts'
import { taggedHash } from '../codec/index.ts'
import { TAGS } from '../envelope/index.ts'

/** Members of a full group. Four tolerate one that is absent or faulty. */
export const GROUP_SIZE = 4

/** Highest K that a group asks for: what a log counts per proposal and result (the need's FINDINGS_MAX). */
export const K_MAX = 64

/** Votes that a certificate needs: more than two thirds of the roster (R10). */
export function quorumOf(rosterSize: number): number {
  return Math.floor((rosterSize * 2) / 3) + 1
}

/**
 * Orders candidates for one (need, epoch) by rendezvous hashing: integer-only, the same at every node. The first are
 * the roster, the rest the reserves in their order. All weights are one while the network has no staked checkpoint.
 */
export function drawOrder(need: string, epoch: number, candidates: readonly string[]): string[] {
  const scored = [...new Set(candidates)].map(did => ({
    did,
    score: taggedHash(TAGS.draw, { need, epoch, did })
  }))
  scored.sort((a, b) => compareBytes(a.score, b.score) || compareText(a.did, b.did))
  return scored.map(candidate => candidate.did)
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
