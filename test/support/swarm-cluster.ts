/**
 * Several swarm machines in one virtual world: a queue of events in virtual time, a disk per node that loses unsynced
 * records at a crash, a network with seeded delay and loss. Only the core is real; signatures are Ed25519, policy allows all.
 */
import { strict as assert } from 'node:assert'
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { cidOf } from '../../src/core/codec/index.ts'
import {
  type Admitted,
  type Draft,
  type Payload,
  parseEnvelope,
  sealEnvelope,
  signingBytes,
  unsignedEnvelope,
  type Verb
} from '../../src/core/envelope/index.ts'
import { formatDid, parseDid, toPkcs8, toSpki } from '../../src/core/identity/index.ts'
import { CAPABILITY_OF_VERB } from '../../src/core/policy/index.ts'
import {
  type Command,
  type Effect,
  type Input,
  type JournalRecord,
  type PeerMessage,
  Swarm,
  type SwarmEvent,
  type ThreadView
} from '../../src/core/swarm/index.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

export const CAPSULE = cidOf(new TextEncoder().encode('test capsule'))
export const INPUT = cidOf(new TextEncoder().encode('input'), 0x55)
export const OUTPUT = cidOf(new TextEncoder().encode('output'), 0x55)
const START_MS = 1_800_000_000_000
const TICK_MS = 50

type Keys = { readonly did: string; readonly sign: (bytes: Uint8Array) => Uint8Array }

