import type { Admitted } from '../../core/envelope/index.ts'
import type { Verify } from '../../core/roster/index.ts'
import type { Effect, Input, JournalRecord, PeerMessage } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { Arrival, Witness } from '../witness.ts'
import { ChallengeChecker } from './challenge-checker.ts'
import { ConsensusChecker } from './consensus-checker.ts'
import { CopiesChecker } from './copies-checker.ts'
import { DecisionObserver } from './decision-observer.ts'
import { Disks } from './disks.ts'
import { DoorChecker } from './door-checker.ts'
import { DurabilityChecker } from './durability-checker.ts'
import { PromiseChecker } from './promise-checker.ts'
import { SealChecker } from './seal-checker.ts'
import { idOf, type Statement, statementOf } from './statements.ts'
import { StepChecker } from './step-checker.ts'
import type { Findings } from './violation.ts'
import { VoidChecker } from './void-checker.ts'

export type WatchInit = {
  readonly findings: Findings
  readonly verify: Verify
  /** True for a node whose words are worth nothing. */
  readonly isLiar: (did: string) => boolean
  /** False where a member lies to its group: Raft tolerates crashes only, and certificates are what remains. */
  readonly isRaftSafe: boolean
  /** Whether only lies disturb: links, disks and clocks are as they should be. */
  readonly isSteady: boolean
  readonly clockOf: (node: VirtualNode) => number
}

/** All checkers that are always on, fed by what happens in a world. */
export class Watch implements Witness {
  readonly decisions: DecisionObserver
  readonly #init: WatchInit
  readonly #disks = new Disks()
  readonly #consensus: ConsensusChecker
  readonly #durability: DurabilityChecker
  readonly #promises: PromiseChecker
  readonly #steps: StepChecker
  readonly #seals: SealChecker
  readonly #door: DoorChecker
  readonly #copies: CopiesChecker
  readonly #voids: VoidChecker
  readonly #challenges: ChallengeChecker

