import { toHex } from '../../core/base/index.ts'
import type { RaftMessage } from '../../core/raft/index.ts'
import type { PeerMessage } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import { type GroupImage, shownBy } from './disk-image.ts'
import type { Disks } from './disks.ts'
import { idOf } from './statements.ts'
import { envelopeIn } from './step-checker.ts'
import type { Findings } from './violation.ts'

/** The slot of a requester and the epoch that a group decides. */
export type Scope = { readonly slot: string; readonly epoch: number }

/**
 * Nothing leaves before what it promises is on the disk for good (R13): looked at for each message, against what a crash at this
 * very moment would leave. That effects come in the right order is not taken for granted, nor that a write asked for an fsync.
 */
export class DurabilityChecker {
  readonly #findings: Findings
  readonly #disks: Disks
  readonly #scopeOfGroup: (group: string) => Scope | undefined
  /** What nodes have said in this life, by id. */
  readonly #own = new Map<VirtualNode, Map<string, Uint8Array>>()
  readonly #scopeOfThread: (thread: string) => Scope | undefined

  constructor(
    findings: Findings,
    disks: Disks,
    scopes: {
      readonly ofGroup: (group: string) => Scope | undefined
      readonly ofThread: (thread: string) => Scope | undefined
    }
  ) {
    this.#findings = findings
    this.#disks = disks
    this.#scopeOfGroup = scopes.ofGroup
    this.#scopeOfThread = scopes.ofThread
  }

  sent(node: VirtualNode, message: PeerMessage): void {
    const image = this.#disks.durable(node)
    switch (message.type) {
      case 'raft': {
        const flaw = raftFlaw(image.group(message.group), message.message)
        if (flaw !== null) this.#report(node, flaw)
        if (message.message.type === 'append')
          for (const { data } of message.message.entries) this.#offered(node, envelopeIn(data))
        return
      }
      case 'log':
        for (const { index } of message.entries)
          if (this.#isBeingWritten(node, message.group, index))
            return this.#report(node, `the committed entry ${index}`)
        return
      case 'vote': {
        const scope = this.#scopeOfGroup(message.group)
        if (scope === undefined) return this.#report(node, 'a vote in a group without a FORM')
        const lock = image.locks.get(`${scope.slot}/${scope.epoch}/${message.stage}`)
        if (lock !== toHex(message.digest)) this.#report(node, `a ${message.stage} vote unlocked`)
        return
      }
      case 'join': {
        const scope = this.#scopeOfThread(message.thread)
        const promised = image.joins.get(`${scope?.slot}/${message.epoch}`)
        if (promised !== toHex(message.rosterHash)) this.#report(node, 'a JOIN')
        return
      }
      case 'bind':
        if (image.chosen.get(`${message.thread}/${message.epoch}`) !== message.roster.join())
          this.#report(node, 'the choice of a roster')
        return
      case 'sealed': {
        const scope = this.#scopeOfThread(message.thread)
        if (image.seals.get(`${scope?.slot}/${message.epoch}`) !== shownBy(message))
          this.#report(node, 'a SEAL')
      }
    }
  }

  /** A node takes an envelope of its own, about to be written. */
  said(node: VirtualNode, bytes: Uint8Array): void {
    const own = this.#own.get(node) ?? new Map<string, Uint8Array>()
    this.#own.set(node, own.set(idOf(bytes), bytes))
  }

  /** What a crash left is on the disk, under other objects. */
  restarted(node: VirtualNode): void {
    this.#own.delete(node)
  }

  /** Entries for nodes outside the roster may leave before a batch is synced, but not those that the batch writes: a roster of one has no other copy. */
  #isBeingWritten(node: VirtualNode, group: string, index: number): boolean {
    const waiting = node.pending.flatMap(effect =>
      effect.kind === 'persist' ? effect.records : []
    )
    return [...node.unsynced, ...waiting].some(
      record =>
        record.type === 'entries' &&
        record.group === group &&
        record.entries.some(entry => entry.index === index)
    )
  }

  /** An append may leave before its entries are on the leader's disk, but not with an own envelope that is not. */
  #offered(node: VirtualNode, bytes: Uint8Array | null): void {
    const own = bytes === null ? undefined : this.#own.get(node)?.get(idOf(bytes))
    if (own !== undefined && !this.#disks.durable(node).envelopes.has(own))
      this.#report(node, 'an entry with an envelope of its own')
  }

  /** An own envelope that goes out for the first time: after a crash its clock value must not be used again. */
  gossiped(node: VirtualNode, bytes: Uint8Array): void {
    if (!this.#disks.durable(node).envelopes.has(bytes))
      this.#report(node, 'an envelope of its own')
  }

  /** A verdict is settled before its seal can be seen, or a verifier that crashed could judge again. */
  judged(node: VirtualNode, commit: string): void {
    if (!this.#disks.durable(node).verdicts.has(commit)) this.#report(node, 'a verdict')
  }

  #report(node: VirtualNode, what: string): void {
    this.#findings.report('durability', `node ${node.index} says ${what} that is not on its disk`)
  }
}

/** What a Raft message promises that the disk does not hold, or null. An append promises its sender's term only (docs/decisions/0014). */
function raftFlaw(disk: GroupImage, message: RaftMessage): string | null {
  const { term, type } = message
  if (type === 'pre-vote' || type === 'pre-vote-reply') return null
  if (disk.term < term) return `a ${type} of term ${term}`
  const hasMovedOn = disk.term > term
  if (hasMovedOn) return null
  if (type === 'vote') return disk.vote === message.from ? null : 'a candidacy'
  if (type === 'vote-reply')
    return !message.granted || disk.vote === message.to ? null : `a vote in term ${term}`
  if (type === 'append-reply')
    return !message.success || disk.log.length >= message.matchIndex
      ? null
      : `an acknowledgement of entry ${message.matchIndex}`
  return null
}
