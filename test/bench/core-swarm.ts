/**
 * Nodes in this process for measuring: the real driver, door and state machine, the real journal with fsync, real signatures. The
 * network is a hub in memory, policy allows all. What is missing against a real node is libp2p, the policy worker and other processes.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { nodeSigner, nodeVerifier, rememberingVerifier } from '../../src/adapters/ed25519/index.ts'
import { fixedPolicy, MemoryHub, memoryArchive } from '../../src/adapters/memory/index.ts'
import { useNodeSha256 } from '../../src/adapters/sha256/index.ts'
import { systemClock, systemEntropy } from '../../src/adapters/system/index.ts'
import { walJournal } from '../../src/adapters/wal/index.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { seededGenerator } from '../../src/core/base/index.ts'
import { CID, cidOf } from '../../src/core/codec/index.ts'
import { type Input, Swarm, type SwarmEvent, swarmDefaults } from '../../src/core/swarm/index.ts'
import { draftOf } from '../../src/node/drafts.ts'
import type { Journal, Logger, Network } from '../../src/ports/index.ts'
import { Driver } from '../../src/runtime/index.ts'

const silent: Logger = { error: console.error, warn: () => {}, info: () => {}, debug: () => {} }
/** A bench says in seconds what a node may say in minutes: the protection of users is not what is measured. */
const SENDER_PER_SECOND = 100_000
const CAPABILITY = 'bench/none'
const INPUT = cidOf(new TextEncoder().encode('input'), 0x55)
/** Long enough that no deadline passes while the bench runs, in ms. */
const FAR_MS = 600_000
/** What the tick after a thread's time to rest may take, in ms. */
const REST_SPARE_MS = 1_000
/** Between two looks at whether all sleep, in ms. */
const LOOK_MS = 100

type Moments = Map<string, number>

/** Puts a watch on a machine: when the ATTEST_PLANs of each thread are stepped there; the first of each counts. */
function watch(swarm: Swarm): Moments {
  const attestedAt: Moments = new Map()
  const step = swarm.step.bind(swarm)
  swarm.step = (input: Input) => {
    if (input.kind === 'envelope' && input.admitted.envelope.verb === 'ATTEST_PLAN') {
      const thread = String(input.admitted.envelope.thread)
      if (!attestedAt.has(thread)) attestedAt.set(thread, performance.now())
    }
    return step(input)
  }
  return attestedAt
}

export class CoreNode {
  readonly did: string
  readonly swarm: Swarm
  readonly driver: Driver
  readonly network: Network
  readonly journal: Journal
  /** When the first ATTEST_PLAN of each thread was admitted here. */
  readonly attestedAt: Moments
  /** When a certificate of each thread's decision was here. */
  readonly decidedAt: Moments = new Map()

  private constructor(journal: Journal, hub: MemoryHub, bootstrap: readonly string[]) {
    const signer = nodeSigner(randomBytes(32))
    const verify = rememberingVerifier(nodeVerifier())
    const entropy = systemEntropy()
    const { consensus } = defaultConfig({})
    this.did = signer.did
    this.journal = journal
    this.network = hub.network({ did: signer.did, logger: silent, bootstrap })
    this.swarm = new Swarm({
      did: signer.did,
      sign: bytes => signer.sign(bytes),
      verify,
      random: seededGenerator(entropy.bytes(16)),
      settings: {
        electionTicksMin: consensus.electionTicksMin,
        heartbeatTicks: consensus.heartbeatTicks,
        precisionMs: consensus.precisionMs,
        inviteMs: consensus.formTimeoutMs
      }
    })
    this.attestedAt = watch(this.swarm)
    const { swarm: machine, network } = this
    const clock = systemClock()
    const policy = fixedPolicy()
    const archive = memoryArchive()
    this.driver = new Driver(
      {
        machine,
        journal,
        archive,
        network,
        policy,
        verify,
        signer,
        clock,
        entropy,
        logger: silent
      },
      {
        senderPerSecond: SENDER_PER_SECOND,
        onFatal: error => {
          throw error
        }
      }
    )
  }

