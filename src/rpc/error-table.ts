import type { ErrorKind, ErrorRows } from './error-kinds.ts'
import { HISTORY_ROWS } from './history-errors.ts'
import { METERING_ROWS } from './metering-errors.ts'
import { PLAN_ROWS } from './plan-errors.ts'
import { RECORD_ROWS } from './record-errors.ts'

export type ErrorEntry = {
  readonly kind: ErrorKind
  readonly meaning: string
  /** What to do, where the message of the error does not say it. */
  readonly hint: string
}

/** Every code that a user can meet, by area. docs/errors.md is generated from it; a test proves it total over src/. */
export const ERROR_AREAS: Readonly<Record<string, ErrorRows>> = {
  'Command line and node': [
    ['USAGE', 'usage', 'The command line makes no sense.', 'See the --help of the command.'],
    ['ID_NOT_FOUND', 'not-found', 'No thread or peer has this id or part of an id.'],
    [
      'ID_AMBIGUOUS',
      'usage',
      'Several threads or peers have this part of an id.',
      'Give more of it.'
    ],
    [
      'INPUT_NOT_FOUND',
      'not-found',
      'A file that a command was given does not exist or cannot be read.'
    ],
    ['INPUT_EMPTY', 'usage', 'A file that a command was given is empty.'],
    [
      'NEED_REFUSED',
      'denied',
      'Connected nodes refused the NEED at their door, and none took it up; the message says by which rule.',
      'The thread stays open until the NEED expires, in case another node comes.'
    ],
    ['EXPRESSION_FAILED', 'failure', 'The expression of "repl --exec" failed.'],
    ['TIMEOUT', 'timeout', '--timeout passed before the result.'],
    [
      'INTERRUPTED',
      'interrupted',
      'Ctrl-C or SIGTERM ended the command.',
      'A NEED that was stated goes on in the swarm.'
    ],
    [
      'CONFIG_INVALID',
      'config',
      'The settings cannot be used; every problem is listed.',
      'See "can-swarm config show --origin".'
    ],
    ['HOME_UNWRITABLE', 'config', 'The home could not be made or written.'],
    [
      'HOME_LOCKED',
      'busy',
      'Another process runs a node on this home.',
      'Stop it with "can-swarm stop", or choose another --home.'
    ],
    [
      'HOME_LOCK_FAILED',
      'config',
      "The home's lock cannot be taken at all.",
      'Check owner and mode of the home.'
    ],
    ['NODE_NOT_RUNNING', 'unreachable', "Nobody listens on the node's socket."],
    ['ALREADY_RUNNING', 'busy', 'A node already answers on this socket.'],
    ['SOCKET_UNUSABLE', 'config', 'The socket has the wrong owner, mode or path.'],
    [
      'CONNECTION_LOST',
      'unreachable',
      'The connection to the node ended before the answer.',
      'What was stated goes on: start the node again and look with "can-swarm threads".'
    ],
    ['STOPPED', 'unreachable', 'The node is stopping.'],
    ['STOP_TIMEOUT', 'failure', 'A part of the node did not stop in time.'],
    ['BUSY', 'busy', 'The node has too much to do.'],
    [
      'BUG',
      'bug',
      'The driver found a bug; the node ends.',
      'Please report it with the log of the node.'
    ],
    [
      'INTERNAL',
      'bug',
      'An error that nobody foresaw.',
      'Please report it with the log of the node.'
    ],
    [
      'ASSERTION',
      'bug',
      'An invariant does not hold: a bug.',
      'Please report it with the log of the node.'
    ]
  ],
  'Control socket': [
    [
      'REQUEST_INVALID',
      'usage',
      'Not JSON, not JSON-RPC 2.0, or the id of a request that still runs.'
    ],
    ['METHOD_UNKNOWN', 'usage', 'The node has no such method.', 'See docs/rpc.md.'],
    [
      'PARAMS_INVALID',
      'usage',
      'Parameters of the wrong form; the message names the field.',
      'See docs/rpc.md.'
    ],
    [
      'ANSWER_TOO_LONG',
      'failure',
      'The answer is longer than a line of the socket may be.',
      'Ask for less of it.'
    ],
    ['LINE_TOO_LONG', 'usage', 'A line is longer than the limit; the connection is closed.'],
    [
      'TOO_MANY_REQUESTS',
      'busy',
      'More requests or connections at once than the limit.',
      'Wait for some to end.'
    ],
    ['SLOW_READER', 'failure', 'The reader fell too far behind and was cut.'],
    ['CANCELLED', 'interrupted', 'The caller cancelled or closed its connection.'],
    ['ACCESS_DENIED', 'denied', 'The client may not call this method.'],
    ['REQUEST_REFUSED', 'usage', 'The request fits its form, but not the state of the node.'],
    [
      'THREAD_NOT_FOUND',
      'not-found',
      'This node follows no such thread.',
      'See "can-swarm threads".'
    ]
  ],
  Network: [
    [
      'PORT_IN_USE',
      'busy',
      'Another program listens on the address.',
      'Choose another port with --listen; port 0 takes any free one.'
    ],
    ['BAD_ADDRESS', 'usage', 'An address that no node can have.'],
    ['LISTEN_FAILED', 'config', 'The system refused to listen on the address.', 'Check --listen.'],
    [
      'PEER_UNREACHABLE',
      'unreachable',
      'Nobody answered at the address, or not the peer that it names.',
      'Check that the node runs, and firewalls between.'
    ],
    [
      'WRONG_NETWORK',
      'denied',
      'The node belongs to another network.',
      'Start both with the same --network.'
    ]
  ],
  Key: [
    [
      'KEY_LOST',
      'config',
      'The home has a journal but no key.',
      'Put key.json back from a backup, or start anew with another --home.'
    ],
    [
      'JOURNAL_LOST',
      'config',
      'The home has been used, and its journal is gone.',
      'Put journal.wal back if it was only moved, never an old copy of it; or start anew with another --home.'
    ],
    ['KEYSTORE_MISSING', 'config', 'There is no key in the home.', 'Run "can-swarm init".'],
    ['KEYSTORE_EXISTS', 'config', 'There is a key already; nothing was changed.'],
    [
      'KEYSTORE_CORRUPT',
      'config',
      'The key file is damaged.',
      'Restore it from a backup; a new key is a new node.'
    ],
    [
      'KEYSTORE_VERSION',
      'config',
      'The key file was written by a later release.',
      'Use that release.'
    ],
    ['KEYSTORE_PERMISSIONS', 'config', 'Others may read the key or put another in its place.'],
    ['KEYSTORE_FAILED', 'config', 'The system refused to read or write the key file.'],
    [
      'WRONG_PASSPHRASE',
      'config',
      'The passphrase does not open the key.',
      'Set CAN_SWARM_PASSPHRASE, or use --ask-passphrase.'
    ],
    [
      'PASSPHRASE_NEEDED',
      'config',
      'The key needs a passphrase.',
      'Set CAN_SWARM_PASSPHRASE, or use --ask-passphrase.'
    ]
  ],
  'Journal and plan': [
    [
      'JOURNAL_CORRUPT',
      'config',
      'The journal is damaged in what had been on the disk; nothing was changed.'
    ],
    ['JOURNAL_VERSION', 'config', 'The journal has the format of another release.'],
    ['JOURNAL_RECORD', 'config', 'A record of the journal means nothing to this release.'],
    ['JOURNAL_FAILED', 'failure', 'A write or an fsync failed; the node ends.', 'Check the disk.'],
    ['JOURNAL_REWRITE', 'failure', 'The journal could not be compacted; it stays as it is.'],
    ['JOURNAL_CLOSED', 'failure', 'The journal was closed.'],
    ['ARCHIVE_UNAVAILABLE', 'config', 'The archive of ended threads cannot be opened.'],
    ['ARCHIVE_UNREADABLE', 'config', 'An archived thread was written by another release.'],
    ['ARCHIVE_UNKNOWN', 'config', 'The line of an archived thread has an unknown form.'],
    ['RECORD_UNKNOWN', 'config', 'A record of the journal has an unknown form.'],
    ['RAFT_RESTORE_INVALID', 'config', 'The consensus state on disk is damaged.'],
    ['PLAN_UNAVAILABLE', 'busy', "The plan's worker does not answer."]
  ],
  Artifacts: [
    [
      'ARTIFACT_NOT_FOUND',
      'not-found',
      'Nobody delivered the artifact in time.',
      'Check that a node that has it is connected, and try a longer --timeout.'
    ],
    ['ARTIFACT_MISSING', 'not-found', 'Nobody delivered an artifact that an agent needs.'],
    ['ARTIFACT_TOO_LARGE', 'failure', 'An artifact is larger than an agent reads into memory.'],
    ['ARTIFACT_MALFORMED', 'failure', 'The blocks do not form what their CID promises.'],
    ['ARTIFACT_STORE_STOPPED', 'unreachable', 'The store is not running.'],
    [
      'ARTIFACT_STORE_FAILED',
      'failure',
      "The store's folder cannot be read or written.",
      'Check the disk.'
    ],
    ['BAD_CID', 'usage', 'Not a CID that this store keeps.'],
    ['BAD_RANGE', 'usage', 'An offset, length or time is negative or no whole number.'],
    ['NOT_A_FILE', 'usage', 'A file was asked for and something else is there.'],
    ['NOT_PINNED', 'not-found', 'Not pinned.', 'See "can-swarm pin ls".'],
    ['PATH_NOT_FOUND', 'not-found', 'A path of this machine does not exist.'],
    ['PATH_FAILED', 'failure', 'A path of this machine cannot be read or written.'],
    ['TARGET_EXISTS', 'failure', 'The target exists already; nothing was overwritten.'],
    ['UNSAFE_NAME', 'failure', 'An entry of a folder has a name that could write outside it.'],
    ['TOO_LARGE', 'failure', 'More bytes, blocks or entries than allowed.'],
    ['CAR_CORRUPT', 'failure', 'The CAR file is damaged or ends early.'],
    ['BLOCK_MISMATCH', 'failure', 'The bytes do not hash to the CID.'],
    ['BLOCK_ABSENT', 'not-found', 'A block is not on this disk.']
  ],
  Agents: [
    ['PROGRAM_FAILED', 'failure', 'A program failed, printed nothing or could not be started.'],
    [
      'PROGRAM_TIMEOUT',
      'timeout',
      'A program did not end in time and was stopped.',
      'Give it longer with --job-timeout.'
    ],
    ['JOB_ABORTED', 'interrupted', 'The agent stopped, or the lease went, while a program ran.'],
    ...PLAN_ROWS
  ],
  Testnet: [
    ['TESTNET_INPUT_NOT_FOUND', 'not-found', 'The input file of a testnet job does not exist.'],
    ['TESTNET_INPUT_UNUSABLE', 'usage', 'The input file of a testnet job is empty or no text.'],
    ['TESTNET_USAGE', 'usage', 'A testnet of this shape cannot be.'],
    [
      'TESTNET_NODE_FAILED',
      'failure',
      'A node of the testnet did not start or ended.',
      'See its log.'
    ],
    ['TESTNET_NOT_CONNECTED', 'timeout', 'The nodes of a testnet did not find each other in time.'],
    [
      'TESTNET_RUNNING',
      'busy',
      'A testnet is up already.',
      'Stop it with "can-swarm testnet down".'
    ],
    [
      'TESTNET_NOT_RUNNING',
      'unreachable',
      'No testnet is up.',
      'Start one with "can-swarm testnet up".'
    ],
    ['TESTNET_INTERRUPTED', 'interrupted', 'Ctrl-C or SIGTERM ended the testnet.']
  ],
  Policy: [
    ['POLICY_DENIED', 'denied', 'The policy capsule denies it; the message names the rule.'],
    [
      'POLICY_UNAVAILABLE',
      'busy',
      'The policy could not be evaluated here.',
      'See the log of the node.'
    ],
    [
      'POLICY_TIMEOUT',
      'timeout',
      'An evaluation took longer than this node waits.',
      'Try again; "can-swarm doctor" says how often that happened.'
    ],
    [
      'POLICY_ENGINE_MISMATCH',
      'denied',
      'The sender evaluates policies by other rules.',
      'Bring both programs to the same release.'
    ],
    [
      'POLICY_DIGEST_MISMATCH',
      'denied',
      'The policy gives another answer here than its sender signed.'
    ],
    [
      'CAPSULE_UNAVAILABLE',
      'not-found',
      'This node does not have the policy capsule, and nobody delivered it yet.',
      'Check that a node that has it is connected, or add its file with "can-swarm policy add".'
    ],
    [
      'CAPSULE_REFUSED',
      'denied',
      'The policy capsule is not what it should be, or fails its own vectors.'
    ],
    ['CAPSULE_FILE', 'failure', 'A file does not hold a capsule.'],
    [
      'COMPILER_UNAVAILABLE',
      'config',
      'There is no policy compiler of the pinned version on the PATH.',
      'The message says how to install it.'
    ],
    ['COMPILER_FAILED', 'failure', 'The policy compiler objects to the sources.'],
    ['POLICY_SOURCE', 'usage', 'A folder is no policy: a part is missing or wrong.'],
    ['POLICY_INPUT', 'usage', 'A question that no policy is asked.'],
    ['VECTOR_FAILED', 'failure', 'A policy decides one of its vectors in another way.'],
    ...METERING_ROWS
  ],
  Threads: [
    [
      'SLOT_ENDED',
      'denied',
      'A NEED in this slot has ended here; a slot is decided once.',
      'Name another slot, or wait as long as the message says: about a day after the NEED has expired.'
    ],
    [
      'THREAD_VOID',
      'denied',
      'The requester signed two FORMs: nothing more is done in the thread.',
      'See "can-swarm evidence ls"; state the NEED anew if it is yours.'
    ],
    ['NOT_REQUESTER', 'denied', 'Only the requester of a NEED opens a new epoch.'],
    ['REFORMING', 'denied', 'A new epoch of the NEED is being opened already.', 'Wait for it.'],
    [
      'NOTHING_TO_SEAL',
      'denied',
      'The group is still being chosen or about to start: there is nothing to end.',
      'Wait a moment.'
    ],
    ['RESULT_KNOWN', 'denied', 'There is a result: the group that has it judges it.'],
    [
      'EPOCHS_USED_UP',
      'denied',
      'The NEED has had all the epochs that it may have.',
      'State it anew.'
    ],
    ['THREAD_ENDED', 'denied', 'The thread has ended.'],
    [
      'TOO_MANY_THREADS',
      'busy',
      'This node has as many open NEEDs as others would follow.',
      'Wait until some have ended.'
    ],
    ['NOT_DECIDED', 'denied', 'This node has not been decided for the task.'],
    ['NO_LEASE', 'denied', 'This node does not hold the lease.'],
    ['NO_SUCH_COMMIT', 'denied', 'The thread has no such COMMIT.'],
    ['NO_WINDOW', 'denied', 'The challenge window is not open.'],
    ['VERDICT_GIVEN', 'denied', 'This node has judged the COMMIT already, otherwise.'],
    ['USE_VERDICT', 'usage', 'Verdicts are sealed first.', 'Use the method agent.verdict.'],
    ['USE_UPDATE_PLAN', 'usage', 'Plan updates have a place that the node gives them.'],
    [
      'PLAN_SESSIONS_USED_UP',
      'denied',
      'The node has lost track of its plan updates too often in this thread.',
      'Say the rest in a new NEED.'
    ],
    ['GROUP_ONLY', 'denied', 'The group derives this verb; nobody states it.']
  ],
  'Envelopes and messages': [
    ['TOO_DEEP', 'denied', 'Nested too deeply.'],
    ['NOT_CANONICAL', 'denied', 'Not canonical DAG-CBOR.'],
    ['UNSUPPORTED_VERSION', 'denied', 'An envelope of another version.'],
    ['UNKNOWN_VERB', 'denied', 'Not a verb of this version.'],
    ['BAD_SHAPE', 'denied', 'A field is missing, unknown or of the wrong form.'],
    ['BAD_PAYLOAD', 'denied', 'A field of the payload is missing, unknown or of the wrong form.'],
    ['BAD_THREAD', 'denied', 'The verb names a thread and must not, or names none and must.'],
    ['BAD_EPOCH', 'denied', 'The verb has no epoch and must, or has one and must not.'],
    ['BAD_FENCE', 'denied', 'The verb has no fence and must, or has one and must not.'],
    ['BAD_DID', 'denied', 'Not a did:key of an Ed25519 key in canonical form.'],
    ['BAD_SIGNATURE', 'denied', 'The signature is wrong.'],
    ['ENVELOPE_EXPIRED', 'denied', 'Its time has passed.', 'Check the clocks if it is fresh.'],
    ['NOT_AFTER_TOO_FAR', 'denied', 'It is to live longer than allowed.'],
    ['REPLAYED', 'denied', 'Accepted before.'],
    ['EQUIVOCATION', 'denied', 'Two different envelopes with one lamport value.'],
    ['STALE_LAMPORT', 'denied', 'Older than what this node remembers of the sender.'],
    ['REPLAY_GUARD_FULL', 'busy', 'Too many senders are active.'],
    ['RATE_LIMITED', 'busy', 'The sender says too much at once.'],
    ['DOOR_BUSY', 'busy', 'The node has too much to do.'],
    ['MESSAGE_TOO_LARGE', 'denied', 'A direct message is too large.'],
    ['MESSAGE_UNKNOWN', 'denied', 'Not a message of this protocol.']
  ],
  'Groups and certificates': [
    ['FORM_NOT_BY_REQUESTER', 'denied', 'Only the requester forms the group.'],
    ['FORM_OTHER_NEED', 'denied', 'The FORM names another NEED, slot or epoch.'],
    [
      'NEED_EPOCH',
      'denied',
      'A later epoch needs the seals of the epoch before.',
      'State the NEED with epoch 0.'
    ],
    ['NEED_EXPIRY', 'usage', 'The NEED expires too late.', 'Choose at most thirty days.'],
    ['NEED_WINDOWS', 'usage', 'A window of the NEED is too long.', 'Choose at most thirty days.'],
    [
      'NEED_ESCROW',
      'usage',
      'Budget and bounty together are too high.',
      'Stay below 2^63 credits.'
    ],
    ['FORM_TOO_LARGE', 'denied', 'The FORM leaves no room for its certificates.'],
    ['FORM_SEAL', 'denied', 'A later epoch needs the seals of the epoch before.'],
    [
      'FORM_PREVIOUS',
      'denied',
      'An epoch before is not sealed here, or another FORM of it is known.'
    ],
    ['FORM_CARRY', 'denied', 'The seals show different decisions.'],
    ['FORM_PRECISION', 'denied', 'Stamps may be off by more than honest clocks are.'],
    ['FORM_K', 'denied', 'K is outside what the NEED asked for.'],
    ['FORM_SIZE', 'denied', 'The group has the wrong size.'],
    ['FORM_DRAW', 'denied', 'The roster does not follow the draw.'],
    ['PROMISED', 'denied', 'Promised to another roster for this slot and epoch.'],
    ['SEALED', 'denied', 'This node takes part in the epoch no more.'],
    ['SEAL_NOT_JOINED', 'denied', 'This node has joined no group of the thread in the epoch.'],
    ['SEAL_TOO_LATE', 'denied', 'There is a result in the epoch, or the thread has ended.'],
    ['FORM_JOINS', 'denied', 'A member has not joined this roster.'],
    ['FORM_SINGLE', 'denied', 'Single-node mode where it is not allowed.'],
    ['CERTIFICATE_FORM', 'denied', 'The certificate holds no FORM.'],
    ['CERTIFICATE_OTHER_NEED', 'denied', 'The certificate is about another NEED, slot or epoch.'],
    ['CERTIFICATE_DIGEST', 'denied', 'The certificate is about something else.'],
    ['CERTIFICATE_CARRY', 'denied', 'An earlier epoch decided another proposal.'],
    [
      'CERTIFICATE_VOID',
      'denied',
      'The requester signed two FORMs: what its groups decided counts for nothing.'
    ],
    [
      'EVIDENCE_UNRELATED',
      'denied',
      'The evidence says nothing about the certificate.',
      'Verify the certificate without it.'
    ],
    ['CERTIFICATE_QUORUM', 'denied', 'Too few members signed.'],
    ['CERTIFICATE_VERB', 'denied', 'The verb does not fit the outcome that it carries.'],
    [
      'CERTIFICATE_ABSENT',
      'not-found',
      'The thread has no certificate of this stage here.',
      'Wait until it is decided or has ended.'
    ],
    [
      'EVIDENCE_NOT_FOUND',
      'not-found',
      'This node holds no such evidence.',
      'See "can-swarm evidence ls".'
    ],
    ['PROOF_MISSING', 'not-found', 'There is no certificate or evidence at this path.'],
    ['PROOF_JSON', 'failure', 'A certificate or evidence is not canonical DAG-JSON.'],
    ['PROOF_TOO_LARGE', 'failure', 'More bytes than a certificate or evidence can have.'],
    [
      'PROOF_FORMAT',
      'failure',
      'Not a certificate or evidence, or one of another version.',
      'Check the file; a later release may have written it.'
    ],
    ['PROOF_SHAPE', 'failure', 'A part of a certificate or evidence is missing, unknown or moved.'],
    ['PROOF_VERB', 'denied', 'Another envelope stands where a NEED, FORM or certificate has to.'],
    ['PROOF_STRANGER', 'denied', 'A vote in evidence is by nobody who could cast it.'],
    ['PROOF_UNRELATED', 'denied', 'The statements of evidence are about different things.'],
    ['PROOF_AGREES', 'denied', 'The statements of evidence say the same: no offence.'],
    ['PROOF_NOBODY', 'denied', 'The evidence convicts nobody.']
  ],
  Simulator: [
    ['SIMULATOR_WORKER', 'failure', 'A thread of the simulator ended: memory ran out, or a bug.'],
    [
      'TRACE_FAILED',
      'failure',
      'Traces of failed seeds cannot be written.',
      'Choose another folder with --trace.'
    ]
  ],
  Records: RECORD_ROWS,
  History: HISTORY_ROWS
}

/** The same by code. */
export const ERROR_CODES: Readonly<Record<string, ErrorEntry>> = Object.fromEntries(
  Object.values(ERROR_AREAS).flatMap(rows =>
    rows.map(([code, kind, meaning, hint = '']) => [code, { kind, meaning, hint }])
  )
)