export function testKeys(index: number): Keys {
  const seed = new Uint8Array(32).fill(index + 1)
  const key = createPrivateKey({ key: Buffer.from(toPkcs8(seed)), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return {
    did: formatDid(new Uint8Array(publicKey)),
    sign: bytes => new Uint8Array(sign(null, bytes, key))
  }
}

const publicKeys = new Map<string, ReturnType<typeof createPublicKey>>()

export function testVerify(did: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  let key = publicKeys.get(did)
  if (key === undefined) {
    const parsed = parseDid(did)
    if (!parsed.ok) return false
    key = createPublicKey({ key: Buffer.from(toSpki(parsed.value)), format: 'der', type: 'spki' })
    publicKeys.set(did, key)
  }
  return verify(null, bytes, key, signature)
}

export type ClusterNode = {
  readonly index: number
  readonly did: string
  readonly keys: Keys
  swarm: Swarm
  alive: boolean
  /** How far this node's clock is ahead, in ms. */
  skewMs: number
  /** What survives a crash, and what was written but not synced. */
  disk: JournalRecord[]
  unsynced: JournalRecord[]
  readonly known: Set<string>
  readonly replies: Map<number, unknown>
  readonly events: SwarmEvent[]
  /** Reacts to events as an agent would; runs after the step. */
  agent: ((node: ClusterNode, event: SwarmEvent) => void) | null
}

export type ClusterInit = {
  readonly nodes: number
  readonly seed?: number
  /** Probability that a direct message or a gossip delivery is lost. */
  readonly loss?: number
  readonly delayMsMax?: number
}

type Event = { readonly at: number; readonly order: number; readonly run: () => void }

export class SwarmCluster {
  readonly nodes: ClusterNode[] = []
  readonly random: SeededRandom
  nowMs = START_MS
  loss: number
  /** True when a link may carry messages; replaced to make partitions. */
  linked: (from: ClusterNode, to: ClusterNode) => boolean = () => true
  gossips = true
  readonly #delayMsMax: number
  #queue: Event[] = []
  #order = 0
  #commandId = 0
  #nonce = 0

  constructor(init: ClusterInit) {
    this.random = seededRandom(init.seed ?? 1)
    this.loss = init.loss ?? 0
    this.#delayMsMax = init.delayMsMax ?? 5
    for (let index = 0; index < init.nodes; index++) {
      const keys = testKeys(index)
      this.nodes.push({
        index,
        did: keys.did,
        keys,
        swarm: this.#machine(keys),
        alive: true,
        skewMs: 0,
        disk: [],
        unsynced: [],
        known: new Set(),
        replies: new Map(),
        events: [],
        agent: null
      })
    }
    for (const node of this.nodes) this.#boot(node)
    for (const node of this.nodes) this.command(node, { type: 'announce', draft: this.manifest() })
    this.run(200)
    for (const a of this.nodes)
      for (const b of this.nodes)
        if (a !== b) this.input(a, { kind: 'peer', nowMs: this.nowMs, did: b.did, connected: true })
    this.run(200)
  }

  /** Runs for so many virtual ms. */
  run(ms: number): void {
    this.runUntil(() => false, ms)
  }

  /** Runs until the condition holds; true when it did within the bound. */
  runUntil(condition: () => boolean, msMax: number): boolean {
    const end = this.nowMs + msMax
    while (!condition()) {
      const next = this.#queue.shift()
      if (next === undefined || next.at > end) {
        if (next !== undefined) this.#queue.unshift(next)
        this.nowMs = end
        return condition()
      }
      this.nowMs = Math.max(this.nowMs, next.at)
      next.run()
    }
    return true
  }

  command(node: ClusterNode, command: Command): number {
    this.#commandId += 1
    this.input(node, { kind: 'command', nowMs: this.nowMs, id: this.#commandId, command })
    return this.#commandId
  }

  input(node: ClusterNode, input: Input): void {
    if (node.alive) this.#run(node, node.swarm.step({ ...input, nowMs: input.nowMs + node.skewMs }))
  }

  crash(node: ClusterNode): void {
    node.alive = false
    node.unsynced = []
    for (const other of this.nodes)
      if (other !== node)
        this.input(other, { kind: 'peer', nowMs: this.nowMs, did: node.did, connected: false })
  }

  restart(node: ClusterNode): void {
    node.swarm = this.#machine(node.keys)
    node.known.clear()
    for (const record of node.disk) {
      node.swarm.restore(record)
      if (record.type === 'envelope') node.known.add(cidOf(record.bytes).toString())
    }
    node.alive = true
    this.#run(node, node.swarm.start(this.nowMs + node.skewMs))
    this.#tickLater(node, node.swarm)
    for (const other of this.nodes) {
      if (other === node || !other.alive) continue
      this.input(node, { kind: 'peer', nowMs: this.nowMs, did: other.did, connected: true })
      this.input(other, { kind: 'peer', nowMs: this.nowMs, did: node.did, connected: true })
    }
  }

  view(node: ClusterNode, thread: string): ThreadView {
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
    const payload: Payload<'MANIFEST'> = {
      capabilities: ['text/upper'],
      roles: ['voter', 'worker', 'verifier'],
      tags: [],
      zone: '',
      org: '',
      price: 1n,
      stake: 0n,
      agent: 'test'
    }
    return draft(this.nowMs, 'MANIFEST', null, payload)
  }

  need(overrides: Partial<Payload<'NEED'>> = {}): Draft<'NEED'> {
    const payload: Payload<'NEED'> = {
      slot: 'slot-1',
      epoch: 0,
      task: 'text/upper',
      requires: ['text/upper'],
      produces: [],
      inputs: [INPUT],
      budget: 100n,
      verifyBounty: 10n,
      kPlan: 1,
      kResult: 1,
      windows: {
        bidMs: 300,
        leaseTtlMs: 1_000,
        verifyMs: 2_000,
        sealMs: 100,
        revealMs: 1_000,
        challengeMs: 500
      },
      expiresAt: this.nowMs + 20_000,
      capsule: CAPSULE,
      taskClass: 'deterministic',
      solo: false,
      ...overrides
    }
    return draft(this.nowMs, 'NEED', null, payload)
  }

  #machine(keys: Keys): Swarm {
    return new Swarm({
      did: keys.did,
      sign: keys.sign,
      verify: testVerify,
      random: below => this.random.below(below)
    })
  }

  #boot(node: ClusterNode): void {
    this.#run(node, node.swarm.start(this.nowMs))
    this.#tickLater(node, node.swarm)
  }

  #tickLater(node: ClusterNode, swarm: Swarm): void {
    this.#at(TICK_MS, () => {
      if (!node.alive || node.swarm !== swarm) return
      this.input(node, { kind: 'tick', nowMs: this.nowMs })
      this.#tickLater(node, swarm)
    })
  }

  #run(node: ClusterNode, effects: readonly Effect[]): void {
    for (const effect of effects) this.#effect(node, effect)
  }

  #effect(node: ClusterNode, effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        node.unsynced.push(...effect.records)
        if (effect.sync) node.disk.push(...node.unsynced.splice(0))
        return
      case 'send': {
        const to = this.nodes.find(other => other.did === effect.to)
        if (to !== undefined) this.#deliver(node, to, () => this.#message(to, node, effect.message))
        return
      }
      case 'publish': {
        const admitted = this.seal(node.keys, effect.draft as Draft, effect.lamport)
        const swarm = node.swarm
        return this.#at(0, () => node.swarm === swarm && this.#admit(node, admitted.bytes, true))
      }
      case 'admit':
        return this.#at(0, () => this.#admit(node, effect.bytes, false))
      case 'gossip':
        if (this.gossips)
          for (const to of this.nodes)
            if (to !== node) this.#deliver(node, to, () => this.#admit(to, effect.bytes, false))
        return
      case 'reply':
        node.replies.set(effect.id, effect.result)
        return
      case 'observe':
        node.events.push(effect.event)
        if (node.agent !== null) this.#at(0, () => node.alive && node.agent?.(node, effect.event))
    }
  }

  #message(to: ClusterNode, from: ClusterNode, message: PeerMessage): void {
    if (message.type === 'envelopes')
      for (const bytes of message.items) this.#admit(to, bytes, false)
    else this.input(to, { kind: 'message', nowMs: this.nowMs, from: from.did, message })
  }

  #admit(node: ClusterNode, bytes: Uint8Array, local: boolean): void {
    if (!node.alive) return
    const parsed = parseEnvelope(bytes)
    assert(
      parsed.ok,
      `a machine's own envelopes are well-formed: ${parsed.ok ? '' : parsed.refusal.message}`
    )
    const admitted = parsed.value
    if (node.known.has(admitted.id)) return
    assert(
      testVerify(admitted.envelope.sender, signingBytes(admitted.envelope), admitted.envelope.sig),
      'signed'
    )
    this.input(node, { kind: 'envelope', nowMs: this.nowMs, admitted, local })
    const kept = [...node.disk, ...node.unsynced].some(
      record => record.type === 'envelope' && record.bytes === admitted.bytes
    )
    if (kept) node.known.add(admitted.id)
  }

  #deliver(from: ClusterNode, to: ClusterNode, run: () => void): void {
    if (this.random.chance(this.loss) || !this.linked(from, to)) return
    this.#at(1 + this.random.below(this.#delayMsMax), () => to.alive && run())
  }

  #at(delayMs: number, run: () => void): void {
    this.#order += 1
    const event = { at: this.nowMs + delayMs, order: this.#order, run }
    let low = 0
    let high = this.#queue.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#queue[middle] as Event
      if (other.at < event.at || (other.at === event.at && other.order < event.order))
        low = middle + 1
      else high = middle
    }
    this.#queue.splice(low, 0, event)
  }
}

function draft<V extends Verb>(
  nowMs: number,
  verb: V,
  thread: Admitted['cid'] | null,
  payload: Payload<V>
): Draft<V> {
  return {
    verb,
    thread,
    capability: CAPABILITY_OF_VERB[verb],
    epoch: null,
    fence: null,
    refs: [],
    payload,
    notAfter: nowMs + 3_600_000,
    traceparent: null
  } as Draft as Draft<V>
}

export { draft as testDraft }
