/** Sizes and times of a local testnet. */

/** Nodes of a testnet unless said otherwise: a requester, two workers, and verifiers enough to lose one. */
export const NODES_DEFAULT = 5
/** Nodes that the demo needs: a group has four members. */
export const DEMO_NODES_MIN = 4
/** Each node is a process of about 100 MB. */
export const NODES_MAX = 32
/** ms for a node to answer on its socket; a loaded machine with five starting nodes needs some seconds. */
export const START_TIMEOUT_MS = 30_000
/** ms for all nodes to find each other. */
export const CONNECT_TIMEOUT_MS = 30_000
/** ms between looks at something that sends no events. */
export const POLL_MS = 25
/** ms for a node to stop by itself before it is killed. */
export const STOP_TIMEOUT_MS = 5000
/** ms for the other nodes to reach the end that the first one has reached. */
export const AGREE_TIMEOUT_MS = 10_000
/** Bytes of the demo's input: identified in a second or two. */
export const INPUT_BYTES_MAX: number = 8 * 1024 * 1024
/** Lines of the result that are shown. */
export const RESULT_ROWS_MAX = 25

/**
 * Windows of the demo's NEED in ms. Bids come within tens of ms on one machine, and nobody will challenge: the short windows
 * are there to be seen. Lease, verification and reveal are upper bounds that a healthy run never reaches; they are long
 * enough for a laptop under load and for a node that is killed and started again.
 */
export const DEMO_WINDOWS = {
  bidMs: 600,
  leaseTtlMs: 6000,
  verifyMs: 20_000,
  sealMs: 250,
  revealMs: 5000,
  challengeMs: 1000
} as const
/** ms until the demo's NEED expires. */
export const DEMO_TTL_MS = 60_000
/** ms beyond its last deadline until a node must have given the thread up by itself. */
export const DEMO_GRACE_MS = 15_000

/** Windows of the NEED that a plan is for: its tasks have the same ones, one layer of them after the other. */
export const PLAN_WINDOWS = { ...DEMO_WINDOWS, bidMs: 400, challengeMs: 500 } as const
/** ms until that NEED expires. Its tasks share them. */
export const PLAN_TTL_MS = 180_000
/** Words of the result that are shown. */
export const WORDS_SHOWN = 10
