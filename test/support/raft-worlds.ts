/** How hostile a virtual world is, and what its group does besides agreeing on entries. */

/** Chances per action, unless said otherwise. */
export type Faults = {
  /** Per message. */
  readonly loss: number
  /** Per message. */
  readonly duplication: number
  readonly crash: number
  /** On a leader with uncommitted entries: the setting of Figure 8. */
  readonly leaderCrash: number
  readonly restart: number
  readonly partition: number
  readonly heal: number
}

const LOSS = { loss: 0.05, duplication: 0.02, leaderCrash: 0 }

/** Worlds from a bad day to a war; a seed picks one. The last one is that of Figure 8. */
export const WORLDS: readonly Faults[] = [
  { ...LOSS, loss: 0.02, crash: 0.0005, restart: 0.02, partition: 0.001, heal: 0.003 },
  {
    ...LOSS,
    loss: 0.08,
    duplication: 0.05,
    crash: 0.002,
    restart: 0.03,
    partition: 0.002,
    heal: 0.006
  },
  {
    ...LOSS,
    loss: 0.3,
    duplication: 0.2,
    crash: 0.002,
    restart: 0.05,
    partition: 0.0005,
    heal: 0.01
  },
  { ...LOSS, duplication: 0.05, crash: 0.008, restart: 0.1, partition: 0.006, heal: 0.02 },
  { ...LOSS, crash: 0.012, restart: 0.5, partition: 0.004, heal: 0.02 },
  {
    ...LOSS,
    loss: 0.02,
    duplication: 0,
    crash: 0.001,
    restart: 0.05,
    partition: 0.012,
    heal: 0.001
  },
  {
    loss: 0.1,
    duplication: 0,
    crash: 0,
    leaderCrash: 0.01,
    restart: 0.005,
    partition: 0.003,
    heal: 0.01
  }
]

/** A world in which nothing fails. */
export const CALM: Faults = {
  loss: 0,
  duplication: 0,
  crash: 0,
  leaderCrash: 0,
  restart: 1,
  partition: 0,
  heal: 1
}

/** Long partitions with lost messages and hardly a crash: groups split, and both halves go on. */
export const SPLIT: Faults = {
  loss: 0.01,
  duplication: 0.02,
  crash: 0.0003,
  leaderCrash: 0,
  restart: 0.02,
  partition: 0.0015,
  heal: 0.0005
}

/** Chances per action that somebody does this. */
export type Habits = {
  /** Most entries that are proposed at once: a number, not a chance. */
  readonly burst: number
  readonly snapshot: number
  readonly change: number
  readonly quiesce: number
  readonly forward: number
  readonly transfer: number
}

export const PLAIN: Habits = {
  burst: 4,
  snapshot: 0,
  change: 0,
  quiesce: 0,
  forward: 0,
  transfer: 0.002
}

const ALL: Habits = { ...PLAIN, snapshot: 0.01, change: 0.01, quiesce: 0.01, forward: 0.01 }

/** Whoever leads changes who takes part whenever it may. */
export const CHURN: Habits = { ...PLAIN, change: 0.08 }

/** Many large entries at once: those of an earlier term fill messages of their own (Figure 8). */
export const HEAVY: Habits = { ...PLAIN, burst: 16 }

/** A group that sleeps whenever it may. */
export const DROWSY: Habits = { ...PLAIN, quiesce: 0.1, forward: 0.005 }

/** Logs are short: whoever misses something gets a snapshot. */
export const FORGETFUL: Habits = { ...PLAIN, snapshot: 0.1 }

/** What groups do; a seed picks one. */
export const HABITS: readonly Habits[] = [
  PLAIN,
  { ...PLAIN, snapshot: 0.02 },
  { ...PLAIN, change: 0.03 },
  { ...PLAIN, quiesce: 0.05, forward: 0.02 },
  ALL
]
