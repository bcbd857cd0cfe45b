/** Nodes as users run them: processes of the built program, libp2p over loopback, policies, journals with fsync. Agents are here. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type SwarmClient } from '../../src/agents/index.ts'
import type { SwarmEvent, ThreadView } from '../../src/core/swarm/index.ts'
import { Lanes } from '../../src/runtime/lanes.ts'
import { NodeProcess, nodeEnvironment } from '../../src/testnet/index.ts'
import { viewWhen } from '../support/testnet.ts'

/** A bench says in seconds what a node may say in minutes: the protection of users is not what is measured. */
const SENDER_PER_SECOND = '100000'
/** Long enough that no deadline passes while the bench runs, in ms. */
const FAR_MS = 600_000
const CONNECT_TIMEOUT_MS = 30_000
const AGAIN_AFTER_MS = 250
/** Requests of one agent at once. */
const REQUESTS_MAX = 128

/** What the bench follows of one NEED. */
type Job = {
  readonly requester: NodeProcess
  readonly worker: NodeProcess
  /** Everything else has come to rest before the proposal is attested: then it is the ATTEST_PLAN alone that is waited for. */
  readonly isPatient: boolean
  readonly decided: PromiseWithResolvers<void>
  /** When the requester held the certificate, by its clock. */
  certifiedAt: number
  /** Once somebody knows it. */
  proposal: string | null
  /** The proposal is attested, or that is being tried. */
  isAttesting: boolean
  /** Something has happened to the thread since the last try. */
  isChanged: boolean
}

export class NodeSwarm {
  readonly nodes: readonly NodeProcess[]
  readonly #jobs = new Map<string, Job>()
  /** Events that came before the answer that names their thread. */
  readonly #early = new Map<string, [NodeProcess, SwarmEvent][]>()
  readonly #stop = new AbortController()
  /** What went wrong beside the road. */
  readonly #failure = Promise.withResolvers<never>()
  readonly #agents = new Map<NodeProcess, Agent>()
  #input = ''

  private constructor(nodes: readonly NodeProcess[]) {
    this.nodes = nodes
    // Whoever waits hears of it; with nobody waiting it is no matter.
    this.#failure.promise.catch(() => undefined)
  }

  static async start(dir: string, size: number): Promise<NodeSwarm> {
    const env = {
      ...nodeEnvironment(process.env),
      CAN_SWARM_RUNTIME_SENDER_PER_SECOND: SENDER_PER_SECOND
    }
    const nodes: NodeProcess[] = []
    const swarm = new NodeSwarm(nodes)
    const { signal } = swarm.#stop
    for (let index = 0; index < size; index += 1) {
      const name = `node-${index}`
      const node = new NodeProcess({
        role: { name, title: 'bench', work: [], verify: [], bad: false },
        home: join(dir, name),
        network: 'bench-decide',
        listen: '/ip4/127.0.0.1/tcp/0',
        join: nodes[0]?.status.addresses.slice(0, 1) ?? [],
        env,
        // As "can-swarm start" does it: the testnet's saving of memory costs a busy node a fifth of its processor time.
        nodeFlags: []
      })
      nodes.push(node)
      await node.start(signal)
    }
    await swarm.#connected()
    for (const node of nodes) {
      const client = await connect({ home: node.home })
      // Who bids and attests says what it is in its manifest: the base policy asks.
      await client.call('agent.announce', {
        capabilities: ['bench/none'],
        roles: ['worker', 'verifier']
      })
      swarm.#agents.set(node, new Agent(client))
      swarm.#watch(swarm.#listen(node))
    }
    const base64 = Buffer.from('input').toString('base64')
    const added = await nodes[0]?.client.call('artifacts.addBytes', {
      base64,
      pin: true,
      name: 'bench'
    })
    swarm.#input = added?.cid ?? ''
    return swarm
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    for (const agent of this.#agents.values()) agent.close()
    await Promise.all(this.nodes.map(node => node.stop()))
  }

  /** States a NEED at the node of this number; resolves when that node holds the certificate of its decision. */
  async decide(index: number, options: { readonly isPatient: boolean }): Promise<string> {
    const at = (offset: number): NodeProcess =>
      this.nodes[(index + offset) % this.nodes.length] as NodeProcess
    const requester = at(0)
    const request = {
      capability: 'bench/none',
      inputCid: this.#input,
      kPlan: 1,
      kResult: 1,
      windows: {
        bidMs: 0,
        leaseTtlMs: FAR_MS,
        verifyMs: FAR_MS,
        revealMs: FAR_MS,
        challengeMs: FAR_MS
      },
      ttlMs: FAR_MS
    }
    const { thread } = await insist(() => requester.client.call('need.state', request))
    const decided = Promise.withResolvers<void>()
    this.#jobs.set(thread, {
      requester,
      worker: at(1),
      ...options,
      decided,
      certifiedAt: 0,
      proposal: null,
      isAttesting: false,
      isChanged: false
    })
    for (const [node, event] of this.#early.get(thread) ?? []) this.#onEvent(node, event)
    this.#early.delete(thread)
    await Promise.race([decided.promise, this.#failure.promise])
    return thread
  }

  /** ms from the ATTEST_PLAN at the group's leader to the certificate at the requester, by the nodes' own clock: one for all of them. */
  async latency(thread: string): Promise<number> {
    const { certifiedAt } = this.#jobs.get(thread) as Job
    const views = await Promise.all(
      this.nodes.map(node => viewWhen(node, thread, ({ decide }) => decide !== null))
    )
    const leader = views.map(view => view.group?.leader).find(did => did != null)
    const from = seenAt(views[this.nodes.findIndex(node => node.did === leader)], 'ATTEST_PLAN')
    return certifiedAt - from
  }

  async #listen(node: NodeProcess): Promise<void> {
    for await (const event of node.client.events(this.#stop.signal)) this.#onEvent(node, event)
  }

  #watch(work: Promise<void>): void {
    work.catch(error => this.#failure.reject(error))
  }

  #onEvent(node: NodeProcess, event: SwarmEvent): void {
    const { type } = event
    if ((type !== 'envelope' && type !== 'certified' && type !== 'thread') || event.thread === null)
      return
    const { thread } = event
    const job = this.#jobs.get(thread)
    if (job === undefined) {
      const waiting = this.#early.get(thread) ?? []
      waiting.push([node, event])
      this.#early.set(thread, waiting)
    } else if (type === 'certified') {
      if (node !== job.requester) return
      job.certifiedAt = event.atMs
      job.decided.resolve()
    } else if (type === 'thread') {
      if (event.phase === 'BIDDING') this.#watch(this.#attestWhenLogged(job, node, thread))
    } else if (event.verb === 'NEED' && node === job.worker)
      this.#watch(this.#propose(node, thread))
    else if (event.verb === 'PROPOSE' && job.proposal === null) {
      job.proposal = event.id
      if (job.isPatient) this.#watch(this.#attestAlone(job, thread, event.id))
    }
  }

  async #propose(node: NodeProcess, thread: string): Promise<void> {
    await this.#agents.get(node)?.propose(thread)
  }

  async #attestAlone(job: Job, thread: string, proposal: string): Promise<void> {
    const verifier = await this.#memberWithProposal(job, thread)
    await this.#agents.get(verifier)?.attest(thread, proposal)
  }

