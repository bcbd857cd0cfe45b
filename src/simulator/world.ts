import { assert } from '../core/base/index.ts'
import { CID } from '../core/codec/index.ts'
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
  answerFromArchive,
  type Command,
  type Effect,
  type Input,
  type PeerMessage,
  type Pull,
  Swarm,
  type SwarmInit,
  type SwarmSettings,
  splitEarly,
  type ThreadView
} from '../core/swarm/index.ts'
import { CAPSULE, manifestDraft, needDraft } from './drafts.ts'
import { EventQueue } from './event-queue.ts'
import { Inspector } from './inspector.ts'
import type { WorldPolicy } from './policy.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'
import { type Keys, type Signatures, signaturesOf } from './signatures.ts'
import { type Origin, VirtualDoor } from './virtual-door.ts'
import { isHeldUp, type VirtualNode, virtualNode } from './virtual-node.ts'
import { overTheWire, throughTheDisk } from './wire.ts'
import type { Witness } from './witness.ts'

/** Virtual time at which every world begins, ms since 1970. */
export const START_MS = 1_800_000_000_000
/** Between ticks that a machine wants at once, and the most between others, as the driver has it; in ms. */
const TICK_MS = 50
const IDLE_TICK_MS = 1_000
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
  /** The policy engine of all nodes; without one everything is allowed. */
  readonly policy?: WorldPolicy
  /** Messages and records are really encoded and decoded, as between processes. */
  readonly encoded?: boolean
  /** Nodes that start rewrite their journal to what still counts. */
  readonly compacts?: boolean
  /** Handed how to ask for the virtual time, before anything happens. */
  readonly clock?: (nowMs: () => number) => void
  /** Sees everything that happens, from the beginning. */
  readonly witness?: Witness
}

/**
 * Several swarm machines in one virtual world: a queue of events in virtual time, a disk per node that loses unsynced
 * records at a crash, a network with seeded delay and loss. The machines, envelopes and their parsing are the real ones. One seed, one run.
 */
export class VirtualWorld {
  readonly seed: number
  readonly nodes: VirtualNode[] = []
  readonly random: SeededRandom
  readonly signatures: Signatures
  nowMs: number = START_MS
  loss: number
  /** Probability that what is sent arrives twice. */
  duplication = 0
  delayMsMax: number
  /** Messages of one link arrive in the order in which they left, as on a stream. */
  ordered = false
  /** True when a link may carry messages; replaced to make partitions. */
  linked: (from: VirtualNode, to: VirtualNode) => boolean = () => true
  gossips = true
  readonly #queue = new EventQueue()
  readonly #inspector: Inspector
  readonly #settings: Partial<SwarmSettings>
  readonly #policy: WorldPolicy | null
  readonly #isEncoded: boolean
  readonly #compacts: boolean
  readonly #witness: Witness
  readonly #makeMachine: (init: SwarmInit) => Swarm
  /** When the last message of a link arrives, for links that keep their order. */
  readonly #arrivals = new Map<string, number>()
  #commandId = 0
  #nonce = 0

