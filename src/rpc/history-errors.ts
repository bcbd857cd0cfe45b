import type { ErrorRows } from './error-kinds.ts'

/** What can be wrong with logs of ended threads, checkpoints, and loading them. */
export const HISTORY_ROWS: ErrorRows = [
  ['HISTORY_UNAVAILABLE', 'config', 'The log of ended threads cannot be opened.'],
  [
    'HISTORY_DAMAGED',
    'config',
    'The log of ended threads is not what this node has signed.',
    'Restore history/ from a copy made after the newest checkpoint.'
  ],
  ['CHECKPOINT_ONLY', 'not-found', 'Of this thread only its end is known, from a checkpoint.'],
  [
    'COLD_MISSING',
    'not-found',
    'The cold file of a thread is not in the folder cold/.',
    'Put it back.'
  ],
  ['COLD_DAMAGED', 'config', 'A cold file does not hold what was written.'],
  ['SYNC_FAILED', 'failure', 'No checkpoint could be loaded from any peer.'],
  [
    'SYNC_MARK_DAMAGED',
    'config',
    'How far a log of another node was loaded before cannot be read.',
    'Load it again with "sync --from DID --anew".'
  ],
  ['BAD_ANSWER', 'failure', "A peer's answer breaks the protocol or contradicts what was signed."],
  ['NOTE_MALFORMED', 'failure', 'The bytes are not a signed note.'],
  ['CHECKPOINT_MALFORMED', 'failure', 'The text of a note is not a checkpoint.'],
  ['CHECKPOINT_ORIGIN', 'denied', 'A checkpoint is of another log than it has to be.'],
  ['CHECKPOINT_UNSIGNED', 'denied', 'A checkpoint is not signed by the node whose log it is.'],
  ['CHECKPOINT_SIGNATURE', 'denied', 'A signature of a checkpoint does not hold.'],
  ['CHECKPOINT_LEAVES', 'denied', 'Leaves are missing, or not what their certificates say.'],
  ['CHECKPOINT_ROOT', 'denied', 'The leaves do not lead to the root that was signed.'],
  [
    'CHECKPOINT_STANDING',
    'denied',
    'What a checkpoint says no longer binds is malformed, still does, or is more than its log holds.'
  ],
  ['CHECKPOINT_ROLLBACK', 'denied', 'A checkpoint is older than one that is held.'],
  ['CHECKPOINT_FORK', 'denied', 'A node has signed two logs; the proof is kept.'],
  ['WITNESS_FULL', 'busy', 'A node witnesses no further log, or no larger one.'],
  ['WITNESS_BUSY', 'busy', 'More of a log is new than a witness looks at in one go.', 'Ask again.'],
  ['WITNESS_OFF', 'denied', 'A node does not witness.'],
  ['LEAF_OPEN', 'denied', 'A leaf needs a certified outcome; this is a decision.'],
  ['LEAF_SHAPE', 'failure', 'The bytes are not a leaf.'],
  [
    'LEAF_AHEAD',
    'denied',
    'A leaf would stand for longer than any thread that was followed.',
    'Check the clock here: it may be behind.'
  ],
  ['END_SHAPE', 'failure', 'An end of a thread says more than can be kept.'],
  [
    'MERKLE_PROOF_MALFORMED',
    'failure',
    'A Merkle proof has other sizes or another length than it can have.'
  ],
  ['MERKLE_PROOF_WRONG', 'denied', 'A Merkle proof leads to another root.'],
  ['HISTORY_SHAPE', 'failure', 'A question or answer about history is malformed.']
]
