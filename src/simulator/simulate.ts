import type { Effect, RecordItem } from '../core/swarm/index.ts'
import { Agent } from './agents.ts'
import { PlanChecker } from './checkers/plan-checker.ts'
import { RecordChecker } from './checkers/record-checker.ts'
import { Findings, type Violation } from './checkers/violation.ts'
import { Watch } from './checkers/watch.ts'
import { Disturber } from './disturb.ts'
import { needDraft } from './drafts.ts'
import type { FaultName } from './faults.ts'
import { beginLies, silence } from './malice.ts'
import { NextDay } from './next-day.ts'
import {
  type Plan,
  type PlannedNeed,
  type PlannedUpdate,
  planOf,
  type SeedOptions
} from './plan.ts'
import { StandInPolicy } from './policy.ts'
import { ProgressChecker } from './progress.ts'
import { signaturesOf } from './signatures.ts'
import { Trace } from './trace.ts'
import type { VirtualNode } from './virtual-node.ts'
import { type Witness, witnesses } from './witness.ts'
import { START_MS, VirtualWorld } from './world.ts'

/** What one seed led to. */
export type SeedResult = {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** Virtual ms that passed. */
  readonly simulatedMs: number
  /** Hash over all that happened: the same for every run of the seed. */
  readonly trace: string
  readonly events: number
  /** How the threads ended at their requesters, such as `FINAL`. */
  readonly ends: readonly string[]
  readonly plan: Plan
  /** The events as text, where they were asked for. */
  readonly lines: readonly string[] | null
}

/** After the last deadline of a thread and the node's grace, ms until every node must have ended it (P6). */
const LIVENESS_MS = 30_000
/** ms for the last records to be completed by pulls. */
const COMPLETION_MS = 12_000
/** After the faults, ms until everybody who follows an open thread has the same plan of it. */
const PLANS_AGREE_MS = 20_000
/** Longest windows of a planned NEED after a COMMIT, and the grace; ms. */
const WINDOWS_MS = 31_000

/** Runs one seed: states needs, disturbs, heals, waits for the end, and holds everything to its rules. Never throws for what the machine does. */
export async function simulate(
  options: SeedOptions,
  init: { readonly lines?: boolean } = {}
): Promise<SeedResult> {
  const plan = planOf(options)
  const run = new Run(plan, init.lines === true)
  await run.go()
  return run.result()
}

class Run {
  readonly #plan: Plan
  readonly #trace: Trace
  readonly #findings: Findings
  readonly #watch: Watch
  readonly #plans: PlanChecker
  readonly #world: VirtualWorld
  readonly #archived: { readonly thread: string; readonly items: readonly RecordItem[] }[] = []
  #nowMs: () => number = () => START_MS

