import { equals } from '../../core/base/index.ts'
import type { HardState, LogEntry, RaftMessage } from '../../core/raft/index.ts'
import type { JournalRecord } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { DiskImage } from './disk-image.ts'
import type { Disks } from './disks.ts'
import type { Findings } from './violation.ts'

type Committed = { readonly entry: LogEntry; readonly inTerm: number }
type Leader = { readonly node: VirtualNode; readonly term: number }

type Group = {
  /** By term. */
  readonly leaders: Map<number, Leader>
  /** By `index:term`. */
  readonly entries: Map<string, { readonly data: Uint8Array; readonly previousTerm: number }>
  /** Position `i` has the entry of index `i + 1`. */
  readonly committed: Committed[]
}

/**
 * The safety properties of Raft (Figure 3 of the paper) over all nodes of a world, from what they write and send: entries and commit
 * from the disks, leadership from appends and heartbeats. Groups with a liar in them promise none of this.
 */
export class ConsensusChecker {
  readonly #findings: Findings
  readonly #disks: Disks
  readonly #groups = new Map<string, Group>()
  /** By leader, group, term and follower: the highest acknowledgement that the leader has heard. */
  readonly #matches = new Map<string, number>()
  /** How far the commit of each node in each group was seen. */
  readonly #seen = new Map<VirtualNode, Map<string, number>>()

  constructor(findings: Findings, disks: Disks) {
    this.#findings = findings
    this.#disks = disks
  }

