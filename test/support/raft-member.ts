/** Builders for tests of one member: a log written as its terms, a member at work, messages by their interesting fields. */
import {
  type LogEntry,
  Raft,
  type RaftInit,
  type RaftMessage,
  type Ready,
  type Snapshot
} from '../../src/core/raft/index.ts'

/** `log(1, 1, 2)`: three entries of terms 1, 1 and 2. */
export function log(...terms: number[]): LogEntry[] {
  return terms.map((term, i) => ({ term, index: i + 1, data: Uint8Array.of(term, i + 1) }))
}

export const FIVE = ['a', 'b', 'c', 'd', 'e']
export const THREE = ['a', 'b', 'c']

export type MemberInit = Partial<RaftInit> & {
  readonly log?: readonly LogEntry[]
  readonly snapshot?: Snapshot
  readonly term?: number
  readonly vote?: string | null
  readonly commit?: number
  readonly create?: (init: RaftInit) => Raft
}

/** Member `a` of three unless said otherwise, with an election timeout of exactly 10 ticks. */
export function member(init: MemberInit = {}): Raft {
  const entries = init.log ?? []
  const hardState = {
    term: init.term ?? entries.at(-1)?.term ?? 0,
    vote: init.vote ?? null,
    commit: init.commit ?? 0
  }
  const create = init.create ?? (raftInit => new Raft(raftInit))
  return create({
    id: init.id ?? 'a',
    members: init.members ?? THREE,
    electionTicksMin: 10,
    heartbeatTicks: 1,
    random: init.random ?? (() => 0),
    ...(init.changesMembers === undefined ? {} : { changesMembers: init.changesMembers }),
    restored: {
      hardState,
      entries,
      ...(init.snapshot === undefined ? {} : { snapshot: init.snapshot })
    }
  })
}

/** All batches until there is no more work, as one. */
export function work(raft: Raft): Required<Ready> {
  let all: Ready = {
    hardState: null,
    mustSync: false,
    entries: [],
    messages: [],
    committed: [],
    forwarded: [],
    snapshot: null
  }
  for (let batch = raft.ready(); batch !== null; batch = raft.ready()) {
    all = {
      hardState: batch.hardState ?? all.hardState,
      mustSync: all.mustSync || batch.mustSync,
      entries: [...all.entries, ...batch.entries],
      messages: [...all.messages, ...batch.messages],
      committed: [...all.committed, ...batch.committed],
      snapshot: batch.snapshot ?? all.snapshot,
      forwarded: [...all.forwarded, ...batch.forwarded]
    }
    raft.advance()
  }
  return all
}

export function tick(raft: Raft, count: number): void {
  for (let i = 0; i < count; i++) raft.tick()
}

/** Makes a member leader of the next term by the votes of all others; returns what it said meanwhile. */
export function elect(raft: Raft, members: readonly string[] = THREE, id = 'a'): void {
  raft.campaign()
  work(raft)
  for (const type of ['pre-vote-reply', 'vote-reply'] as const) {
    for (const from of members) {
      if (from === id) continue
      const { role, term } = raft.status()
      if (type === 'pre-vote-reply' && role !== 'pre-candidate') continue
      raft.step({
        type,
        from,
        to: id,
        term: type === 'vote-reply' ? term : term + 1,
        granted: true
      })
      work(raft)
    }
  }
}

/** An append to `a`, following the entry at `after` (index, term). */
export function append(
  fields: {
    readonly from?: string
    readonly term: number
    readonly after: readonly [number, number]
    readonly commit?: number
  },
  ...terms: number[]
): RaftMessage {
  const [previousIndex, previousTerm] = fields.after
  const entries = terms.map((term, i) => ({
    term,
    index: previousIndex + 1 + i,
    data: Uint8Array.of(term, previousIndex + 1 + i)
  }))
  return {
    type: 'append',
    from: fields.from ?? 'b',
    to: 'a',
    term: fields.term,
    previousIndex,
    previousTerm,
    entries,
    commit: fields.commit ?? 0
  }
}

/** A request for a vote from `from` to `a` by a candidate with the log position (index, term). */
export function voteRequest(
  type: 'vote' | 'pre-vote',
  fields: {
    readonly from?: string
    readonly term: number
    readonly last: readonly [number, number]
    readonly transfer?: boolean
  }
): RaftMessage {
  const [lastIndex, lastTerm] = fields.last
  return {
    type,
    from: fields.from ?? 'b',
    to: 'a',
    term: fields.term,
    lastIndex,
    lastTerm,
    transfer: fields.transfer ?? false
  }
}

export function appendReply(from: string, term: number, matchIndex: number): RaftMessage {
  return { type: 'append-reply', from, to: 'a', term, success: true, matchIndex, conflictTerm: 0 }
}

/** The only message of a type among some. */
export function only<T extends RaftMessage['type']>(
  messages: readonly RaftMessage[],
  type: T
): RaftMessage & { readonly type: T } {
  const found = messages.filter(message => message.type === type)
  if (found.length !== 1) throw new TypeError(`${found.length} messages of type ${type}, not one`)
  return found[0] as RaftMessage & { readonly type: T }
}

export function terms(entries: readonly LogEntry[]): number[] {
  return entries.map(entry => entry.term)
}
