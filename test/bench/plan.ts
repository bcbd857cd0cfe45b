import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { CID } from '../../src/core/codec/index.ts'
import type { AttackCase } from '../support/plan-attacker.ts'
import {
  bombChunk,
  forkedChain,
  frameOf,
  framesOf,
  heaviestFrame,
  operationsChunk,
  orphanFrames
} from '../support/plan-attacks.ts'
import {
  fillPlan,
  openNeed,
  type PlanNode,
  readPlan,
  speakChain,
  speakRivals,
  startPlanNode
} from '../support/plan-node.ts'
import { standstillOf } from '../support/standstill.ts'
import { type Bench, median } from './bench.ts'
import { bytesInUse } from './memory.ts'
import { BENCH_NETWORK, factsOf, type PlanOffer, type PlanOrder, writerOf } from './plan-peer.ts'
import { fetchRaw } from './raw-automerge.ts'

/** Facts of one update. */
const FACTS = 32
const LARGE = Math.ceil(10_000 / FACTS)
/** Updates by which the cost of one more fact is measured. */
const MORE = 20
const WRITERS = 100
/** Updates of a chain that is forked, and threads that are more than there are documents in memory. */
const FORKED_UPDATES = 1_500
const FREED_THREADS = 80
/** Updates of 128 facts by each of three strangers, who fill a plan. */
const FILL_UPDATES = 250
/** Newcomers, one after the other. */
const RUNS = 3

type Report = Parameters<Bench['run']>[0]

/** Two nodes of all real parts in two processes, with neither gossip nor pulls: plan sync alone. */
export const planBench: Bench = {
  name: 'plan',
  about:
    'sync of a plan of 10,000 facts, against stock Automerge; cost of a fact; 100 writers; attacks',
  async run(report) {
    const peer = await Peer.start()
    try {
      await largePlan(report, peer)
      await smallUpdates(report, peer)
      await costOfFacts(report)
      await concurrentWriters(report, peer)
      await attacks(report)
    } finally {
      peer.stop()
    }
  }
}

/**
 * A newcomer gets 10,000 facts of one writer, in updates of 32: what an agent says that lays out a plan. With 128, the most that an update
 * holds, there would be a quarter of the signatures. The same facts by stock Automerge, in turns; each has run once before.
 */
async function largePlan(report: Report, peer: Peer): Promise<void> {
  const small = await peer.write({ writers: 1, updates: 3, facts: FACTS, from: 0 })
  await fetchRaw(small.rawPort, small.rawHeads)
  const offer = await peer.write({ writers: 1, updates: LARGE, facts: FACTS, from: 0 })
  const raw: number[] = []
  const own: Synced[] = []
  for (let run = 0; run < RUNS; run++) {
    raw.push(await fetchRaw(offer.rawPort, offer.rawHeads))
    own.push(await syncNewcomer(offer))
  }
  const ms = median(own.map(one => one.ms))
  const ratio = (ms / median(raw)).toFixed(1)
  const note = `10,000 facts, ${FACTS} in an envelope, to a newcomer over loopback, dial included`
  const aim = `aim: under 2000, at most 3 times raw (here ${ratio})`
  say(report, 'sync_10k_ms', ms, 'ms', `${note}; ${aim}`, RUNS)
  say(report, 'raw_sync_10k_ms', median(raw), 'ms', 'the same facts, stock Automerge, TCP', RUNS)
  const growth = Math.max(...own.map(one => one.growth))
  const memory = 'resident memory of the newcomer, all its threads, the most; aim: under 100'
  say(report, 'sync_rss_growth_mb', growth, 'MB', memory, RUNS)
}

/** What each envelope costs a newcomer, whatever is in it. */
async function smallUpdates(report: Report, peer: Peer): Promise<void> {
  const offer = await peer.write({ writers: WRITERS, updates: 10, facts: 1, from: 0 })
  const { ms } = await syncNewcomer(offer)
  const note = `${offer.envelopes} envelopes of ${WRITERS} writers with one fact each, to a newcomer; for each`
  say(report, 'sync_envelope_us', (ms * 1000) / offer.envelopes, 'us', note)
}

type Synced = { readonly ms: number; readonly growth: number }

