/**
 * Writes protocols/raft/vectors. Run it with `node test/support/make-raft-vectors.ts` after a deliberate change of the protocol and review the
 * difference: the files are the reference that the code is held to, not the other way round.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { encode as encodeDagJson } from '@ipld/dag-json'
import { encode } from '../../src/core/codec/index.ts'
import type { Configuration, LogEntry, RaftMessage } from '../../src/core/raft/index.ts'

const FOLDER = new URL('../../protocols/raft/vectors/', import.meta.url)

const head = { from: 'did:key:a', to: 'did:key:b', term: 7 }
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const first: LogEntry = { term: 5, index: 4, data: text('entry 4') }
const second: LogEntry = { term: 7, index: 5, data: new Uint8Array(0) }
const joint: Configuration = {
  voters: ['did:key:a', 'did:key:c'],
  outgoing: ['did:key:a', 'did:key:b'],
  learners: ['did:key:d']
}
const change: LogEntry = { term: 7, index: 5, data: new Uint8Array(0), configuration: joint }
const ballot = { lastIndex: 4, lastTerm: 5 }
const append = { ...head, type: 'append', previousIndex: 3, previousTerm: 5, commit: 3 } as const
const snapshot = { index: 4, term: 5, configuration: joint, data: text('state after 4') }

const VALID: { readonly [name: string]: RaftMessage } = {
  'pre-vote': { ...head, type: 'pre-vote', ...ballot, transfer: false },
  'pre-vote-reply': { ...head, type: 'pre-vote-reply', granted: true },
  vote: { ...head, type: 'vote', ...ballot, transfer: true },
  'vote-empty-log': { ...head, type: 'vote', lastIndex: 0, lastTerm: 0, transfer: false },
  'vote-reply': { ...head, type: 'vote-reply', granted: false },
  append: { ...append, entries: [first, second] },
  'append-empty': { ...append, entries: [] },
  'append-first': {
    ...append,
    previousIndex: 0,
    previousTerm: 0,
    commit: 0,
    entries: [{ ...first, index: 1 }]
  },
  'append-change': { ...append, entries: [first, change] },
  'append-reply': { ...head, type: 'append-reply', success: true, matchIndex: 5, conflictTerm: 0 },
  'append-refusal': {
    ...head,
    type: 'append-reply',
    success: false,
    matchIndex: 2,
    conflictTerm: 4
  },
  heartbeat: { ...head, type: 'heartbeat', commit: 4, quiesce: false },
  'heartbeat-quiesce': { ...head, type: 'heartbeat', commit: 5, quiesce: true },
  'heartbeat-reply': { ...head, type: 'heartbeat-reply' },
  'timeout-now': { ...head, type: 'timeout-now' },
  forward: { ...head, type: 'forward', data: text('please') },
  snapshot: { ...head, type: 'snapshot', snapshot }
}

/** Canonical bytes of what no member says, and the part of the document that it breaks. */
const INVALID: { readonly [name: string]: readonly [breaks: string, message: object] } = {
  'type-unknown': ['Message', { ...head, type: 'gossip' }],
  'term-missing': ['Empty', { from: head.from, to: head.to, type: 'heartbeat-reply' }],
  'term-zero': ['Heartbeat', { ...head, term: 0, type: 'heartbeat', commit: 0, quiesce: false }],
  'term-too-high': ['limits', { ...head, term: 2 ** 52 + 1, type: 'timeout-now' }],
  'vote-term-of-its-log': [
    'Vote',
    { ...head, type: 'vote', lastIndex: 4, lastTerm: 7, transfer: false }
  ],
  'vote-half-a-position': [
    'position',
    { ...head, type: 'vote', lastIndex: 0, lastTerm: 3, transfer: false }
  ],
  'append-gap': ['Append', { ...append, entries: [{ ...first, index: 5 }] }],
  'append-falling-terms': ['Append', { ...append, entries: [{ ...first, term: 4 }] }],
  'append-term-of-the-future': ['Append', { ...append, entries: [{ ...first, term: 8 }] }],
  'append-change-with-data': [
    'Entry',
    { ...append, entries: [first, { ...change, data: text('x') }] }
  ],
  'append-change-without-voters': [
    'RAFT-29',
    { ...append, entries: [first, { ...change, configuration: { ...joint, voters: [] } }] }
  ],
  'append-change-null': [
    'Entry',
    { ...append, entries: [first, { ...second, configuration: null }] }
  ],
  'heartbeat-without-quiesce': ['Heartbeat', { ...head, type: 'heartbeat', commit: 4 }],
  'forward-text': ['Forward', { ...head, type: 'forward', data: 'please' }],
  'snapshot-of-nothing': [
    'Snapshot',
    { ...head, type: 'snapshot', snapshot: { ...snapshot, index: 0, term: 0 } }
  ],
  'snapshot-term-of-the-future': [
    'Snapshot',
    { ...head, type: 'snapshot', snapshot: { ...snapshot, term: 8 } }
  ],
  'snapshot-voter-twice': [
    'RAFT-29',
    {
      ...head,
      type: 'snapshot',
      snapshot: { ...snapshot, configuration: { ...joint, voters: ['x', 'x'] } }
    }
  ],
  'snapshot-voter-who-learns': [
    'RAFT-29',
    {
      ...head,
      type: 'snapshot',
      snapshot: { ...snapshot, configuration: { ...joint, learners: ['did:key:c'] } }
    }
  ]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function write(folder: string, name: string, value: object): void {
  const file = new URL(`${folder}/${name}.json`, FOLDER)
  writeFileSync(file, `${JSON.stringify({ name, ...value }, null, 2)}\n`)
}

/** Bytes as DAG-JSON writes them: `{"/": {"bytes": base64}}`. */
function asJson(message: object): unknown {
  return JSON.parse(new TextDecoder().decode(encodeDagJson(message)))
}

for (const folder of ['valid', 'invalid']) {
  rmSync(new URL(folder, FOLDER), { recursive: true, force: true })
  mkdirSync(new URL(folder, FOLDER), { recursive: true })
}
for (const [name, message] of Object.entries(VALID)) {
  const isForFixedMembers = name !== 'snapshot' && name !== 'append-change'
  write('valid', name, {
    fixedMembers: isForFixedMembers,
    message: asJson(message),
    encoded: hex(encode(message))
  })
}
for (const [name, [breaks, message]] of Object.entries(INVALID))
  write('invalid', name, { breaks, encoded: hex(encode(message)) })
