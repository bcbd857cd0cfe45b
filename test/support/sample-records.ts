import type { JournalRecord } from '../../src/core/swarm/index.ts'

const bytes = Uint8Array.of(1, 2, 3)
const hash = new Uint8Array(32).fill(1)
const sig = new Uint8Array(64).fill(2)
const entries = [
  { term: 1, index: 1, data: bytes },
  { term: 2, index: 2, data: new Uint8Array(0) }
]
const candidates = [{ did: 'did:key:a', manifest: 'bafy' }]

/** One of each; a kind that is missing does not compile. */
export const RECORDS: {
  readonly [T in JournalRecord['type']]: Extract<JournalRecord, { type: T }>
} = {
  envelope: { type: 'envelope', bytes, atMs: 1 },
  join: { type: 'join', thread: 't', slot: 's', epoch: 0, rosterHash: hash },
  chosen: {
    type: 'chosen',
    thread: 't',
    epoch: 1,
    seals: [
      {
        epoch: 0,
        form: null,
        roster: ['did:key:a'],
        seals: [{ member: 'did:key:a', digest: hash, proposal: 'bafy', sig }]
      }
    ],
    candidates,
    roster: ['did:key:a']
  },
  sealing: { type: 'sealing', thread: 't', epoch: 0 },
  sealed: {
    type: 'sealed',
    thread: 't',
    slot: 's',
    epoch: 0,
    roster: hash,
    digest: hash,
    proposal: 'bafy'
  },
  'hard-state': { type: 'hard-state', group: 'g', state: { term: 3, vote: null, commit: 2 } },
  entries: { type: 'entries', group: 'g', entries },
  lock: { type: 'lock', slot: 's', epoch: 0, stage: 'decide', digest: hash, proposal: 'bafy' },
  verdict: {
    type: 'verdict',
    thread: 't',
    commit: 'c',
    pass: true,
    evaluation: hash,
    reasons: ['because']
  },
  learned: { type: 'learned', thread: 't', group: 'g', entries },
  evidence: { type: 'evidence', bytes },
  abandoned: { type: 'abandoned', thread: 't', reason: 'no quorum', nowMs: 9 },
  tombstone: {
    type: 'tombstone',
    thread: 't',
    slot: 's',
    epoch: 1,
    decision: 'bafy',
    phase: 'FINAL',
    until: 10
  },
  clock: { type: 'clock', lamport: 7 },
  warned: { type: 'warned', thread: 't', warnings: ['look'] }
}
