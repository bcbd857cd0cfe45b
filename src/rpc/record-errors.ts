import type { ErrorRows } from './error-kinds.ts'

/** What can be wrong with records of threads, and with checking them. */
export const RECORD_ROWS: ErrorRows = [
  ['RECORD_MISSING', 'not-found', 'There is no record at this path.'],
  ['RECORD_LINE', 'failure', 'A line is not canonical DAG-JSON of a known shape.'],
  ['RECORD_LINE_TOO_LONG', 'failure', 'A line is longer than the limit.'],
  ['RECORD_HEADER', 'failure', 'The header is missing or repeated.'],
  ['RECORD_VERSION', 'failure', 'The record has a version that this program does not read.'],
  ['RECORD_ORDER', 'failure', 'A line was removed, repeated or moved.'],
  ['RECORD_CHAIN', 'failure', 'A line does not follow from the one before.'],
  ['RECORD_SIGNATURE', 'failure', "The recording node's signature is wrong."],
  ['RECORD_CID', 'failure', 'An envelope or a block does not hash to its CID.'],
  ['RECORD_REFERENCE', 'failure', 'An entry names an envelope that no line before shows.'],
  ['RECORD_BLOCKS', 'failure', 'The capsules of the record take more room than they may.'],
  ['RECORD_TRUNCATED', 'failure', 'The record stops without its end line, or inside a line.'],
  ['RECORD_AFTER_END', 'failure', 'The record goes on after its end line.'],
  ['REPLAY_ORDER', 'failure', 'Something stands where it cannot stand.'],
  ['REPLAY_THREAD', 'failure', 'Something belongs to another thread.'],
  ['REPLAY_LAMPORT', 'denied', 'A sender did not raise its Lamport value.'],
  ['REPLAY_DECIDE', 'failure', 'The log does not lead to the recorded DECIDE.'],
  ['REPLAY_OUTCOME', 'failure', 'The log does not lead to the recorded outcome.'],
  ['REPLAY_BYTES', 'failure', 'The derived outcome has other bytes.'],
  ['REPLAY_INCOMPLETE', 'failure', 'The record does not reach the certified end of its thread.'],
  [
    'REPLAY_CAPSULE',
    'failure',
    'The base capsule of the record cannot be used, or is not that of an envelope.'
  ],
  [
    'RECORD_WORKER',
    'failure',
    'A thread of the machine that checks the record ended by itself.',
    'Is there enough memory?'
  ],
  [
    'AUDIT_LOG_DAMAGED',
    'failure',
    'A log in the audit folder was changed or lost a part; nothing is added to it.',
    'Move it away: the node writes another one.'
  ],
  ['SEALED_RECIPIENT', 'usage', 'Nobody can be sealed to by this name.'],
  [
    'SEALED_KEY_ABSENT',
    'not-found',
    "The ML-KEM key that the reader's manifest names cannot be had.",
    'Try again while that node is connected, or seal by X25519 alone with --classical.'
  ],
  ['SEALED_FILE', 'failure', 'A sealed file is none, is for another key, or was cut or changed.'],
  [
    'PROGRESS_FILE',
    'usage',
    'The file named by --resume holds something else.',
    'Remove it, or name another.'
  ]
]