/** How long a new node takes to have all of a thread, and by how many MB it grows. */
async function syncNewcomer(offer: PlanOffer): Promise<Synced> {
  const node = await startNode()
  try {
    // Its parts have started and run once.
    await node.plan.view(await openNeed(node))
    await follow(node, offer)
    await bytesInUse()
    const before = process.memoryUsage().rss
    const start = performance.now()
    await node.network.join(offer.address)
    await until(() => (node.planSync?.stats().brought ?? 0) >= offer.envelopes - 1)
    await until(
      async () => (await node.plan.view(offer.thread)).envelopes.length === offer.envelopes
    )
    const ms = performance.now() - start
    return { ms, growth: (process.memoryUsage().rss - before) / 1e6 }
  } finally {
    await node.stopAll()
  }
}

/** What one more fact costs at the door, in the core, on disk and in the document, when there are already so many. */
async function costOfFacts(report: Report): Promise<void> {
  const node = await startNode()
  try {
    const thread = await openNeed(node)
    const updates = await speakChain(node.policy, writerOf(0), {
      thread: CID.parse(thread),
      count: LARGE + MORE,
      facts: seq => factsOf(0, seq, FACTS)
    })
    const take = async (from: number, to: number): Promise<number> => {
      const start = performance.now()
      for (const { bytes } of updates.slice(from, to))
        await node.driver.door.admit(bytes, 'x', 'plan')
      await node.driver.settled()
      await node.plan.view(thread)
      return ((performance.now() - start) * 1000) / ((to - from) * FACTS)
    }
    const small = Math.ceil(1_000 / FACTS)
    await take(0, small)
    const note = `${MORE} updates of ${FACTS} facts through door, core, journal and document, one after the other`
    say(report, 'fact_us_at_1k', await take(small, small + MORE), 'us', note)
    await take(small + MORE, LARGE)
    say(report, 'fact_us_at_10k', await take(LARGE, LARGE + MORE), 'us', `${note}; aim: as at 1k`)
  } finally {
    await node.stopAll()
  }
}

/** Half of the writers wrote on one node, half on another; then these meet. */
async function concurrentWriters(report: Report, peer: Peer): Promise<void> {
  const half = { writers: WRITERS / 2, updates: 4, facts: 8 }
  const offer = await peer.write({ ...half, from: 1_000 })
  const node = await startNode()
  try {
    await follow(node, offer)
    for (let writer = 0; writer < half.writers; writer++) {
      const updates = await speakChain(node.policy, writerOf(2_000 + writer), {
        thread: CID.parse(offer.thread),
        count: half.updates,
        facts: seq => factsOf(writer, seq, half.facts)
      })
      for (const { bytes } of updates) await node.driver.door.admit(bytes, 'x', 'plan')
    }
    await node.driver.settled()
    const all = 1 + WRITERS * half.updates
    const start = performance.now()
    await node.network.join(offer.address)
    await until(async () => (await node.plan.view(offer.thread)).envelopes.length === all)
    await peer.has(offer.thread, all)
    const note = `${WRITERS} writers, ${half.updates} updates of ${half.facts} facts each, half of them on either of two nodes; until both have all`
    say(report, 'writers_100_converge_ms', performance.now() - start, 'ms', note)
  } finally {
    await node.stopAll()
  }
}

