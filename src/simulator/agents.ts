import { CID } from '../core/codec/index.ts'
import type { Command, ThreadView } from '../core/swarm/index.ts'
import { draftOf, OUTPUT, WRONG_OUTPUT } from './drafts.ts'
import type { Role } from './plan.ts'
import { FRESH_SLOT, LASTING_SLOT, roleWhenTried } from './tried.ts'
import type { VirtualNode } from './virtual-node.ts'
import type { VirtualWorld } from './world.ts'

/** How often an agent looks whether there is something to do, and how long it waits before it says a thing again; in ms. */
const LOOK_MS = 200
const RESTATE_MS = 1_500
/** Clock values of what a staller says past its node: far above what the node itself reaches, and with room between them for what the node says once it has heard one. */
const LATE_LAMPORT = 500_000
const LATE_STEP = 1_000

/** How often a staller commits late, and how long it waits in between, in ms. */
const LATE_COMMITS = 20
const LATE_EVERY_MS = 170

const EVALUATION: Uint8Array = new Uint8Array(32)

type Watched = { isChanged: boolean; lookedAt: number }

/** The agents of one node: bids, works, attests, judges and challenges as its role says. It follows views, as real agents do. */
export class Agent {
  readonly #world: VirtualWorld
  readonly #node: VirtualNode
  readonly #given: Role
  /** How it behaves in the thread at hand. */
  #role: Role
  readonly #threads = new Map<string, Watched>()
  /** What was said or begun, and when; virtual ms. */
  readonly #said = new Map<string, number>()
  #late = LATE_LAMPORT

  constructor(world: VirtualWorld, node: VirtualNode, role: Role) {
    this.#world = world
    this.#node = node
    this.#given = role
    this.#role = role
    node.agent = (_, event) => {
      if (event.type !== 'thread') return
      const watched = this.#threads.get(event.thread)
      if (watched === undefined) this.#threads.set(event.thread, { isChanged: true, lookedAt: 0 })
      else watched.isChanged = true
    }
  }

