import { createHash } from 'node:crypto'
import { nodeSigner } from '../../src/adapters/ed25519/index.ts'
import { type Libp2pNetwork, libp2pNetwork } from '../../src/adapters/libp2p/index.ts'
import { type OpaPolicyEngine, opaPolicyEngine } from '../../src/adapters/opa/index.ts'
import { useNodeSha256 } from '../../src/adapters/sha256/index.ts'
import { systemEntropy } from '../../src/adapters/system/index.ts'
import { CID } from '../../src/core/codec/index.ts'
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
import { CAPABILITY_OF_VERB, evaluationDigest, messageInput } from '../../src/core/policy/index.ts'
import type { PeerMessage } from '../../src/core/swarm/index.ts'
import { basePath } from '../../src/policy/index.ts'
import type { Signer } from '../../src/ports/index.ts'
import { packMessages, unpackMessages } from '../../src/runtime/index.ts'
import { recordingLogger } from './recording-logger.ts'

/** Life of what it says, in ms. */
const LIFE_MS = 60_000
const POLICY_TIMEOUT_MS = 30_000
const POLL_MS = 20

/** A NEED for which nobody works, so that nothing happens by itself. */
export function idleNeed(
  peer: HostilePeer,
  change: Partial<Payload<'NEED'>> = {}
): Payload<'NEED'> {
  return {
    slot: 'idle',
    epoch: 0,
    task: 'test/nothing',
    requires: ['test/nothing'],
    produces: [],
    inputs: [],
    budget: 100n,
    verifyBounty: 10n,
    kPlan: 1,
    kResult: 1,
    windows: {
      bidMs: 500,
      leaseTtlMs: 2000,
      verifyMs: 2000,
      sealMs: 200,
      revealMs: 2000,
      challengeMs: 500
    },
    expiresAt: Date.now() + LIFE_MS,
    capsule: peer.capsule,
    taskClass: 'deterministic',
    solo: false,
    terms: null,
    ...change
  }
}

export type HostilePeerInit = {
  /** Of the swarm that it joins. */
  readonly network: string
  /** Its key comes of this. */
  readonly name: string
}

/** A key of its own for each name. */
export function hostileKey(name: string): { readonly seed: Uint8Array; readonly signer: Signer } {
  const seed = new Uint8Array(createHash('sha256').update(`hostile ${name}`).digest())
  return { seed, signer: nodeSigner(seed) }
}

/**
 * A peer with a real host and a key of its own that speaks the protocols of a node and has none of its promises: what it signs and whom it shows
 * that is the caller's choice. Its envelopes pass every door.
 */
export class HostilePeer {
  readonly signer: Signer
  readonly #network: Libp2pNetwork
  readonly #policy: OpaPolicyEngine
  readonly #heard: (from: string, message: PeerMessage) => void
  readonly #listeners = new Set<(from: string, message: PeerMessage) => void>()
  readonly #gossip = new Set<(admitted: Admitted) => void>()
  #lamport = 0

  private constructor(init: {
    readonly signer: Signer
    readonly network: Libp2pNetwork
    readonly policy: OpaPolicyEngine
  }) {
    this.signer = init.signer
    this.#network = init.network
    this.#policy = init.policy
    this.#heard = (from, message) => {
      for (const listener of this.#listeners) listener(from, message)
    }
  }

  static async start({ network: networkName, name }: HostilePeerInit): Promise<HostilePeer> {
    useNodeSha256()
    const { seed, signer } = hostileKey(name)
    const logger = recordingLogger()
    const policy = opaPolicyEngine({
      workerUrl: new URL('../../src/adapters/opa/worker.ts', import.meta.url),
      directories: [basePath()],
      timeoutMs: POLICY_TIMEOUT_MS,
      logger
    })
    const network = await libp2pNetwork({
      seed,
      did: signer.did,
      networkName,
      listen: [],
      bootstrap: [],
      mdns: false,
      logger
    })
    const peer = new HostilePeer({ signer, network, policy })
    network.onMessage((from, bytes) => peer.#unpack(from, bytes))
    network.setDoor(bytes => peer.#overhear(bytes))
    await Promise.all([policy.start(), network.start()])
    return peer
  }

  async stop(): Promise<void> {
    await this.#network.stop()
    await this.#policy.stop()
  }

  /** Connects to nodes by their addresses. */
  async join(addresses: readonly string[]): Promise<void> {
    await Promise.all(addresses.map(address => this.#network.join(address)))
    while (this.#network.peers().length < addresses.length)
      await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }

  /** DIDs of the nodes that it is connected to. */
  peers(): string[] {
    return this.#network.peers().map(({ did }) => did)
  }

  /** Every direct message of an honest node. */
  onMessage(listener: (from: string, message: PeerMessage) => void): void {
    this.#listeners.add(listener)
  }

  /** Every envelope that it gets, by gossip or directly. */
  onEnvelope(listener: (admitted: Admitted) => void): void {
    this.#gossip.add(listener)
  }

  send(to: string, message: PeerMessage): void {
    for (const bytes of packMessages([message]).packed) this.#network.send(to, bytes)
  }

  /** Shows envelopes to one node and to nobody else. */
  show(to: string, ...shown: readonly Admitted[]): void {
    this.send(to, { type: 'envelopes', items: shown.map(({ bytes }) => bytes) })
  }

  /** The base capsule, which governs what it says. */
  get capsule(): CID {
    return CID.parse(this.#policy.baseCapsule)
  }

  /** Signs what it is told to. */
  async seal<V extends Verb>(
    verb: V,
    payload: Payload<V>,
    at: Partial<Pick<Draft, 'thread' | 'epoch' | 'refs'>> = {}
  ): Promise<Admitted<V>> {
    const draft = {
      verb,
      thread: null,
      capability: CAPABILITY_OF_VERB[verb],
      epoch: null,
      fence: null,
      refs: [],
      payload,
      notAfter: Date.now() + LIFE_MS,
      traceparent: null,
      ...at
    } as unknown as Draft<V>
    this.#lamport += 1
    const { did: sender } = this.signer
    const input = messageInput({ ...draft, sender, lamport: this.#lamport })
    const capsule = this.#policy.baseCapsule
    const { engine } = this.#policy
    const decision = await this.#policy.evaluate(capsule, input)
    const unsigned = unsignedEnvelope(draft, {
      sender,
      lamport: this.#lamport,
      nonce: systemEntropy().bytes(16),
      policyCapsule: CID.parse(capsule),
      policyEngine: engine,
      policyEvalDigest: evaluationDigest({ input, decision, capsule, engine })
    })
    return sealEnvelope(unsigned, this.signer.sign(signingBytes(unsigned)))
  }

  #unpack(from: string, bytes: Uint8Array): void {
    for (const result of unpackMessages(bytes)) {
      if (!result.ok) continue
      const { message } = result.value
      if (message.type === 'envelopes') for (const item of message.items) this.#hear(item)
      this.#heard(from, message)
    }
  }

  async #overhear(bytes: Uint8Array): Promise<'accept'> {
    this.#hear(bytes)
    return 'accept'
  }

  #hear(bytes: Uint8Array): void {
    const parsed = parseEnvelope(bytes)
    if (parsed.ok) for (const listener of this.#gossip) listener(parsed.value)
  }
}
