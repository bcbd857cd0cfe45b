import { strict as assert } from 'node:assert'
import { CID, idOf } from '../../src/core/codec/index.ts'
import type { Admitted, Certificate, Draft, Verb } from '../../src/core/envelope/index.ts'
import { bidSubjectOf, encodeEntry, NeedLog } from '../../src/core/need/index.ts'
import { decisionDigest, groupIdOf, outcomeDigest, voteBytes } from '../../src/core/roster/index.ts'
import type { RecordItem } from '../../src/core/swarm/index.ts'
import type { Keys, VirtualNode } from '../../src/simulator/index.ts'
import type { RealPolicy } from './real-policy.ts'
import { SwarmCluster, testDraft, testVerify } from './swarm-cluster.ts'

/** Log time between two entries, in ms: the lease is renewed in time. */
const STEP_MS = 100
/** Of ten entries of the worker, so many are UPDATE_PLANs; the others are HEARTBEATs. */
const UPDATES_OF_TEN = 2

export type LongThread = {
  readonly thread: string
  readonly items: readonly RecordItem[]
  readonly keys: Keys
  readonly complete: true
}

/** The record of a thread with about so many events: a group of the virtual world, whose log is then written by hand until the NEED expires. */
export function longThread(events: number, policy: RealPolicy | null = null): LongThread {
  const cluster = new SwarmCluster({ nodes: 5, seed: 11, ...(policy === null ? {} : { policy }) })
  return new LongLog(cluster, policy, events).run()
}

class LongLog {
  readonly #cluster: SwarmCluster
  readonly #node: VirtualNode
  readonly #worker: Keys
  readonly #items: RecordItem[] = []
  readonly #events: number
  readonly #policy: RealPolicy | null
  readonly #need: Admitted<'NEED'>
  readonly #form: Admitted<'FORM'>
  readonly #log: NeedLog
  #stamp: number
  #lamport = 1_000
  #previous: CID | null = null
  #updates = 0

