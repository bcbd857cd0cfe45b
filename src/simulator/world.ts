import { assert } from '../core/base/index.ts'
import {
  type Admitted,
  type Draft,
  type Payload,
  sealEnvelope,
  signingBytes,
  unsignedEnvelope,
  type Verb
} from '../core/envelope/index.ts'
import {
  type Command,
  type Effect,
  type Input,
  type PeerMessage,
  Swarm,
  type SwarmInit,
  type SwarmSettings,
  type ThreadView
} from '../core/swarm/index.ts'
import { CAPSULE, manifestDraft, needDraft } from './drafts.ts'
import { EventQueue } from './event-queue.ts'
import { Inspector } from './inspector.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'
import { type Keys, type Signatures, signaturesOf } from './signatures.ts'
import { isHeldUp, type VirtualNode, virtualNode } from './virtual-node.ts'
import type { Witness } from './witness.ts'

/** Virtual time at which every world begins, ms since 1970. */
export const START_MS = 1_800_000_000_000
const TICK_MS = 50
/** What agents take to react, and peers to be told of each other, in ms. */
const SETTLE_MS = 200

export type WorldInit = {
  readonly nodes: number
  readonly seed?: number
  /** Probability that a direct message or a gossip delivery is lost. */
  readonly loss?: number
  readonly delayMsMax?: number
  readonly signatures?: Signatures
  readonly settings?: Partial<SwarmSettings>
  /** Makes the machine of a node; a plain one when absent. */
  readonly machine?: (init: SwarmInit) => Swarm
  /** Sees everything that happens, from the beginning. */
  readonly witness?: Witness
}

/**
 * Several swarm machines in one virtual world: a queue of events in virtual time, a disk per node that loses unsynced
 * records at a crash, a network with seeded delay and loss. The machines, envelopes and their parsing are the real ones. One seed, one run.
 */
export class VirtualWorld {
  readonly nodes: VirtualNode[] = []
  readonly random: SeededRandom
  readonly signatures: Signatures
  nowMs: number = START_MS
  loss: number
  /** Probability that what is sent arrives twice. */
  duplication = 0
  delayMsMax: number
  /** True when a link may carry messages; replaced to make partitions. */
  linked: (from: VirtualNode, to: VirtualNode) => boolean = () => true
  gossips = true
  readonly #queue = new EventQueue()
  readonly #inspector: Inspector
  readonly #settings: Partial<SwarmSettings>
  readonly #witness: Witness
  readonly #makeMachine: (init: SwarmInit) => Swarm
  #commandId = 0
  #nonce = 0