  /** Called before the record is put into the node's image. A copy that is held already is not removed to be written again. */
  writing(node: VirtualNode, record: JournalRecord): void {
    if (record.type === 'hard-state') this.#onHardState(node, record.group, record.state)
    const first = record.type === 'entries' ? record.entries[0] : undefined
    if (record.type !== 'entries' || first === undefined) return
    const held = this.#image(node).group(record.group).log[first.index - 1]
    this.#findings.check(
      held?.term !== first.term,
      'truncation',
      () => `node ${node.index} removes entry ${first.index} of ${record.group} without a conflict`
    )
  }

  /** Called after the records have been put into the node's image. */
  written(node: VirtualNode, record: JournalRecord): void {
    if (record.type === 'entries') this.#onEntries(node, record.group, record.entries)
    if (record.type === 'hard-state') this.#onCommit(node, record.group, record.state.commit)
  }

  /** A leader hears how far a follower's log matches its own. */
  acknowledged(node: VirtualNode, group: string, reply: RaftMessage): void {
    if (reply.type !== 'append-reply' || !reply.success) return
    const key = `${node.index} ${group} ${reply.term} ${reply.from}`
    this.#matches.set(key, Math.max(this.#matches.get(key) ?? 0, reply.matchIndex))
  }

  /** A heartbeat has no consistency check, so it speaks only of what its receiver is known to hold. */
  #onHeartbeat(node: VirtualNode, group: string, message: RaftMessage): void {
    if (message.type !== 'heartbeat') return
    const match = this.#matches.get(`${node.index} ${group} ${message.term} ${message.to}`) ?? 0
    this.#findings.check(
      message.commit <= match,
      'commit rule',
      () =>
        `node ${node.index} tells ${message.to} to commit ${message.commit} where ${match} match`
    )
  }

  /** RAFT-20: a follower commits no more than the message vouches for. Called before the step's records are written. */
  followed(node: VirtualNode, group: string, message: RaftMessage, commit: number): void {
    const before = this.#image(node).group(group).commit
    if (message.type !== 'append' || commit <= before) return
    const last = message.previousIndex + message.entries.length
    this.#findings.check(
      commit <= Math.min(message.commit, last),
      'commit rule',
      () => `node ${node.index} commits ${commit} of ${group} on an append up to ${last}`
    )
  }

  /**
   * A vote on a decision may help to commit what decides it (docs/decisions/0016), and entries of earlier terms are not committed by being held (5.4.2): who
   * locks before anything more is committed does so on an entry of the leader's own term. Called before the step's records are written.
   */
  foresaw(
    node: VirtualNode,
    group: string,
    message: RaftMessage,
    records: readonly JournalRecord[]
  ): void {
    if (message.type !== 'append') return
    if (!records.some(record => record.type === 'lock' && record.stage === 'decide')) return
    const { commit } = this.#image(node).group(group)
    const own = records.filter(record => 'group' in record && record.group === group)
    if (own.some(record => record.type === 'hard-state' && record.state.commit > commit)) return
    const entries = own.flatMap(record => (record.type === 'entries' ? record.entries : []))
    this.#findings.check(
      entries.some(({ term }) => term === message.term),
      'commit rule',
      () => `node ${node.index} votes ahead of the commit in ${group} on entries of earlier terms`
    )
  }

  /** 5.4.1: a vote goes only to a log that is not behind the voter's own. Called before the step's records are written. */
  voted(
    node: VirtualNode,
    group: string,
    request: Extract<RaftMessage, { type: 'pre-vote' | 'vote' }>
  ): void {
    const last = this.#image(node).group(group).log.at(-1)
    const [term, index] = [last?.term ?? 0, last?.index ?? 0]
    const isBehind =
      request.lastTerm < term || (request.lastTerm === term && request.lastIndex < index)
    this.#findings.check(
      !isBehind,
      'leader completeness',
      () => `node ${node.index} votes for a log of ${group} that lacks its entry ${index}`
    )
  }

  sent(node: VirtualNode, group: string, message: RaftMessage): void {
    if (message.type !== 'append' && message.type !== 'heartbeat') return
    this.#onHeartbeat(node, group, message)
    const { leaders, committed } = this.#group(group)
    const known = leaders.get(message.term)
    if (known !== undefined) {
      this.#findings.check(
        known.node === node,
        'election safety',
        () => `nodes ${known.node.index} and ${node.index} lead term ${message.term} of ${group}`
      )
      return
    }
    leaders.set(message.term, { node, term: message.term })
    for (const each of committed) this.#holds(node, group, message.term, each)
  }

  /** After a restart commits come again from what the disk has. */
  restarted(node: VirtualNode): void {
    this.#seen.delete(node)
  }

  /** Terms never fall, and a vote once given stands for its term, whatever happened in between. */
  #onHardState(node: VirtualNode, id: string, next: HardState): void {
    const { term, vote } = this.#image(node).group(id)
    const stands = next.term > term || (next.term === term && (vote === null || next.vote === vote))
    this.#findings.check(
      stands,
      'one promise',
      () =>
        `node ${node.index} goes from term ${term}, vote ${vote}, to ${next.term}, ${next.vote} in ${id}`
    )
  }

  #onEntries(node: VirtualNode, id: string, entries: readonly LogEntry[]): void {
    const { entries: known } = this.#group(id)
    const { log } = this.#image(node).group(id)
    for (const entry of entries) {
      const previousTerm = entry.index === 1 ? 0 : (log[entry.index - 2]?.term ?? -1)
      const key = `${entry.index}:${entry.term}`
      const seen = known.get(key)
      if (seen === undefined) known.set(key, { data: entry.data, previousTerm })
      else
        this.#findings.check(
          seen.previousTerm === previousTerm && equals(seen.data, entry.data),
          'log matching',
          () => `node ${node.index} holds another entry or prefix at ${key} of ${id}`
        )
    }
  }

  #onCommit(node: VirtualNode, id: string, commit: number): void {
    const seen = this.#seen.get(node) ?? new Map<string, number>()
    this.#seen.set(node, seen)
    const group = this.#group(id)
    const { log, term } = this.#image(node).group(id)
    const isRise = commit > (seen.get(id) ?? 0)
    if (isRise && group.leaders.get(term)?.node === node)
      this.#findings.check(
        log[commit - 1]?.term === term,
        'commit rule',
        () =>
          `node ${node.index} leads term ${term} of ${id} and commits entry ${commit} of another`
      )
    for (let index = (seen.get(id) ?? 0) + 1; index <= commit; index++) {
      const entry = log[index - 1]
      if (entry === undefined) break
      seen.set(id, index)
      const known = group.committed[index - 1]
      if (known !== undefined) {
        this.#findings.check(
          known.entry.term === entry.term && equals(known.entry.data, entry.data),
          'state machine safety',
          () => `node ${node.index} commits another entry ${index} of ${id}`
        )
        continue
      }
      const fresh = { entry, inTerm: term }
      group.committed[index - 1] = fresh
      for (const leader of group.leaders.values()) this.#holds(leader.node, id, leader.term, fresh)
    }
  }

  /** A leader of a later term holds what was committed before it. One that has moved on to yet another term says nothing about that. */
  #holds(node: VirtualNode, id: string, term: number, committed: Committed | undefined): void {
    if (committed === undefined || committed.inTerm >= term) return
    const image = this.#image(node).group(id)
    if (image.term !== term) return
    const { entry, inTerm } = committed
    this.#findings.check(
      image.log[entry.index - 1]?.term === entry.term,
      'leader completeness',
      () =>
        `node ${node.index} leads term ${term} of ${id} without entry ${entry.index} committed in ${inTerm}`
    )
  }

  #image(node: VirtualNode): DiskImage {
    return this.#disks.written(node)
  }

  #group(id: string): Group {
    const known = this.#groups.get(id)
    if (known !== undefined) return known
    const fresh: Group = { leaders: new Map(), entries: new Map(), committed: [] }
    this.#groups.set(id, fresh)
    return fresh
  }
}