/** A hostile peer in a thread of its own. */
async function attacks(report: Report): Promise<void> {
  const node = await startNode()
  const attacker = new Worker(new URL('../support/plan-attacker.ts', import.meta.url), {
    workerData: { networkName: BENCH_NETWORK, address: node.address }
  })
  const thread = await openNeed(node)
  const honest = frameOf(thread, [])
  const attack = (init: AttackCase): Promise<unknown> =>
    new Promise(resolve => {
      attacker.once('message', resolve)
      // The answer to a last frame without changes says that what came before has been judged.
      const frames = init.isImpatient === true ? init.frames : [...init.frames, honest]
      attacker.postMessage({ ...init, frames })
    })
  try {
    const updates = await speakChain(node.policy, writerOf(3_000), {
      thread: CID.parse(thread),
      count: 300,
      facts: seq => factsOf(0, seq, 4)
    })
    const orphans = orphanFrames(thread, updates.slice(20), 70)
    const heavy = new Array<Uint8Array>(5).fill(heaviestFrame(thread))
    const cases: AttackCase[] = [
      { name: 'bomb', frames: [frameOf(thread, [bombChunk()])] },
      { name: 'operations', frames: [frameOf(thread, [operationsChunk(thread, 20_000_000)])] },
      { name: 'orphans', frames: orphans },
      { name: 'heavy', frames: heavy },
      {
        name: 'endless',
        frames: new Array<Uint8Array>(100).fill(heaviestFrame(thread)),
        isImpatient: true
      },
      { name: 'backward forks', frames: await forkFrames(node, thread) },
      { name: 'freed documents', frames: await freedFrames(node) }
    ]
    await attack({ name: 'warm', frames: orphanFrames(thread, updates.slice(1, 20), 19) })
    const control = await standstillOf(() =>
      attack({ name: 'honest', frames: [honest, honest, honest] })
    )
    let most = 0
    for (const one of cases) {
      // What making the frames has left to collect is not the attack's.
      await bytesInUse()
      most = Math.max(most, await standstillOf(() => attack(one)))
    }
    const filled = await openNeed(node)
    const writers = [4_000, 4_001, 4_002].map(writerOf)
    const [first] = await fillPlan(node, filled, { writers, updates: FILL_UPDATES })
    await readPlan(node, filled, first as string)
    await bytesInUse()
    most = Math.max(most, await standstillOf(() => readPlan(node, filled, first as string)))
    const names = [...cases.map(({ name }) => name), 'a reader of a full plan'].join(', ')
    const note = `most CPU time between two looks of the event loop under ${names}; with an honest peer ${control} ms; aim: under 50`
    say(report, 'attack_stall_ms', most, 'ms', note)
  } finally {
    await attacker.terminate()
    await node.stopAll()
  }
}

/** A long chain, and then forks of it from its end on, a few in each frame. */
async function forkFrames(node: PlanNode, thread: string): Promise<Uint8Array[]> {
  const signer = writerOf(3_001)
  const facts = (seq: number) => factsOf(1, seq, 16)
  const init = { thread: CID.parse(thread), count: FORKED_UPDATES, facts }
  const updates = await speakChain(node.policy, signer, init)
  const rivals = (await speakRivals(node.policy, signer, updates)).filter((_, at) => at % 10 === 0)
  const forked = forkedChain(thread, updates, rivals)
  return [...framesOf(thread, forked.chain, 60), ...framesOf(thread, forked.rivals, 10)]
}

/** Frames of a few bytes about more threads than have documents in memory, each twice. */
async function freedFrames(node: PlanNode): Promise<Uint8Array[]> {
  const threads: string[] = []
  for (let count = 0; count < FREED_THREADS; count++) {
    const thread = await openNeed(node)
    threads.push(thread)
    const updates = await speakChain(node.policy, writerOf(3_002), {
      thread: CID.parse(thread),
      count: 20,
      facts: seq => factsOf(2, seq, 2)
    })
    for (const { bytes } of updates) await node.driver.door.admit(bytes, 'x', 'plan')
  }
  await node.driver.settled()
  return [...threads, ...threads].map(thread => frameOf(thread, []))
}

function startNode(): Promise<PlanNode> {
  return startPlanNode({ networkName: BENCH_NETWORK, unplug: ['gossip', 'pull', 'consensus'] })
}

async function follow(node: PlanNode, { need }: PlanOffer): Promise<void> {
  await node.driver.door.admit(Uint8Array.from(need), 'bench', 'peer')
  await node.driver.settled()
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await delay(2)
}

function say(
  report: Report,
  metric: string,
  value: number,
  unit: string,
  note: string,
  n = 1
): void {
  report({ metric, value: Math.round(value * 10) / 10, unit, n, note })
}

/** The other process. */
class Peer {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(): Promise<Peer> {
    const child = fork(new URL('./plan-peer.ts', import.meta.url), { serialization: 'advanced' })
    await new Promise(resolve => child.once('message', resolve))
    return new Peer(child)
  }

  write(order: PlanOrder): Promise<PlanOffer> {
    return this.#ask<PlanOffer>(order)
  }

  /** Resolves when its document of a thread has so many envelopes. */
  async has(thread: string, envelopes: number): Promise<void> {
    await this.#ask({ thread, envelopes })
  }

  stop(): void {
    this.#child.disconnect()
  }

  #ask<T>(order: object): Promise<T> {
    return new Promise(resolve => {
      this.#child.once('message', answer => resolve(answer as T))
      this.#child.send(order)
    })
  }
}