  constructor(plan: Plan, lines: boolean) {
    this.#plan = plan
    this.#trace = new Trace(lines)
    this.#trace.sinceStart = () => this.#nowMs() - START_MS
    this.#findings = new Findings(() => this.#nowMs() - START_MS)
    this.#plans = new PlanChecker(this.#findings)
    const signatures = signaturesOf(plan.signatures)
    const liars = new Set(plan.liars.map(({ node }) => signatures.keys(node).did))
    this.#watch = new Watch({
      findings: this.#findings,
      verify: signatures.verify,
      isLiar: did => liars.has(did),
      clockOf: node => this.#world.clockOf(node),
      isSteady: plan.disturbances.length === 0,
      isRaftSafe: plan.liars.every(({ fault }) => FAITHFUL_TO_RAFT.has(fault))
    })
    const leaving: Witness = { stepped: (node, _, effects) => this.#onArchive(node, effects) }
    const witness: Witness = witnesses([this.#trace, this.#watch, leaving])
    this.#world = new VirtualWorld({
      nodes: plan.nodes,
      seed: plan.seed,
      delayMsMax: plan.delayMsMax,
      signatures,
      policy: new StandInPolicy(),
      encoded: plan.encoded,
      compacts: plan.compacts,
      settings: plan.settings,
      witness,
      clock: nowMs => {
        this.#nowMs = nowMs
      }
    })
    this.#world.ordered = plan.ordered
  }

  /** A failed assertion of the machine is a finding like any other. */
  async go(): Promise<void> {
    try {
      this.#disturb()
      this.#end()
      this.#watch.finish(this.#world.nodes)
      await this.#readRecords()
      if (this.#plan.dayLater && this.#findings.violations.length === 0)
        new NextDay(this.#world, this.#watch, this.#findings).run()
    } catch (error) {
      this.#findings.report('crash', error instanceof Error ? (error.stack ?? '') : String(error))
    }
  }

  result(): SeedResult {
    const { seed } = this.#plan
    const requester = this.#world.nodes[0] as VirtualNode
    return {
      seed,
      violations: this.#findings.violations,
      simulatedMs: this.#world.nowMs - START_MS,
      trace: this.#trace.digest(),
      events: this.#trace.count,
      ends: [
        ...[...requester.archive.values()].map(({ summary }) => summary.phase),
        ...requester.swarm.threadIds().map(id => requester.swarm.view(id)?.phase ?? 'unknown')
      ],
      plan: this.#plan,
      lines: this.#trace.lines
    }
  }

  #disturb(): void {
    const { roles, needs, reforms, updates, liars, disturbances, endMs } = this.#plan
    const world = this.#world
    for (const node of world.nodes) {
      const role = roles[node.index]
      if (role !== undefined) new Agent(world, node, role).start()
    }
    for (const { node, fault } of liars) beginLies(world, world.nodes[node] as VirtualNode, fault)
    const disturber = new Disturber(world)
    for (const disturbance of disturbances) disturber.schedule(disturbance)
    for (const need of needs) world.after(need.atMs, () => this.#state(need))
    for (const { need, atMs } of reforms) world.after(atMs, () => this.#reform(needs[need]))
    for (const update of updates) world.after(update.atMs, () => this.#addFacts(update))
    this.#runUntil(() => false, endMs)
    disturber.heal()
    silence(world, this.#plan)
    if (updates.length === 0) return
    this.#runUntil(() => false, PLANS_AGREE_MS)
    this.#plans.checkOpen(world.nodes)
  }

  /** An agent plans where it is, whether others hear of it or not. */
  #addFacts({ node: index, facts }: PlannedUpdate): void {
    const node = this.#world.nodes[index] as VirtualNode
    const thread = node.swarm.threadIds().at(-1)
    if (node.alive && thread !== undefined)
      this.#world.command(node, { type: 'update-plan', thread, facts, refs: [] })
  }

  #state(need: PlannedNeed): void {
    const world = this.#world
    const requester = world.nodes[need.requester] as VirtualNode
    const draft = needDraft(world.clockOf(requester), {
      slot: need.slot,
      kPlan: need.kPlan,
      kResult: need.kResult,
      solo: need.solo,
      expiresAt: world.nowMs + need.expiresMs,
      windows: {
        bidMs: need.bidMs,
        leaseTtlMs: need.leaseTtlMs,
        verifyMs: need.verifyMs,
        sealMs: 100,
        revealMs: 1_000,
        challengeMs: need.challengeMs
      }
    })
    world.command(requester, { type: 'state-need', draft })
  }

  /** The requester's user wants another group. The node may refuse it. */
  #reform(need: PlannedNeed | undefined): void {
    const requester = this.#world.nodes[need?.requester ?? 0] as VirtualNode
    for (const thread of requester.swarm.threadIds()) {
      const view = requester.swarm.view(thread)
      if (view?.requester === requester.did && view.slot === need?.slot)
        this.#world.command(requester, { type: 'reform', thread })
    }
  }

  /** P6: after the faults every open thread ends at every node. */
  #end(): void {
    const world = this.#world
    const last = Math.max(...this.#plan.needs.map(({ atMs, expiresMs }) => atMs + expiresMs))
    const bound = Math.max(last, this.#plan.endMs) + WINDOWS_MS + LIVENESS_MS
    const stated = START_MS + Math.max(...this.#plan.needs.map(({ atMs }) => atMs)) + 1_000
    this.#runUntil(() => false, Math.max(0, stated - world.nowMs))
    const leftMs = START_MS + bound - world.nowMs
    if (!this.#runUntil(() => this.#areAllOver(), leftMs))
      for (const [node, thread] of this.#open()) {
        const view = node.swarm.view(thread)
        this.#findings.report(
          'liveness',
          `node ${node.index} still has ${thread} open: ${view?.phase}, ${view?.reason}`
        )
      }
    this.#runUntil(() => false, COMPLETION_MS)
    new ProgressChecker(this.#plan, this.#watch, this.#findings).check(world.nodes)
  }

  #runUntil(condition: () => boolean, msMax: number): boolean {
    const end = this.#world.nowMs + msMax
    // The condition is asked now and then: it looks at every thread of every node.
    while (this.#world.nowMs < end && this.#findings.violations.length === 0) {
      if (condition()) return true
      this.#world.run(Math.min(250, end - this.#world.nowMs))
    }
    return condition() || this.#findings.violations.length > 0
  }

  #areAllOver(): boolean {
    return this.#world.nodes.every(({ swarm }) => swarm.threadIds().every(id => swarm.isEnded(id)))
  }

  #open(): [VirtualNode, string][] {
    return this.#world.nodes.flatMap(node =>
      node.swarm
        .threadIds()
        .filter(id => !node.swarm.isEnded(id))
        .map((id): [VirtualNode, string] => [node, id])
    )
  }

  /** The record of a thread that leaves the memory of a node is read from what the node still has. */
  #onArchive(node: VirtualNode, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'archive' || node.malice !== null) continue
      const record = node.swarm.record(effect.thread)
      if (record?.complete !== true) continue
      this.#archived.push({ thread: effect.thread, items: record.items })
      this.#checkPlan(node, effect.thread)
    }
  }

  /** The groups of a requester that lies may end one thread in two ways. */
  #checkPlan(node: VirtualNode, thread: string): void {
    const requester = node.swarm.view(thread)?.requester
    if (!this.#isLiar(requester)) this.#plans.checkEnded(node, thread)
  }

  /** Alone in its group, a requester that lies can certify a log that nobody has. */
  #isLiar(did: string | undefined): boolean {
    return this.#world.nodes.some(node => node.malice !== null && node.did === did)
  }

  async #readRecords(): Promise<void> {
    const { roles, liars } = this.#plan
    const checker = new RecordChecker({
      findings: this.#findings,
      verify: this.#world.signatures.verify,
      areVerifiersHonest: liars.length === 0 && roles.every(({ verdict }) => verdict === 'honest'),
      areLeadersHonest: liars.every(({ fault }) => fault !== 'leader'),
      throughFiles: this.#plan.files,
      decisionsOf: group => this.#watch.decisions.decisionsOf(group)
    })
    for (const { thread, items } of this.#archived) await checker.check(thread, items)
    for (const node of this.#world.nodes) {
      if (node.malice !== null) continue
      for (const id of node.swarm.threadIds()) {
        const record = node.swarm.record(id)
        if (record?.complete === true) {
          await checker.check(id, record.items)
          this.#checkPlan(node, id)
        } else if (
          node.swarm.view(id)?.finalize != null &&
          !this.#isLiar(node.swarm.view(id)?.requester)
        )
          this.#findings.report(
            'liveness',
            `node ${node.index} never completes the record of ${id}`
          )
      }
    }
  }
}

/** Lies that keep the rules of Raft. */
const FAITHFUL_TO_RAFT: ReadonlySet<FaultName> = new Set([
  'actor',
  'requester',
  'sealer',
  'fork',
  'absentee',
  'hasty',
  'copier',
  'omitter'
])
