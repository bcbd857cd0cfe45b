/** Leaves of one answer; fewer where their bytes say so. */
export const LEAVES_PER_ANSWER_MAX = 2_048
/** Bytes of the leaves and certificates of one answer: it travels as one frame of 1 MiB. */
export const LEAVES_BYTES_MAX: number = 768 * 1024
/** Checkpoints of one answer, of at most 32 KiB each. */
export const NOTES_PER_ANSWER_MAX = 16
/** Logs of others that a node witnesses: it keeps every leaf of each on disk. */
export const ORIGINS_MAX = 64
/** Logs of others that were let go of, and of which the newest note is remembered, of at most 32 KiB. When there are more, none is let go of any more. */
export const PAST_MAX = 2_000
/** Pages of notes that one peer is asked for: its own, those of all logs that it witnesses, and a few more that it may have been told to. */
export const NOTE_PAGES_MAX = 5
/** Time between two warnings that there is no place for a further log, in ms. */
export const FULL_WARNING_MS = 3_600_000
/** Leaves of one log that a witness keeps, about 100 MB on disk, and that may stand or be new to it: of those before them it keeps the hashes. */
export const WITNESSED_LEAVES_MAX = 250_000
/** Bytes of leaves that are kept of all logs but those in `history.witnessFor`: ten of the largest of ordinary leaves. */
export const WITNESSED_BYTES_MAX: number = 1024 * 1024 * 1024
/** Bytes of leaves that one log may have also where there are so many: a part for each place. */
export const WITNESSED_SHARE_BYTES: number = 16 * 1024 * 1024
/** Bytes of an ordinary leaf: by it logs are counted that an older version has written. */
export const LEAF_BYTES_TYPICAL = 400
/** Forks that are kept, of up to 66 KiB, but for those of logs that this node witnesses or has: anybody may make keys and fork their logs. */
export const FORKS_MAX = 512
/** Nodes whose forks found no place, and that are known as convicted until the node ends. */
export const FORKS_UNKEPT_MAX = 4_096
/** Leaves without a stable checkpoint from which on a node warns, once an hour: two fifths of what a witness takes that is new to the log. */
export const UNWITNESSED_WARNING = 100_000
/** Witnesses that are asked for one checkpoint. */
export const WITNESSES_ASKED_MAX = 8
/** Logs of others whose trees are in memory, a quarter of a byte a leaf and up to 16 KiB more: all, unless more are reserved. */
export const TREES_MAX = 64
/** Logs that one run of sync tries to load. */
export const SYNC_LOGS_MAX = 32
/** Leaves whose certificates are remembered as checked for the other logs of the same run, some 30 MB. */
export const CERTIFIED_MAX = 200_000
/** Bytes of new leaves after which a run of sync begins no further log. */
export const SYNC_BYTES_MAX: number = 512 * 1024 * 1024
/** Bytes of new leaves of one log that was not asked for by name: one log of the largest size. */
export const SYNC_LOG_BYTES_MAX: number = 128 * 1024 * 1024
/** Nodes whose announced checkpoints are remembered, and that are asked at once: a note has at most 32 KiB. */
export const ANNOUNCED_MAX = 64
/** Nodes that are asked about an announced checkpoint besides its own: enough that two witnesses soon hear of each other. */
export const ANNOUNCED_ASKED_MAX = 3
/** Complete subtrees that the leaves of a log make: one for each bit of their number. */
export const PEAKS_MAX = 53
/** Time in which a witness fetches and checks leaves for one request, in ms: the asker waits for ten seconds more. */
export const COSIGN_MS_MAX = 20_000
/** Bytes of leaves and certificates that a witness fetches for one request: some 5,000 threads. */
export const COSIGN_BYTES_MAX: number = 32 * 1024 * 1024
/** The same for all requests of one peer in an hour: a minute of this machine's time. */
export const COSIGN_HOUR_BYTES_MAX: number = 256 * 1024 * 1024
/** The same for all peers but those in `history.witnessFor`, in bytes: some four minutes of an hour. */
export const COSIGN_HOUR_BYTES_ALL_MAX: number = 1024 * 1024 * 1024
/** Of that, what each peer has whose log is held, in bytes: some 600 threads an hour, so that no others keep a log that grows from being witnessed. */
export const COSIGN_HOUR_BYTES_SHARE: number = 4 * 1024 * 1024
/** Bytes of leaves of all logs that were checked and wait for the rest of theirs, in memory: one log of the largest size. */
export const FETCHED_BYTES_MAX: number = 128 * 1024 * 1024
/** Time for which they wait for the next request, in ms: three times that between two checkpoints. */
export const FETCHED_IDLE_MS = 1_800_000
/** Peers whose bytes of the hour are remembered. */
export const FETCHING_PEERS_MAX = 1_024
/** Wait before a witness that was busy is asked again where it has worked, in ms: it has let go of the last request by then. */
export const COSIGN_AGAIN_MS_MIN = 2_000
/** The longest, in ms: it doubles while witnesses are busy and do nothing, their hour being over for this node. */
export const COSIGN_AGAIN_MS_MAX = 600_000
/** How often busy witnesses are asked again between two checkpoints: ten minutes of requests that take all their time. */
export const COSIGN_AGAIN_MAX = 30
/** Time after which an answer is taken for work, in ms: refusals that need no leaves come sooner. */
export const COSIGN_WORK_MS_MIN = 1_000
