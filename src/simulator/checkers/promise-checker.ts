import { toHex } from '../../core/base/index.ts'
import type { RaftMessage } from '../../core/raft/index.ts'
import type { PeerMessage } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { Scope } from './durability-checker.ts'
import type { Findings } from './violation.ts'

/** Messages before which nothing is on disk: after a crash the node may find itself in another group of the same members. */
const PROMISES_NOTHING: ReadonlySet<RaftMessage['type']> = new Set(['pre-vote', 'pre-vote-reply'])

type Seal = Extract<PeerMessage, { readonly type: 'sealed' }>

/**
 * What a node says only once, or never after something else, in all its lives: one vote for each term, one JOIN, one group and one
 * finality vote for each slot and epoch, and nothing any more in an epoch that it has sealed (R9, R10, R11). Reads messages alone.
 */
export class PromiseChecker {
  readonly #findings: Findings
  readonly #scopeOfGroup: (group: string) => Scope | undefined
  readonly #slotOfThread: (thread: string) => string | undefined
  /** By node and what the promise is about: what was promised. */
  readonly #said = new Map<string, string>()
  /** By node and slot: the seals that it gave. */
  readonly #seals = new Map<string, Seal[]>()

  constructor(
    findings: Findings,
    scopes: {
      readonly ofGroup: (group: string) => Scope | undefined
      readonly slotOf: (thread: string) => string | undefined
    }
  ) {
    this.#findings = findings
    this.#scopeOfGroup = scopes.ofGroup
    this.#slotOfThread = scopes.slotOf
  }

  /** Slots are free again: what was promised about them is void. */
  forget(): void {
    this.#said.clear()
    this.#seals.clear()
  }

  sent(node: VirtualNode, message: PeerMessage): void {
    switch (message.type) {
      case 'raft':
        return this.#onRaft(node, message.group, message.message)
      case 'vote':
        return this.#onVote(node, message)
      case 'join': {
        const slot = this.#slotOfThread(message.thread) ?? ''
        const { epoch, rosterHash } = message
        this.#once(node, `joins a roster of ${slot}/${epoch}`, toHex(rosterHash))
        return this.#notSealed(node, { slot, epoch }, 'joins')
      }
      case 'sealed':
        return this.#onSeal(node, message)
    }
  }

  #onRaft(node: VirtualNode, group: string, message: RaftMessage): void {
    const scope = this.#scopeOfGroup(group)
    if (scope !== undefined && !PROMISES_NOTHING.has(message.type))
      this.#once(node, `is in the group of ${scope.slot}/${scope.epoch}`, group)
    const vote = `votes in term ${message.term} of ${group}`
    const isGranted = message.type === 'vote-reply' && message.granted
    const isAcknowledged = message.type === 'append-reply' && message.success
    if (isGranted) this.#once(node, vote, message.to)
    if (message.type === 'vote') this.#once(node, vote, message.from)
    if (scope !== undefined && (isGranted || isAcknowledged))
      this.#notSealed(node, scope, isGranted ? 'gives its vote' : 'acknowledges entries')
  }

  #onVote(node: VirtualNode, message: Extract<PeerMessage, { readonly type: 'vote' }>): void {
    const scope = this.#scopeOfGroup(message.group)
    if (scope === undefined) return
    const about = `${scope.slot}/${scope.epoch}/${message.stage}`
    this.#once(node, `votes about ${about}`, toHex(message.digest))
    this.#notSealed(node, scope, `votes about a ${message.stage}`)
  }

  /** The same question gives the same answer, and shows what was voted for. */
  #onSeal(node: VirtualNode, seal: Seal): void {
    const slot = this.#slotOfThread(seal.thread) ?? ''
    const shown = seal.digest === null ? 'nothing' : toHex(seal.digest)
    this.#once(node, `seals ${slot}/${seal.epoch}`, `${toHex(seal.roster)} ${shown}`)
    const vote = this.#said.get(`${node.index} votes about ${slot}/${seal.epoch}/decide`)
    this.#findings.check(
      vote === undefined || vote === shown,
      'seal',
      () => `node ${node.index} seals ${slot}/${seal.epoch} and does not show its vote`
    )
    const key = `${node.index} ${slot}`
    this.#seals.set(key, [...(this.#seals.get(key) ?? []), seal])
  }

  #notSealed(node: VirtualNode, { slot, epoch }: Scope, what: string): void {
    const seals = this.#seals.get(`${node.index} ${slot}`) ?? []
    this.#findings.check(
      seals.every(seal => seal.epoch < epoch),
      'seal',
      () => `node ${node.index} ${what} in epoch ${epoch} of ${slot}, which it has sealed`
    )
  }

  #once(node: VirtualNode, about: string, what: string): void {
    const key = `${node.index} ${about}`
    const known = this.#said.get(key)
    if (known === undefined) this.#said.set(key, what)
    else
      this.#findings.check(
        known === what,
        'one promise',
        () => `node ${node.index} ${about} twice: ${known}, then ${what}`
      )
  }
}
