import type { FlagsFor } from './flag.ts'

/** The log of ended threads: checkpoints, witnesses, and how long what is old stays at hand. */
export type HistoryConfig = {
  readonly checkpointMs: number
  readonly quorum: number
  readonly trusted: readonly string[]
  readonly witness: boolean
  readonly witnessFor: readonly string[]
  readonly witnessIdleDays: number
  readonly retentionDays: number
  readonly logBytes: number
  readonly syncAtStart: boolean
}

/**
 * A checkpoint every ten minutes bounds what a crash of all witnesses could hide. Two witnesses: a node of a small network
 * still finds them, and neither it nor one of them alone can make others believe in a log. Thirty days idle: whoever
 * is away for so long has to be witnessed anew, which costs a new log its place for no longer. Seven days hot: a week's threads are what people look up. 16 MiB is a
 * file that an editor opens.
 */
export const historyDefaults: HistoryConfig = {
  checkpointMs: 600_000,
  quorum: 2,
  trusted: [],
  witness: true,
  witnessFor: [],
  witnessIdleDays: 30,
  retentionDays: 7,
  logBytes: 16 * 1024 * 1024,
  syncAtStart: false
}

export const historyFlags: FlagsFor<'history', HistoryConfig> = {
  'history.checkpointMs': {
    type: 'number',
    unit: 'ms',
    min: 100,
    max: 86_400_000,
    help: 'Time between checkpoints of the log of ended threads, when it has grown.'
  },
  'history.quorum': {
    type: 'number',
    unit: 'witnesses',
    min: 1,
    max: 32,
    help: 'Cosignatures that make a checkpoint stable, and that "sync" asks of one.'
  },
  'history.trusted': {
    type: 'list',
    option: 'trust-witness',
    unit: 'DID',
    help: 'Count only these witnesses; any when there are none.'
  },
  'history.witness': {
    type: 'boolean',
    help: "Recompute and cosign other nodes' checkpoints."
  },
  'history.witnessFor': {
    type: 'list',
    option: 'witness-for',
    unit: 'DID',
    help: 'Nodes whose logs are witnessed also when there are more than a node witnesses.'
  },
  'history.witnessIdleDays': {
    type: 'number',
    unit: 'days',
    min: 1,
    max: 36_500,
    help: 'Days without a new checkpoint after which a log that is witnessed gives its place to another.'
  },
  'history.retentionDays': {
    type: 'number',
    unit: 'days',
    min: 0,
    max: 36_500,
    help: 'Days for which ended threads stay in the archive before "compact" moves them to cold files, or drops those that nobody took.'
  },
  'history.logBytes': {
    type: 'number',
    unit: 'bytes',
    min: 4_096,
    max: 1_073_741_824,
    help: 'Size from which the log of a thread goes on in a further file.'
  },
  'history.syncAtStart': {
    type: 'boolean',
    help: 'A node without threads loads what others have checkpointed, as "sync" does, once it has peers.'
  }
}