  /** Begins to look around, now and for ever. */
  start(): void {
    this.#world.after(LOOK_MS, () => {
      if (this.#node.alive && !this.#node.paused) this.#look()
      this.start()
    })
  }

  #look(): void {
    const { nowMs } = this.#world
    for (const [id, watched] of this.#threads) {
      if (!watched.isChanged && nowMs - watched.lookedAt < 2 * LOOK_MS) continue
      const view = this.#node.swarm.view(id)
      if (view === undefined) continue
      const isOver = view.phase === 'FINAL' || view.phase === 'INVALID' || view.phase === 'EXPIRED'
      watched.isChanged = false
      watched.lookedAt = nowMs
      if (isOver) this.#threads.delete(id)
      else this.#act(view)
    }
  }

  #act(view: ThreadView): void {
    const isTried = view.slot === FRESH_SLOT || view.slot === LASTING_SLOT
    this.#role = isTried ? roleWhenTried(this.#given) : this.#given
    const isOwn = view.requester === this.#node.did && !view.solo
    if (!isOwn && this.#role.works) this.#bid(view)
    if (!isOwn) this.#attest(view)
    if (view.decide?.worker === this.#node.did) this.#work(view)
    this.#judge(view)
    this.#challenge(view)
  }

  #bid(view: ThreadView): void {
    if (view.phase !== 'OPEN' && view.phase !== 'BIDDING') return
    if (view.proposals.some(proposal => proposal.worker === this.#node.did)) return
    const need = CID.parse(view.thread)
    this.#say(`propose ${view.thread}`, () => ({
      type: 'publish',
      draft: draftOf(this.#world.nowMs, 'PROPOSE', need, {
        need,
        patch: [],
        ballot: { cost: BigInt(this.#role.cost), etaMs: this.#role.workMs, bond: 0n },
        shardDependencies: [],
        standing: null
      })
    }))
  }

  #attest(view: ThreadView): void {
    const need = CID.parse(view.thread)
    for (const { id, worker, attestations } of view.proposals) {
      if (worker === this.#node.did && !view.solo) continue
      if (attestations.includes(this.#node.did) || !this.#isReady(`plan ${id}`)) continue
      this.#say(`attest ${id}`, () => ({
        type: 'publish',
        draft: draftOf(this.#world.nowMs, 'ATTEST_PLAN', need, {
          need,
          proposal: CID.parse(id),
          evaluation: this.#evaluationOf(view.thread, id),
          standing: null
        })
      }))
    }
  }

  /** What its author signed: honest nodes that ask the same get the same. */
  #evaluationOf(thread: string, id: string): Uint8Array {
    return this.#node.swarm.envelope(thread, id)?.envelope.policyEvalDigest ?? EVALUATION
  }

  /** CLAIM, HEARTBEAT and COMMIT of the decided worker. */
  #work(view: ThreadView): void {
    const { decide, lease } = view
    if (decide === null) return
    const thread = CID.parse(view.thread)
    const task = CID.parse(decide.proposal)
    const { nowMs } = this.#world
    if (view.phase === 'DECIDED' && decide.certified)
      return this.#say(`claim ${view.thread}`, () => ({
        type: 'publish',
        draft: draftOf(nowMs, 'CLAIM', thread, {
          task,
          leaseTtlMs: view.windows.leaseTtlMs,
          cost: 1n,
          etaMs: 1
        })
      }))
    if (view.phase !== 'CLAIMED' || lease?.holder !== this.#node.did) return
    const begun = `work ${lease.fence.join('.')} ${view.thread}`
    const begunAt = this.#said.get(begun) ?? nowMs
    this.#said.set(begun, begunAt)
    if (this.#role.stalls && !this.#said.has(`stalled ${view.thread}`))
      return this.#stall(view, task)
    if (nowMs - begunAt < this.#role.workMs)
      return this.#say(
        `heartbeat ${begun}`,
        () => ({
          type: 'publish',
          draft: draftOf(nowMs, 'HEARTBEAT', thread, { task, progress: 50 })
        }),
        view.windows.leaseTtlMs / 3
      )
    this.#say(`commit ${begun}`, () => ({ type: 'publish', draft: this.#result(view, task) }))
  }

  #result(view: ThreadView, task: CID): ReturnType<typeof draftOf<'COMMIT'>> {
    const output = this.#role.output === 'right' ? OUTPUT : WRONG_OUTPUT
    return draftOf(this.#world.nowMs, 'COMMIT', CID.parse(view.thread), {
      task,
      outputs: [output],
      verifyBounty: 10n,
      telemetry: { tokens: 0, cost: 1n, wallMs: 5, exitStatus: 0, tool: 't', model: '', zone: '' }
    })
  }

  /** Lets the lease run out, and then commits under its fence, past the node, which would refuse. */
  #stall(view: ThreadView, task: CID): void {
    const { lease } = view
    if (lease === null) return
    this.#said.set(`stalled ${view.thread}`, this.#world.nowMs)
    const draft = { ...this.#result(view, task), epoch: lease.fence[0], fence: lease.fence }
    const commitLate = (): void => {
      if (!this.#node.alive) return
      this.#late += LATE_STEP
      const late = this.#world.seal(this.#node.keys, draft, this.#late)
      // A node that forgot in a crash how far its own clock value has come would not be heard for a long time.
      this.#node.disk.push({ type: 'clock', lamport: this.#late })
      for (const node of this.#world.nodes) this.#world.admit(node, late.bytes, false)
    }
    // Around the end of the lease, and while somebody may hold the next one.
    const { leaseTtlMs } = view.windows
    const first = this.#world.random.below(2)
    for (let i = first; i < LATE_COMMITS; i++)
      this.#world.after(leaseTtlMs - 100 + i * LATE_EVERY_MS, commitLate)
  }

  #judge(view: ThreadView): void {
    const { commit } = view
    if (commit === null || this.#role.verdict === 'none') return
    if (!view.solo && (commit.worker === this.#node.did || view.requester === this.#node.did))
      return
    if (view.phase !== 'COMMITTED' && view.phase !== 'VERIFIED') return
    if (!this.#isReady(`verdict ${commit.id}`)) return
    const isRight = commit.outputs.every(output => output === OUTPUT.toString())
    const pass = this.#role.verdict === 'honest' ? isRight : !isRight
    this.#say(`judge ${commit.id}`, () => ({
      type: 'verdict',
      thread: view.thread,
      commit: commit.id,
      pass,
      evaluation: EVALUATION,
      reasons: pass ? [] : ['output differs']
    }))
  }

  #challenge(view: ThreadView): void {
    const { commit, decide } = view
    if (view.phase !== 'VERIFIED' || commit === null || decide === null) return
    const isRight = commit.outputs.every(output => output === OUTPUT.toString())
    const { challenges } = this.#role
    if (challenges === 'nothing' || (challenges === 'wrong results' && isRight)) return
    this.#say(`challenge ${commit.id}`, () => ({
      type: 'publish',
      draft: draftOf(this.#world.nowMs, 'CHALLENGE', CID.parse(view.thread), {
        task: CID.parse(decide.proposal),
        commit: CID.parse(commit.id),
        bond: 1n,
        proof: { type: 'output_mismatch', evidence: [], note: '' }
      })
    }))
  }

  /** A slow verifier's patience: true once it has known of the thing for long enough. */
  #isReady(key: string): boolean {
    const since = this.#said.get(key) ?? this.#world.nowMs
    this.#said.set(key, since)
    return this.#world.nowMs - since >= this.#role.slowMs
  }

  /** Says something, and again when it has had no effect for a while. */
  #say(key: string, make: () => Command, againMs: number = RESTATE_MS): void {
    const { nowMs } = this.#world
    const last = this.#said.get(key)
    if (last !== undefined && nowMs - last < againMs) return
    this.#said.set(key, nowMs)
    this.#world.command(this.#node, make())
  }
}