  constructor(init: WatchInit) {
    this.#init = init
    const { findings, verify, isLiar } = init
    this.decisions = new DecisionObserver(findings, verify, isLiar)
    this.#consensus = new ConsensusChecker(findings, this.#disks)
    this.#durability = new DurabilityChecker(findings, this.#disks, {
      ofGroup: group => this.decisions.scopeOfGroup(group),
      ofThread: thread => this.decisions.scopeOfThread(thread)
    })
    this.#promises = new PromiseChecker(findings, {
      ofGroup: group => this.decisions.scopeOfGroup(group),
      slotOf: thread => this.decisions.scopeOfThread(thread)?.slot
    })
    this.#steps = new StepChecker(findings, {
      clockOf: init.clockOf,
      precisionOf: group => this.decisions.precisionOf(group)
    })
    this.#seals = new SealChecker(findings, {
      slotOf: thread => this.decisions.scopeOfThread(thread),
      clockOf: init.clockOf
    })
    this.#door = new DoorChecker(findings)
    this.#challenges = new ChallengeChecker(findings, this.#disks, init)
    this.#copies = new CopiesChecker(findings, thread => this.decisions.needs.get(thread)?.sender)
    const needOf = (thread: string): Statement | undefined => this.decisions.needs.get(thread)
    this.#voids = new VoidChecker({ findings, verify, isLiar, needOf })
  }

  /** A day has passed: tombstones are gone, and slots are free again (R12). */
  nextDay(): void {
    this.decisions.certified.clear()
    this.#promises.forget()
    this.#copies.forget()
    this.#voids.forget()
  }

  /** Everything has ended, and nothing is forgotten yet. */
  finish(nodes: readonly VirtualNode[]): void {
    this.#voids.finish(nodes)
  }

  stepped(node: VirtualNode, input: Input, effects: readonly Effect[]): void {
    if (this.#init.isLiar(node.did)) return
    this.#steps.stepped(node, input, effects)
    this.#seals.stepped(node, input)
    this.#voids.stepped(node, input)
    this.#onEvidence(node, effects)
    if (this.#init.isRaftSafe) this.#onRaft(node, input, effects)
    if (input.kind === 'envelope') this.#onNames(node, input, effects)
    if (input.kind === 'envelope' && input.local) this.#durability.said(node, input.admitted.bytes)
  }

  #onRaft(node: VirtualNode, input: Input, effects: readonly Effect[]): void {
    if (input.kind !== 'message' || input.message.type !== 'raft') return
    const { group, message } = input.message
    this.#consensus.acknowledged(node, group, message)
    const records = effects.flatMap(effect => (effect.kind === 'persist' ? effect.records : []))
    this.#consensus.foresaw(node, group, message, records)
    for (const record of records)
      if (record.type === 'hard-state' && record.group === group)
        this.#consensus.followed(node, group, message, record.state.commit)
    for (const effect of effects) {
      if (message.type !== 'vote') continue
      if (effect.kind !== 'send' || effect.message.type !== 'raft') continue
      const { message: reply } = effect.message
      if (reply.type === 'vote-reply' && reply.granted) this.#consensus.voted(node, group, message)
    }
  }

  /** Proof convicts liars only. */
  #onEvidence(node: VirtualNode, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'observe' || effect.event.type !== 'evidence') continue
      const { offence, convicted } = effect.event
      this.#init.findings.check(
        convicted.every(did => this.#init.isLiar(did)),
        'evidence',
        () =>
          `node ${node.index} convicts ${convicted.join()} of ${offence}, and not all of them lie`
      )
    }
  }

  /** What an envelope is called is the hash of all its bytes (R2). */
  #onNames(
    node: VirtualNode,
    input: Extract<Input, { kind: 'envelope' }>,
    effects: readonly Effect[]
  ): void {
    for (const effect of effects) {
      if (effect.kind !== 'observe' || effect.event.type !== 'envelope') continue
      if (effect.event.id !== input.admitted.id) continue
      const id = idOf(input.admitted.bytes)
      this.#init.findings.check(
        id === effect.event.id,
        'identity',
        () => `node ${node.index} calls ${id} ${input.admitted.id}`
      )
    }
  }

  written(node: VirtualNode, records: readonly JournalRecord[]): void {
    if (this.#init.isLiar(node.did)) return
    if (this.#init.isRaftSafe) for (const record of records) this.#consensus.writing(node, record)
    this.#disks.write(node, records)
    for (const record of records) {
      if (record.type === 'envelope') {
        this.decisions.kept(node, record.bytes)
        this.#copies.kept(node, statementOf(record.bytes))
        if (this.#init.isSteady) this.#challenges.kept(node, statementOf(record.bytes))
      }
      if (this.#init.isRaftSafe) this.#consensus.written(node, record)
      this.#seals.written(node, record)
    }
    this.#voids.written(node, records)
  }

  admitted(node: VirtualNode, admitted: Admitted, at: Arrival): void {
    if (!this.#init.isLiar(node.did)) this.#door.admitted(node, admitted, at)
  }

  synced(node: VirtualNode): void {
    if (this.#init.isLiar(node.did)) return
    this.#disks.sync(node)
    this.#voids.synced(node)
  }

  sent(from: VirtualNode, _to: VirtualNode, message: PeerMessage): void {
    if (this.#init.isLiar(from.did)) return
    this.#durability.sent(from, message)
    this.#promises.sent(from, message)
    if (message.type === 'raft' && this.#init.isRaftSafe)
      this.#consensus.sent(from, message.group, message.message)
  }

  gossiped(from: VirtualNode, bytes: Uint8Array): void {
    if (this.#init.isLiar(from.did)) return
    const statement = statementOf(bytes)
    if (statement.sender !== from.did) return
    this.#durability.gossiped(from, bytes)
    const { verb, payload } = statement
    if ((verb === 'ATTEST' || verb === 'REJECT') && payload.commit !== null)
      this.#durability.judged(from, String(payload.commit))
  }

  restarted(node: VirtualNode): void {
    this.#disks.reread(node)
    this.#consensus.restarted(node)
    this.#durability.restarted(node)
    this.#voids.restarted(node)
  }
}