  constructor(cluster: SwarmCluster, policy: RealPolicy | null, events: number) {
    this.#cluster = cluster
    this.#events = events
    this.#policy = policy
    this.#node = cluster.nodes[0] as VirtualNode
    this.#worker = (cluster.nodes[1] as VirtualNode).keys
    const capsule = policy === null ? {} : { capsule: CID.parse(policy.capsule) }
    const draft = cluster.need({ ...capsule, expiresAt: cluster.nowMs + STEP_MS * events })
    const id = cluster.command(this.#node, { type: 'state-need', draft })
    cluster.run(1)
    const { value } = this.#node.replies.get(id) as { value: { envelope: string } }
    const { swarm } = this.#node
    const hasGroup = (): boolean => (swarm.record(value.envelope)?.items.length ?? 0) > 1
    assert(cluster.runUntil(hasGroup, 20_000), 'the thread gets a group')
    const of = (verb: Verb): Admitted =>
      swarm.envelope(
        value.envelope,
        swarm.view(value.envelope)?.envelopes.find(one => one.verb === verb)?.id ?? ''
      ) as Admitted
    this.#need = of('NEED') as Admitted<'NEED'>
    this.#form = of('FORM') as Admitted<'FORM'>
    this.#stamp = cluster.nowMs
    const known = (bytes: Uint8Array): Admitted | undefined => this.#known.get(idOf(bytes))
    this.#log = new NeedLog({
      need: this.#need,
      form: this.#form,
      previous: [],
      verify: testVerify,
      known
    })
  }

  readonly #known = new Map<string, Admitted>()

  run(): LongThread {
    const { state } = this.#log
    const need = this.#need.cid
    this.#show(this.#need)
    this.#show(this.#form)
    const verifier = (this.#cluster.nodes[2] as VirtualNode).keys
    const ballot = { cost: 10n, etaMs: 1_000, bond: 0n }
    const proposal = this.#log1('PROPOSE', this.#worker, {
      need,
      patch: [],
      ballot,
      shardDependencies: [],
      standing: null
    })
    const bid = bidSubjectOf(state, proposal.id)
    assert(bid !== null, 'the proposal is in the log')
    const evaluation = this.#policy?.attest(bid) ?? new Uint8Array(32)
    for (let i = 2; i < this.#cluster.nodes.length; i++)
      this.#log1('ATTEST_PLAN', (this.#cluster.nodes[i] as VirtualNode).keys, {
        need,
        proposal: proposal.cid,
        evaluation,
        standing: null
      })
    while (state.decision === null) this.#tick(STEP_MS)
    const task = proposal.cid
    this.#log1('CLAIM', this.#worker, { task, leaseTtlMs: 60_000, cost: 10n, etaMs: 1_000 })
    for (let count = 0; this.#items.length < this.#events - 3; count++) this.#work(count, task)
    assert(verifier.did !== this.#worker.did)
    while (state.outcome === null) this.#tick(60_000)
    this.#certify()
    return { thread: this.#need.id, items: this.#items, keys: this.#node.keys, complete: true }
  }

  #work(count: number, task: CID): void {
    if (count % 10 >= UPDATES_OF_TEN) {
      const progress = Math.min(99, Math.floor((100 * count) / this.#events))
      this.#log1('HEARTBEAT', this.#worker, { task, progress })
      return
    }
    this.#updates += 1
    const name = `step-${this.#updates}`
    const update = this.#log1('UPDATE_PLAN', this.#worker, {
      session: 0,
      seq: this.#updates,
      previous: this.#previous,
      facts: [{ kind: 'ADD_TASK', task: name, type: 'text/upper', requires: [], produces: [] }]
    })
    this.#previous = update.cid
  }

  #log1(verb: Verb, keys: Keys, payload: unknown): Admitted {
    const admitted = this.#seal(verb, keys, payload)
    this.#known.set(admitted.id, admitted)
    this.#append(admitted.bytes, STEP_MS / 2)
    return admitted
  }

  #tick(ms: number): void {
    this.#append(null, ms)
  }

  #append(envelope: Uint8Array | null, ms: number): void {
    this.#stamp += ms
    const index = this.#log.state.at.index + 1
    const entry = { term: 1, index, data: encodeEntry({ stamp: this.#stamp, envelope }) }
    this.#log.apply(entry)
    this.#items.push({ type: 'entry', entry })
  }

  #seal(verb: Verb, keys: Keys, payload: unknown): Admitted {
    this.#lamport += 1
    const draft = testDraft(this.#stamp, verb, this.#need.cid, payload as never)
    const { decision, lease } = this.#log.state
    const isWork = verb === 'CLAIM' || verb === 'HEARTBEAT'
    const isBound = isWork || verb === 'DECIDE' || verb === 'FINALIZE'
    const fence = verb === 'HEARTBEAT' ? (lease?.fence ?? null) : null
    const epoch = isBound ? (decision?.epoch ?? 0) : null
    return this.#cluster.seal(keys, { ...draft, epoch, fence } as Draft, this.#lamport)
  }

  #certify(): void {
    const { decision, outcome } = this.#log.state
    assert(decision !== null && outcome !== null)
    const decide = this.#certificate('decide', decisionDigest(decision))
    this.#show(this.#seal('DECIDE', this.#node.keys, { decision, certificate: decide }))
    const end = this.#certificate('outcome', outcomeDigest(outcome))
    this.#show(this.#seal('FINALIZE', this.#node.keys, { outcome, certificate: end }))
  }

  #certificate(stage: 'decide' | 'outcome', digest: Uint8Array): Certificate {
    const { slot, epoch, roster } = this.#form.envelope.payload
    const subject = { group: groupIdOf(this.#form.bytes), slot, epoch, stage, digest }
    const votes = roster.map(member => {
      const node = this.#cluster.nodes.find(({ did }) => did === member) as VirtualNode
      return { member, sig: node.keys.sign(voteBytes(subject)) }
    })
    return { form: this.#form.bytes, previous: [], stage, digest, votes }
  }

  #show({ bytes }: Admitted): void {
    this.#items.push({ type: 'envelope', bytes, atMs: this.#stamp })
  }
}