  constructor(init: WorldInit) {
    this.seed = init.seed ?? 1
    this.random = seededRandom(this.seed)
    this.signatures = init.signatures ?? signaturesOf('ed25519')
    this.#policy = init.policy ?? null
    this.#isEncoded = init.encoded ?? false
    this.#compacts = init.compacts ?? false
    this.#inspector = new Inspector(this.signatures.verify, this.#policy)
    this.#settings = init.settings ?? {}
    this.#witness = init.witness ?? {}
    init.clock?.(() => this.nowMs)
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

  /** Nothing happens for so many virtual ms, as if all machines slept. */
  sleep(ms: number): void {
    this.nowMs += ms
  }

  /** What the node's clock says, ms since 1970. */
  clockOf(node: VirtualNode): number {
    const drifted = Math.trunc(((this.nowMs - node.driftsSince) * node.driftPerMille) / 1000)
    return this.nowMs + node.skewMs + drifted
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
    node.tickAt = Number.POSITIVE_INFINITY
    this.#witness.crashed?.(node, kept)
    for (const other of this.nodes) if (other !== node) this.disconnect(other, node)
  }

  restart(node: VirtualNode): void {
    node.swarm = this.#machine(node.keys)
    node.known.clear()
    node.door = new VirtualDoor()
    node.door.restore(node.seen)
    for (const record of node.disk) {
      node.swarm.restore(this.#isEncoded ? throughTheDisk(record) : record)
      if (record.type !== 'envelope') continue
      const admitted = this.#inspector.inspect(record.bytes)
      if (admitted !== null) node.door.remember(admitted)
      node.known.add(this.#inspector.idOf(record.bytes))
    }
    node.alive = true
    if (this.#compacts) {
      node.disk = [...node.swarm.snapshot()]
      node.seen = node.door.windows(this.clockOf(node))
    }
    this.#witness.restarted?.(node)
    this.#run(node, node.swarm.start(this.clockOf(node)))
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
    const evaluation = this.#policy?.evaluate({ ...(draft as Draft), sender: keys.did, lamport })
    const unsigned = unsignedEnvelope(draft, {
      sender: keys.did,
      lamport,
      nonce,
      policyCapsule: this.#policy === null ? CAPSULE : CID.parse(this.#policy.capsule),
      policyEngine: this.#policy?.engine ?? new Uint8Array(32),
      policyEvalDigest: evaluation?.digest ?? new Uint8Array(32)
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
  admit(node: VirtualNode, bytes: Uint8Array, local: boolean, origin: Origin = 'peer'): void {
    if (!node.alive) return
    const admitted = this.#inspector.inspect(bytes)
    if (admitted === null) return this.#witness.refused?.(node, bytes)
    if (node.known.has(admitted.id)) return
    if (!local && origin !== 'log' && node.malice?.ignores?.(admitted) === true) return
    const nowMs = this.clockOf(node)
    if (!node.door.admits(admitted, local ? 'local' : origin, nowMs)) return
    if (!local) this.#witness.admitted?.(node, admitted, { origin, nowMs })
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
  }

  /** As the driver's ticker: an earlier tick replaces a later one. */
  #armTick(node: VirtualNode): void {
    const wantedMs = node.swarm.nextTickMs()
    const dueMs = this.nowMs + (wantedMs === 0 ? TICK_MS : Math.min(wantedMs, IDLE_TICK_MS))
    if (node.tickAt <= dueMs) return
    node.tickAt = dueMs
    const { life } = node
    this.#queue.add(dueMs, () => {
      if (node.life !== life || node.tickAt !== dueMs) return
      node.tickAt = Number.POSITIVE_INFINITY
      this.input(node, { kind: 'tick', nowMs: this.nowMs })
    })
  }

  #step(node: VirtualNode, input: Input): void {
    const effects = node.swarm.step({ ...input, nowMs: this.clockOf(node) })
    this.#witness.stepped?.(node, input, effects)
    this.#run(node, effects)
  }

  #run(node: VirtualNode, effects: readonly Effect[]): void {
    this.#armTick(node)
    const { early, rest } = splitEarly(effects)
    node.pending.push(...early, ...rest)
    this.#drain(node)
  }

  /** Runs effects in the driver's order. A slow fsync holds up what stands after it, and the inputs that come meanwhile. */
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
        return this.#publish(node, effect.draft as Draft, effect.lamport)
      }
      case 'admit':
        return this.after(0, () => this.admit(node, effect.bytes, false, effect.origin))
      case 'gossip':
        return this.gossip(node, effect.bytes)
      case 'reply':
        node.replies.set(effect.id, effect.result)
        return
      case 'archive':
        // The archive's own write is durable before it is told: nothing in between is lost by a crash.
        return this.after(1 + this.random.below(5), () => {
          if (!node.alive) return
          node.archive.set(effect.thread, effect.archived)
          this.input(node, { kind: 'archived', nowMs: this.nowMs, thread: effect.thread })
        })
      case 'recall':
        return this.#recall(node, effect.to, effect.pull)
      case 'seek-voters':
        // Whoever is there is connected.
        return
      case 'observe':
        node.events.push(effect.event)
        if (node.agent !== null) this.after(0, () => node.alive && node.agent?.(node, effect.event))
    }
  }

  #publish(node: VirtualNode, draft: Draft, lamport: number): void {
    const { life } = node
    if (this.#policy?.allows({ ...draft, sender: node.did, lamport }) === false) {
      const refusal = { code: 'POLICY_DENIED', message: 'the stand-in policy denies it' }
      this.input(node, { kind: 'draft-refused', nowMs: this.nowMs, draft, lamport, refusal })
      return
    }
    const admitted = this.seal(node.keys, draft, lamport)
    const other = node.malice?.publish?.(draft)
    if (other !== undefined) this.#publishToo(node, this.seal(node.keys, other, lamport))
    this.after(0, () => node.life === life && this.admit(node, admitted.bytes, true))
  }

  /** The other thing that an equivocating sender says with the same clock value: half of the world hears it first. */
  #publishToo(node: VirtualNode, other: Admitted): void {
    for (const to of this.nodes)
      if (to !== node && to.index % 2 === 0)
        this.#deliver(node, to, () => this.admit(to, other.bytes, false))
  }

  #recall(node: VirtualNode, did: string, pull: Pull): void {
    const archived = node.archive.get(pull.thread)
    const to = this.nodes.find(other => other.did === did)
    if (archived === undefined || to === undefined) return
    for (const message of answerFromArchive(archived, pull)) this.send(node, to, message)
  }

  /** A direct message leaves `from`. */
  send(from: VirtualNode, to: VirtualNode, message: PeerMessage): void {
    if (from.malice?.send === undefined) return this.transmit(from, to, message)
    for (const lie of from.malice.send(to, message)) this.transmit(from, to, lie)
  }

  /** What really leaves. */
  transmit(from: VirtualNode, to: VirtualNode, message: PeerMessage): void {
    this.#witness.sent?.(from, to, message)
    const parts = this.#isEncoded ? overTheWire(message) : [message]
    for (const part of parts) this.#deliver(from, to, () => this.#receive(to, from, part))
  }

  gossip(from: VirtualNode, bytes: Uint8Array): void {
    this.#witness.gossiped?.(from, bytes)
    if (!this.gossips) return
    for (const to of this.nodes)
      if (to !== from) this.#deliver(from, to, () => this.admit(to, bytes, false))
  }

  #receive(to: VirtualNode, from: VirtualNode, message: PeerMessage): void {
    to.malice?.receive?.(from, message)
    if (message.type === 'envelopes')
      for (const bytes of message.items) this.admit(to, bytes, false)
    else this.input(to, { kind: 'message', nowMs: this.nowMs, from: from.did, message })
  }

  #deliver(from: VirtualNode, to: VirtualNode, run: () => void): void {
    if (this.random.chance(this.loss) || !this.linked(from, to)) return
    this.#arrive(from, to, run)
    if (this.duplication > 0 && this.random.chance(this.duplication)) this.#arrive(from, to, run)
  }

  #arrive(from: VirtualNode, to: VirtualNode, run: () => void): void {
    const at = this.nowMs + 1 + this.random.below(this.delayMsMax)
    const link = `${from.index} ${to.index}`
    const last = this.#arrivals.get(link) ?? 0
    const arrivesAt = this.ordered ? Math.max(at, last) : at
    if (this.ordered) this.#arrivals.set(link, arrivesAt)
    this.#queue.add(arrivesAt, () => to.alive && run())
  }
}