  constructor(init: WorldInit) {
    this.random = seededRandom(init.seed ?? 1)
    this.signatures = init.signatures ?? signaturesOf('ed25519')
    this.#inspector = new Inspector(this.signatures.verify)
    this.#settings = init.settings ?? {}
    this.#witness = init.witness ?? {}
    this.#makeMachine = init.machine ?? (machine => new Swarm(machine))
    this.loss = init.loss ?? 0
    this.delayMsMax = init.delayMsMax ?? 5
    for (let index = 0; index < init.nodes; index++) {
      const keys = this.signatures.keys(index)
      this.nodes.push(virtualNode(index, keys, this.#machine(keys)))
    }
    for (const node of this.nodes) this.#boot(node)
    for (const node of this.nodes) this.command(node, { type: 'announce', draft: this.manifest() })
    this.run(SETTLE_MS)
    for (const a of this.nodes) for (const b of this.nodes) if (a !== b) this.connect(a, b)
    this.run(SETTLE_MS)
  }

  /** Runs for so many virtual ms. */
  run(ms: number): void {
    this.runUntil(() => false, ms)
  }

  /** Runs until the condition holds; true when it did within the bound. */
  runUntil(condition: () => boolean, msMax: number): boolean {
    const end = this.nowMs + msMax
    while (!condition()) {
      if (this.#queue.nextAt > end) {
        this.nowMs = end
        return condition()
      }
      this.nowMs = Math.max(this.nowMs, this.#queue.nextAt)
      this.#queue.take()?.()
    }
    return true
  }

  /** Something that happens after so many virtual ms. */
  after(delayMs: number, run: () => void): void {
    this.#queue.add(this.nowMs + delayMs, run)
  }

  command(node: VirtualNode, command: Command): number {
    this.#commandId += 1
    this.input(node, { kind: 'command', nowMs: this.nowMs, id: this.#commandId, command })
    return this.#commandId
  }

  /** Hands an input to the machine, or keeps it until the node can take it. Its time is set when it is taken. */
  input(node: VirtualNode, input: Input): void {
    if (!node.alive) return
    if (isHeldUp(node)) node.inbox.push(input)
    else this.#step(node, input)
  }

  /** `a` notices that `b` is there. */
  connect(a: VirtualNode, b: VirtualNode): void {
    this.input(a, { kind: 'peer', nowMs: this.nowMs, did: b.did, connected: true })
  }

  disconnect(a: VirtualNode, b: VirtualNode): void {
    this.input(a, { kind: 'peer', nowMs: this.nowMs, did: b.did, connected: false })
  }

  /** Ends the process. Of what was not synced the first `kept` records reached the disk all the same. */
  crash(node: VirtualNode, kept = 0): void {
    node.alive = false
    node.life += 1
    node.disk.push(...node.unsynced.slice(0, kept))
    node.unsynced = []
    node.pending.length = 0
    node.inbox.length = 0
    node.paused = false
    node.syncing = false
    this.#witness.crashed?.(node)
    for (const other of this.nodes) if (other !== node) this.disconnect(other, node)
  }

  restart(node: VirtualNode): void {
    node.swarm = this.#machine(node.keys)
    node.known.clear()
    for (const record of node.disk) {
      node.swarm.restore(record)
      if (record.type === 'envelope') node.known.add(this.#inspector.idOf(record.bytes))
    }
    node.alive = true
    this.#witness.restarted?.(node)
    this.#run(node, node.swarm.start(this.nowMs + node.skewMs))
    this.#tickLater(node)
    for (const other of this.nodes) {
      if (other === node || !other.alive) continue
      this.connect(node, other)
      this.connect(other, node)
    }
  }

  pause(node: VirtualNode): void {
    if (node.alive) node.paused = true
  }

  resume(node: VirtualNode): void {
    node.paused = false
    if (node.alive) this.#drain(node)
  }

  view(node: VirtualNode, thread: string): ThreadView {
    const view = node.swarm.view(thread)
    assert(view !== undefined, 'the node follows the thread')
    return view
  }

  /** An envelope of any sender, signed, as it would come over the wire. */
  seal<V extends Verb>(keys: Keys, draft: Draft<V>, lamport: number): Admitted<V> {
    this.#nonce += 1
    const nonce = new Uint8Array(16)
    new DataView(nonce.buffer).setUint32(0, this.#nonce)
    const unsigned = unsignedEnvelope(draft, {
      sender: keys.did,
      lamport,
      nonce,
      policyCapsule: CAPSULE,
      policyEngine: new Uint8Array(32),
      policyEvalDigest: new Uint8Array(32)
    })
    return sealEnvelope(unsigned, keys.sign(signingBytes(unsigned)))
  }

  manifest(): Draft<'MANIFEST'> {
    return manifestDraft(this.nowMs)
  }

  need(overrides: Partial<Payload<'NEED'>> = {}): Draft<'NEED'> {
    return needDraft(this.nowMs, overrides)
  }

  /** Bytes that came over the wire or out of an entry: through the door, and into the machine. */
  admit(node: VirtualNode, bytes: Uint8Array, local: boolean): void {
    if (!node.alive) return
    const admitted = this.#inspector.inspect(bytes)
    if (admitted === null) return this.#witness.refused?.(node, bytes)
    if (node.known.has(admitted.id)) return
    this.input(node, { kind: 'envelope', nowMs: this.nowMs, admitted, local })
  }

  #machine(keys: Keys): Swarm {
    return this.#makeMachine({
      did: keys.did,
      sign: keys.sign,
      verify: this.signatures.verify,
      random: below => this.random.below(below),
      settings: this.#settings
    })
  }

  #boot(node: VirtualNode): void {
    this.#run(node, node.swarm.start(this.nowMs))
    this.#tickLater(node)
  }

  #tickLater(node: VirtualNode): void {
    const { life } = node
    this.after(TICK_MS, () => {
      if (!node.alive || node.life !== life) return
      // A driver arms one tick at a time: none comes while one waits.
      if (!isHeldUp(node)) this.input(node, { kind: 'tick', nowMs: this.nowMs })
      this.#tickLater(node)
    })
  }

  #step(node: VirtualNode, input: Input): void {
    const effects = node.swarm.step({ ...input, nowMs: this.nowMs + node.skewMs })
    this.#witness.stepped?.(node, input, effects)
    this.#run(node, effects)
  }

  #run(node: VirtualNode, effects: readonly Effect[]): void {
    node.pending.push(...effects)
    this.#drain(node)
  }