  static async start(dir: string, hub: MemoryHub, bootstrap: readonly string[]): Promise<CoreNode> {
    const path = join(dir, `${randomBytes(8).toString('hex')}.wal`)
    const node = new CoreNode(await walJournal({ path, logger: silent }), hub, bootstrap)
    await node.driver.start()
    await node.network.start()
    await node.#announce()
    return node
  }

  async stop(): Promise<void> {
    await this.driver.stop()
    await this.network.stop()
    await this.journal.close()
  }

  /** States a NEED that is decided as soon as its first proposal has its ATTEST_PLAN. Resolves with the thread. */
  async state(slot: string): Promise<string> {
    const capsule = CID.parse(fixedPolicy().baseCapsule)
    const draft = draftOf('NEED', null, {
      slot,
      epoch: 0,
      task: CAPABILITY,
      requires: [CAPABILITY],
      produces: [],
      inputs: [INPUT],
      budget: 1000n,
      verifyBounty: 100n,
      kPlan: 1,
      kResult: 1,
      windows: {
        bidMs: 0,
        leaseTtlMs: FAR_MS,
        verifyMs: FAR_MS,
        sealMs: 500,
        revealMs: FAR_MS,
        challengeMs: FAR_MS
      },
      expiresAt: Date.now() + FAR_MS,
      capsule,
      terms: null,
      taskClass: 'deterministic',
      solo: false
    })
    const result = await this.driver.command({ type: 'state-need', draft })
    if (!result.ok) throw new Error(`a NEED of the bench was refused: ${result.refusal.message}`)
    return (result.value as { envelope: string }).envelope
  }

  async propose(thread: string): Promise<void> {
    const need = CID.parse(thread)
    const draft = draftOf('PROPOSE', need, {
      need,
      patch: [],
      ballot: { cost: 10n, etaMs: 1000, bond: 0n },
      shardDependencies: [],
      standing: null
    })
    await this.driver.command({ type: 'publish', draft })
  }

  async attest(thread: string, proposal: string): Promise<void> {
    const need = CID.parse(thread)
    const draft = draftOf('ATTEST_PLAN', need, {
      need,
      proposal: CID.parse(proposal),
      evaluation: new Uint8Array(32),
      standing: null
    })
    await this.driver.command({ type: 'publish', draft })
  }

  async #announce(): Promise<void> {
    const draft = draftOf('MANIFEST', null, {
      capabilities: [CAPABILITY],
      roles: ['voter', 'worker', 'verifier'],
      tags: [],
      zone: 'local',
      org: 'bench',
      price: 1n,
      stake: 0n,
      agent: 'bench'
    })
    await this.driver.command({ type: 'announce', draft })
  }
}

/** Several nodes that know each other, each with an agent: the work of requester i goes to node i + 1. */
export class CoreSwarm {
  readonly nodes: readonly CoreNode[]
  readonly #requesters = new Map<string, CoreNode>()
  readonly #attested = new Set<string>()
  readonly #waiting = new Map<string, () => void>()
  readonly #proposed = new Set<string>()
  /** The system clock's timers do not keep a process alive. */
  readonly #alive = setInterval(() => undefined, 60_000)
  #stated = 0

