/**
 * The log of ended threads of a node: one leaf for each certified end, a Merkle tree over the leaves, and how a witness judges the log
 * of another node.
 *
 * 1. A leaf is a function of a NEED and its certified outcome: anyone computes it from those two envelopes, and nothing of it is the log's owner's word.
 * 2. A witness recomputes: the hash of every leaf of the logs that it witnesses is on its disk, and it cosigns a tree only as what it computed itself (R20).
 * 3. What it cosigned it never unsays: a smaller tree, another root of one size, or a tree that does not begin with it is refused, and a contradiction
 *    between two signatures of the origin becomes evidence.
 *
 * Specification: protocols/checkpoint/README.md.
 */
export {
  decodeLeaf,
  encodeLeaf,
  LEAF_BYTES_MAX,
  LEAF_TIME_MS_MAX,
  type Leaf,
  leafOf
} from './leaf.ts'
export {
  checkNotAhead,
  formatStanding,
  LEAF_AHEAD_MS_MAX,
  leafStandsUntil,
  type Standing,
  StandingCheck,
  standingOf
} from './standing.ts'
export { type Judgement, WitnessedLog } from './witnessed-log.ts'