  /** Runs effects in their order. A slow fsync holds up what stands after it, and the inputs that come meanwhile. */
  #drain(node: VirtualNode): void {
    while (!node.paused && !node.syncing && node.alive) {
      const effect = node.pending[0]
      if (effect === undefined) {
        const input = node.inbox.shift()
        if (input === undefined) return
        this.#step(node, input)
        return
      }
      if (effect.kind === 'persist' && effect.sync && node.fsyncMs > 0) return this.#sync(node)
      node.pending.shift()
      this.#effect(node, effect)
    }
  }

  #sync(node: VirtualNode): void {
    const { life } = node
    const effect = node.pending.shift()
    assert(effect?.kind === 'persist', 'an fsync is asked for by a persist effect')
    this.#write(node, effect)
    node.syncing = true
    this.after(node.fsyncMs, () => {
      if (node.life !== life) return
      node.syncing = false
      this.#flush(node)
      this.#drain(node)
    })
  }

  #write(node: VirtualNode, effect: Extract<Effect, { kind: 'persist' }>): void {
    node.unsynced.push(...effect.records)
    for (const record of effect.records)
      if (record.type === 'envelope') node.known.add(this.#inspector.idOf(record.bytes))
    this.#witness.written?.(node, effect.records)
  }

  #flush(node: VirtualNode): void {
    node.disk.push(...node.unsynced.splice(0))
    this.#witness.synced?.(node)
  }

  #effect(node: VirtualNode, effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        this.#write(node, effect)
        if (effect.sync) this.#flush(node)
        return
      case 'send': {
        const to = this.nodes.find(other => other.did === effect.to)
        if (to !== undefined) this.send(node, to, effect.message)
        return
      }
      case 'publish': {
        const { life } = node
        const admitted = this.seal(node.keys, effect.draft as Draft, effect.lamport)
        return this.after(0, () => node.life === life && this.admit(node, admitted.bytes, true))
      }
      case 'admit':
        return this.after(0, () => this.admit(node, effect.bytes, false))
      case 'gossip':
        return this.gossip(node, effect.bytes)
      case 'reply':
        node.replies.set(effect.id, effect.result)
        return
      case 'observe':
        node.events.push(effect.event)
        if (node.agent !== null) this.after(0, () => node.alive && node.agent?.(node, effect.event))
    }
  }

  /** A direct message leaves `from`. */
  send(from: VirtualNode, to: VirtualNode, message: PeerMessage): void {
    this.#witness.sent?.(from, to, message)
    this.#deliver(from, to, () => this.#receive(to, from, message))
  }

  gossip(from: VirtualNode, bytes: Uint8Array): void {
    this.#witness.gossiped?.(from, bytes)
    if (!this.gossips) return
    for (const to of this.nodes)
      if (to !== from) this.#deliver(from, to, () => this.admit(to, bytes, false))
  }

  #receive(to: VirtualNode, from: VirtualNode, message: PeerMessage): void {
    if (message.type === 'envelopes')
      for (const bytes of message.items) this.admit(to, bytes, false)
    else this.input(to, { kind: 'message', nowMs: this.nowMs, from: from.did, message })
  }

  #deliver(from: VirtualNode, to: VirtualNode, run: () => void): void {
    if (this.random.chance(this.loss) || !this.linked(from, to)) return
    this.#arrive(to, run)
    if (this.duplication > 0 && this.random.chance(this.duplication)) this.#arrive(to, run)
  }

  #arrive(to: VirtualNode, run: () => void): void {
    this.after(1 + this.random.below(this.delayMsMax), () => to.alive && run())
  }
}
