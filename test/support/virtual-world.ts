// Fakes of the ports for tests of the runtime: a clock that is moved by hand, a network that records, keys that sign.
import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CID } from '../../src/core/codec/index.ts'
import {
  type Admitted,
  type Draft,
  sealEnvelope,
  signingBytes,
  unsignedEnvelope
} from '../../src/core/envelope/index.ts'
import { didFromPublicKey, parseDid, toSpki } from '../../src/core/identity/index.ts'
import {
  evaluationDigest,
  messageInput,
  type PolicyDecision,
  type PolicyInput
} from '../../src/core/policy/index.ts'
import type {
  Clock,
  Door,
  Entropy,
  Logger,
  Network,
  PeerInfo,
  PolicyEngine,
  Signer,
  VerifySignature
} from '../../src/ports/index.ts'

export const silent: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

/** 2026-01-01: any fixed moment. */
const EPOCH_MS = 1_767_225_600_000

export class ManualClock implements Clock {
  #nowMs = EPOCH_MS
  #timers: { readonly at: number; readonly callback: () => void }[] = []

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#nowMs + ms, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }

  get timers(): number {
    return this.#timers.length
  }

  /** Moves time and calls what is due. */
  advance(ms: number): void {
    this.#nowMs += ms
    const due = this.#timers.filter(timer => timer.at <= this.#nowMs)
    this.#timers = this.#timers.filter(timer => timer.at > this.#nowMs)
    for (const timer of due) timer.callback()
  }
}

export class RecordingNetwork implements Network {
  readonly did = 'did:key:none'
  readonly peerId = 'none'
  readonly sent: { readonly to: string; readonly bytes: Uint8Array }[] = []
  readonly gossiped: Uint8Array[] = []
  door: Door = async () => 'ignore'
  message: (from: string, bytes: Uint8Array) => void = () => {}
  peer: (did: string, connected: boolean) => void = () => {}
  isGossipFailing = false
  /** Called before each send or gossip is recorded. */
  onOut: () => void = () => {}

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  addresses(): readonly string[] {
    return []
  }
  peers(): readonly PeerInfo[] {
    return []
  }
  async join(): Promise<void> {}
  async ping(): Promise<number> {
    return 0
  }
  announceVoter(): void {}
  voterLookups = 0
  seekVoters(): void {
    this.voterLookups++
  }
  onPeer(listener: (did: string, connected: boolean) => void): void {
    this.peer = listener
  }
  setDoor(door: Door): void {
    this.door = door
  }
  async gossip(bytes: Uint8Array): Promise<void> {
    this.onOut()
    if (this.isGossipFailing) throw new Error('no peers on the topic')
    this.gossiped.push(bytes)
  }
  send(to: string, bytes: Uint8Array): void {
    this.onOut()
    this.sent.push({ to, bytes })
  }
  onMessage(listener: (from: string, bytes: Uint8Array) => void): void {
    this.message = listener
  }
  stats() {
    return {
      connections: 0,
      topicSubscribers: 0,
      meshPeers: 0,
      dhtPeers: 0,
      sendQueue: 0,
      dropped: 0
    }
  }
}

const ALLOW: PolicyDecision = { allow: true, reasons: [], gas: 0 }
export const CAPSULE = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

/** Answers what the test says; counts and can hold back evaluations. */
export class ScriptedPolicy implements PolicyEngine {
  readonly engine = new Uint8Array(32).fill(5)
  readonly baseCapsule = CAPSULE
  evaluations = 0
  underWay = 0
  mostUnderWay = 0
  gate: Promise<void> | null = null
  answer: (input: PolicyInput, capsule: string) => PolicyDecision = () => ALLOW

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  async evaluate(capsule: string, input: PolicyInput): Promise<PolicyDecision> {
    this.evaluations++
    this.underWay++
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay)
    await this.gate
    this.underWay--
    return this.answer(input, capsule)
  }
}

/** A key of its own for each name, the same in every run is not needed: nothing depends on its value. */
export function testSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return {
    did: didFromPublicKey(new Uint8Array(spki.subarray(spki.length - 32))),
    sign: bytes => new Uint8Array(sign(null, bytes, privateKey))
  }
}

/** Node's Ed25519; counts its calls. */
export function countingVerify(): VerifySignature & { calls: number } {
  const check = (did: string, bytes: Uint8Array, signature: Uint8Array): boolean => {
    check.calls++
    const key = parseDid(did)
    return (
      key.ok &&
      verify(
        null,
        bytes,
        { key: Buffer.from(toSpki(key.value)), format: 'der', type: 'spki' },
        signature
      )
    )
  }
  check.calls = 0
  return check
}

/** Counts upwards: distinct, reproducible nonces. */
export function countingEntropy(): Entropy {
  let count = 0
  return {
    bytes: size =>
      new Uint8Array(createHash('sha512').update(String(count++)).digest().subarray(0, size))
  }
}

/** A draft that any door takes. */
export function manifestDraft(change: Partial<Draft<'MANIFEST'>> = {}): Draft<'MANIFEST'> {
  return {
    verb: 'MANIFEST',
    thread: null,
    capability: 'swarm/manifest',
    epoch: null,
    fence: null,
    refs: [],
    payload: {
      capabilities: ['text/upper'],
      roles: ['worker'],
      tags: [],
      zone: 'local',
      org: 'test',
      price: 1n,
      stake: 0n,
      agent: 'test'
    },
    notAfter: EPOCH_MS + 60_000,
    traceparent: null,
    ...change
  }
}

export type EnvelopeChange = {
  readonly lamport?: number
  readonly draft?: Partial<Draft<'MANIFEST'>>
  readonly capsule?: string
  readonly engine?: Uint8Array
  readonly digest?: Uint8Array
  readonly nonce?: number
}

/** A sealed envelope of `signer`, correct but for what `change` says. */
export function envelopeOf(signer: Signer, change: EnvelopeChange = {}): Admitted {
  const draft = manifestDraft(change.draft)
  const lamport = change.lamport ?? 1
  const capsule = change.capsule ?? CAPSULE
  const engine = change.engine ?? new Uint8Array(32).fill(5)
  const input = messageInput({ ...draft, sender: signer.did, lamport })
  const unsigned = unsignedEnvelope(draft, {
    sender: signer.did,
    lamport,
    nonce: new Uint8Array(16).fill(change.nonce ?? 0),
    policyCapsule: CID.parse(capsule),
    policyEngine: engine,
    policyEvalDigest: change.digest ?? evaluationDigest({ input, decision: ALLOW, capsule, engine })
  })
  return sealEnvelope(unsigned, signer.sign(signingBytes(unsigned)))
}

/** Waits, turn by turn, until something holds; fails when it never does. */
export async function until(holds: () => boolean, turns = 20_000): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    if (holds()) return
    await nextTurn()
  }
  throw new Error('what was waited for did not come')
}
