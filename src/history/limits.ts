/** Leaves of one answer; fewer where their bytes say so. */
export const LEAVES_PER_ANSWER_MAX = 2_048
/** Bytes of the leaves and certificates of one answer: it travels as one frame of 1 MiB. */
export const LEAVES_BYTES_MAX: number = 768 * 1024
/** Checkpoints of one answer, of at most 32 KiB each. */
export const NOTES_PER_ANSWER_MAX = 16
/** Logs of others that a node witnesses: it keeps every leaf of each on disk. */
export const ORIGINS_MAX = 64
/** Leaves of one witnessed log, about 100 MB on disk. A log that grows beyond it needs other witnesses. */
export const WITNESSED_LEAVES_MAX = 250_000
/** Witnesses that are asked for one checkpoint. */
export const WITNESSES_ASKED_MAX = 8
/** Logs of others whose trees are in memory, 64 bytes a leaf. */
export const TREES_MAX = 8
/** Nodes whose announced checkpoints are remembered, and that are asked at once: a note has at most 32 KiB. */
export const ANNOUNCED_MAX = 64
/** Nodes that are asked about an announced checkpoint besides its own: enough that two witnesses soon hear of each other. */
export const ANNOUNCED_ASKED_MAX = 3
/** Complete subtrees that the leaves of a log make: one for each bit of their number. */
export const PEAKS_MAX = 53