  /** As agents do it: whoever hears of a change looks whether there is something to attest, and otherwise waits for the next. */
  async #attestWhenLogged(job: Job, node: NodeProcess, thread: string): Promise<void> {
    const { requester, worker, proposal, isPatient } = job
    if (isPatient || node === requester || node === worker) return
    job.isChanged = true
    if (proposal === null || job.isAttesting) return
    job.isAttesting = true
    while (job.isChanged) {
      job.isChanged = false
      if (await this.#agents.get(node)?.attestIfLogged(thread, proposal)) return
    }
    job.isAttesting = false
  }

  /** A member that is not the leader, once the log has the proposal there: its ATTEST_PLAN alone is then what decides. */
  async #memberWithProposal({ requester, worker }: Job, thread: string): Promise<NodeProcess> {
    const isLogged = ({ proposals }: ThreadView): boolean => proposals.some(({ logged }) => logged)
    await viewWhen(requester, thread, isLogged)
    const isSettled = ({ group }: ThreadView): boolean =>
      group !== null && (!group.member || group.leader !== null)
    for (const node of this.nodes) {
      if (node === requester || node === worker) continue
      const { group } = await viewWhen(node, thread, isSettled)
      if (group?.member !== true || group.leader === node.did) continue
      await viewWhen(node, thread, isLogged)
      return node
    }
    throw new Error(`nobody can attest the proposal of ${thread}`)
  }

  async #connected(): Promise<void> {
    const deadline = performance.now() + CONNECT_TIMEOUT_MS
    for (;;) {
      const peers = await Promise.all(this.nodes.map(node => node.client.call('peers.list', {})))
      if (peers.every(({ length }) => length >= this.nodes.length - 1)) return
      if (performance.now() > deadline)
        throw new Error('the nodes of the bench did not find each other')
      await delay(25)
    }
  }
}

/** What a node answers that has too much to do, or whose log does not have yet what is attested. */
const LATER: ReadonlySet<string | undefined> = new Set([
  'POLICY_TIMEOUT',
  'BUSY',
  'REQUEST_REFUSED'
])

/** Says it again when the node asks for it. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      const { code } = error as { code?: string }
      if (!LATER.has(code)) throw error
      await delay(AGAIN_AFTER_MS)
    }
  }
}

/** A worker and verifier with a connection of its own, which asks no more at once than a node takes. */
class Agent {
  readonly #client: SwarmClient
  readonly #lanes = new Lanes(REQUESTS_MAX)

  constructor(client: SwarmClient) {
    this.#client = client
  }

  close(): void {
    this.#client.close()
  }

  async propose(thread: string): Promise<void> {
    const params = { thread, cost: '1', etaMs: 1000 }
    await this.#lanes.run(() => insist(() => this.#client.call('agent.propose', params)))
  }

  async attest(thread: string, proposal: string): Promise<void> {
    const params = { thread, proposal }
    await this.#lanes.run(() => insist(() => this.#client.call('agent.attestPlan', params)))
  }

  /** False when the log of the thread does not have the proposal yet. */
  async attestIfLogged(thread: string, proposal: string): Promise<boolean> {
    const params = { thread, proposal }
    const attested = (): Promise<boolean> =>
      this.#client.call('agent.attestPlan', params).then(
        () => true,
        error => {
          if ((error as { code?: string }).code === 'REQUEST_REFUSED') return false
          throw error
        }
      )
    return await this.#lanes.run(() => insist(attested))
  }
}

function seenAt(view: ThreadView | undefined, verb: string): number {
  const found = view?.envelopes.find(envelope => envelope.verb === verb)
  if (found === undefined) throw new Error(`a node of the bench has no ${verb}`)
  return found.seenAt
}
