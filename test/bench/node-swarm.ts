/** Nodes as users run them: processes of the built program, libp2p over loopback, policies, journals with fsync. Agents are here. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { waitForThread } from '../../src/agents/index.ts'
import type { SwarmEvent, ThreadView } from '../../src/core/swarm/index.ts'
import { NodeProcess, nodeEnvironment } from '../../src/testnet/index.ts'

/** A bench says in seconds what a node may say in minutes: the protection of users is not what is measured. */
const SENDER_PER_SECOND = '100000'
/** Long enough that no deadline passes while the bench runs, in ms. */
const FAR_MS = 600_000
const CONNECT_TIMEOUT_MS = 30_000
const LOOK_AGAIN_MS = 5_000

/** What the bench follows of one NEED. */
type Job = {
  readonly requester: NodeProcess
  readonly worker: NodeProcess
  readonly verifier: NodeProcess
  /** The verifier waits until the log has the proposal: then it is the ATTEST_PLAN alone that decides. */
  readonly isPatient: boolean
  readonly decided: PromiseWithResolvers<void>
}

export class NodeSwarm {
  readonly nodes: readonly NodeProcess[]
  readonly #jobs = new Map<string, Job>()
  /** Events that came before the answer that names their thread. */
  readonly #early = new Map<string, [NodeProcess, SwarmEvent][]>()
  readonly #stop = new AbortController()
  #input = ''

  private constructor(nodes: readonly NodeProcess[]) {
    this.nodes = nodes
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
        env
      })
      nodes.push(node)
      await node.start(signal)
    }
    await swarm.#connected()
    for (const node of nodes) void swarm.#listen(node)
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
    await Promise.all(this.nodes.map(node => node.stop()))
  }

  /** States a NEED at the node of this number; resolves when that node holds the certificate of its decision. */
  async decide(index: number, options: { readonly isPatient: boolean }): Promise<string> {
    const at = (offset: number): NodeProcess =>
      this.nodes[(index + offset) % this.nodes.length] as NodeProcess
    const requester = at(0)
    const { thread } = await requester.client.call('need.state', {
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
    })
    const decided = Promise.withResolvers<void>()
    this.#jobs.set(thread, { requester, worker: at(1), verifier: at(2), ...options, decided })
    for (const [node, event] of this.#early.get(thread) ?? []) this.#onEvent(node, event)
    this.#early.delete(thread)
    while (!(await isDone(decided.promise))) await this.#attestAgain(thread)
    return thread
  }

  /** ms from the ATTEST_PLAN at the group's leader to the DECIDE at the requester, by the nodes' own clock: one for all of them. */
  async latency(thread: string): Promise<number> {
    const { requester } = this.#jobs.get(thread) as Job
    const views = await Promise.all(
      this.nodes.map(node => node.client.call('thread.get', { thread }))
    )
    const leader = views.map(view => view.group?.leader).find(did => did != null)
    const from = seenAt(views[this.nodes.findIndex(node => node.did === leader)], 'ATTEST_PLAN')
    return seenAt(views[this.nodes.indexOf(requester)], 'DECIDE') - from
  }

  async #listen(node: NodeProcess): Promise<void> {
    try {
      for await (const event of node.client.events(this.#stop.signal)) this.#onEvent(node, event)
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    }
  }

  #onEvent(node: NodeProcess, event: SwarmEvent): void {
    if (event.type !== 'envelope' || event.thread === null) return
    const job = this.#jobs.get(event.thread)
    if (job === undefined) {
      const waiting = this.#early.get(event.thread) ?? []
      waiting.push([node, event])
      this.#early.set(event.thread, waiting)
    } else if (event.verb === 'NEED' && node === job.worker) void this.#propose(node, event.thread)
    else if (event.verb === 'PROPOSE' && node === job.verifier)
      void this.#attest(job, event.thread, event.id)
    else if (event.verb === 'DECIDE' && node === job.requester) job.decided.resolve()
  }

  async #propose(node: NodeProcess, thread: string): Promise<void> {
    await node.client.call('agent.propose', { thread, cost: '1', etaMs: 1000 })
  }

  async #attest(job: Job, thread: string, proposal: string): Promise<void> {
    const verifier = job.isPatient ? await this.#memberWithProposal(job, thread) : job.verifier
    await verifier.client.call('agent.attestPlan', { thread, proposal })
  }

  /** A member that is not the leader, once the log has the proposal there: its ATTEST_PLAN alone is then what decides. */
  async #memberWithProposal({ requester, worker }: Job, thread: string): Promise<NodeProcess> {
    const isLogged = ({ proposals }: ThreadView): boolean => proposals.some(({ logged }) => logged)
    await waitForThread(requester.client, thread, { until: isLogged })
    const isSettled = ({ group }: ThreadView): boolean =>
      group !== null && (!group.member || group.leader !== null)
    for (const node of this.nodes) {
      if (node === requester || node === worker) continue
      const { group } = await waitForThread(node.client, thread, { until: isSettled })
      if (group?.member !== true || group.leader === node.did) continue
      await waitForThread(node.client, thread, { until: isLogged })
      return node
    }
    throw new Error(`nobody can attest the proposal of ${thread}`)
  }

  /** An ATTEST_PLAN that reached the leader before its proposal is void: a verifier that looks again says it again. */
  async #attestAgain(thread: string): Promise<void> {
    const job = this.#jobs.get(thread) as Job
    const { proposals } = await job.verifier.client.call('thread.get', { thread })
    const [proposal] = proposals
    if (proposal !== undefined && !job.isPatient)
      await job.verifier.client.call('agent.attestPlan', { thread, proposal: proposal.id })
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

/** False when it takes longer than a verifier waits before it looks again. */
function isDone(promise: Promise<void>): Promise<boolean> {
  const timer = delay(LOOK_AGAIN_MS, false, { ref: false })
  return Promise.race([promise.then(() => true), timer])
}

function seenAt(view: ThreadView | undefined, verb: string): number {
  const found = view?.envelopes.find(envelope => envelope.verb === verb)
  if (found === undefined) throw new Error(`a node of the bench has no ${verb}`)
  return found.seenAt
}