  private constructor(nodes: readonly CoreNode[]) {
    this.nodes = nodes
    for (const node of nodes) node.driver.onEvent(event => this.#onEvent(node, event))
  }

  static async start(dir: string, size: number): Promise<CoreSwarm> {
    useNodeSha256()
    const hub = new MemoryHub()
    const nodes: CoreNode[] = []
    for (let index = 0; index < size; index++)
      nodes.push(
        await CoreNode.start(
          dir,
          hub,
          nodes.slice(0, 1).flatMap(first => first.network.addresses())
        )
      )
    const swarm = new CoreSwarm(nodes)
    await swarm.#known()
    return swarm
  }

  async stop(): Promise<void> {
    clearInterval(this.#alive)
    await Promise.all(this.nodes.map(node => node.stop()))
  }

  /** States a NEED at a node; resolves when that node holds the certificate of its decision. */
  async decide(requester: CoreNode): Promise<string> {
    this.#stated += 1
    const thread = await requester.state(`slot-${this.#stated}`)
    this.#requesters.set(thread, requester)
    this.#act(thread)
    if (!requester.decidedAt.has(thread))
      await new Promise<void>(resolve => this.#waiting.set(thread, resolve))
    return thread
  }

  /** Resolves when nothing waits at any node: everybody knows of every decision. */
  async idle(): Promise<void> {
    const isIdle = (): boolean =>
      this.nodes.every(
        ({ driver, swarm }) =>
          driver.stats().queued === 0 &&
          swarm.threadIds().every(id => swarm.certificate(id, 'decide') !== undefined)
      )
    while (!isIdle()) await new Promise(resolve => setTimeout(resolve, 100))
  }

  /** Resolves when, in addition, every group sleeps and every thread rests. */
  async resting(): Promise<void> {
    await this.idle()
    const isAwake = (): boolean => this.nodes.some(({ swarm }) => swarm.nextTickMs() === 0)
    for (let left = swarmDefaults.restMs + REST_SPARE_MS; left > 0; left -= LOOK_MS) {
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
      // A group that has just decided is awake for some ticks, with messages on their way.
      if (isAwake()) left = swarmDefaults.restMs + REST_SPARE_MS
    }
  }

  /** ms from the deciding ATTEST_PLAN at the group's leader to the certificate at the requester. */
  latency(thread: string): number {
    const requester = this.#requesters.get(thread)
    const leader = this.#leaderOf(thread)
    const from = leader.attestedAt.get(thread)
    const to = requester?.decidedAt.get(thread)
    if (from === undefined || to === undefined) throw new Error(`${thread} was not decided`)
    return to - from
  }

  #leaderOf(thread: string): CoreNode {
    for (const node of this.nodes) {
      const { group } = node.swarm.view(thread) ?? {}
      const leader = this.nodes.find(one => one.did === group?.leader)
      if (leader !== undefined) return leader
    }
    throw new Error(`the group of ${thread} has no leader`)
  }

  #onEvent(node: CoreNode, event: SwarmEvent): void {
    if (event.type === 'certified') this.#onDecide(node, event.thread)
    else if (event.type === 'envelope' && event.thread !== null) {
      if (event.verb === 'NEED') this.#act(event.thread)
    } else if (event.type === 'thread') this.#attest(node, event.thread)
  }

  #onDecide(node: CoreNode, thread: string): void {
    if (!node.decidedAt.has(thread)) node.decidedAt.set(thread, performance.now())
    if (this.#requesters.get(thread) === node) this.#waiting.get(thread)?.()
  }

  /** The worker bids once it knows the NEED. */
  #act(thread: string): void {
    const worker = this.#of(thread, 1)
    if (worker?.swarm.envelope(thread, thread) === undefined || this.#proposed.has(thread)) return
    this.#proposed.add(thread)
    void worker.propose(thread)
  }

  /**
   * One verifier attests the proposal once the log has it; before that an ATTEST_PLAN is void. A member other than the leader, so
   * that it neither has to ask for the log first nor saves the way to the leader.
   */
  #attest(node: CoreNode, thread: string): void {
    if (this.#attested.has(thread)) return
    if (node === this.#of(thread, 0) || node === this.#of(thread, 1)) return
    const view = node.swarm.view(thread)
    const proposal = view?.proposals.find(({ logged }) => logged)
    if (proposal === undefined || view?.group?.member !== true || view.group.leader === node.did)
      return
    this.#attested.add(thread)
    void node.attest(thread, proposal.id)
  }

  #of(thread: string, offset: number): CoreNode | undefined {
    const requester = this.#requesters.get(thread)
    if (requester === undefined) return undefined
    return this.nodes[(this.nodes.indexOf(requester) + offset) % this.nodes.length]
  }

  /** Every node has everybody's manifest: any of them can form a group. */
  async #known(): Promise<void> {
    while (this.nodes.some(node => node.swarm.manifests().size < this.nodes.length))
      await new Promise(resolve => setImmediate(resolve))
  }
}
