import { assert, compareText } from '../base/index.ts'
import type { Fact } from '../envelope/index.ts'
import { PlanBranches } from './branches.ts'
import { PlanChains, type PlanPlace } from './chains.ts'
import { EXCERPT_ITEMS_MAX, excerptOf } from './excerpt.ts'
import { RESTATED_MAX, Restatements } from './restatements.ts'
import { compareSource, type Source, type Standing, type Stated } from './source.ts'
import { Statements } from './statements.ts'
import { type Link, TaskGraph } from './task-graph.ts'
import { PlanTasks } from './tasks.ts'
import type {
  LinkFlaw,
  LinkView,
  PlanApplied,
  PlanChange,
  PlanExcerpt,
  PlanGraph,
  PlanView,
  TaskView
} from './types.ts'

type LinkFact = Extract<Fact, { kind: 'LINK' }>

const NOTHING_NEW: PlanApplied = { isNew: false, counted: [], retracted: [], rival: null }
const TAKEN: PlanApplied = { isNew: true, counted: [], retracted: [], rival: null }

/**
 * The plan of one thread as a fold over changes. Commutative and idempotent: any order and any repetition of the same changes gives
 * byte-equal views. Each fact costs the same however large the plan is. A certificate, which changes whose word goes first, has counted anew
 * what those said whom it concerns, and a fork has taken back what it ends: with the changes after it, or with the next look. What is read is kept until the next change.
 */
export class PlanState {
  readonly #envelopes = new Set<string>()
  readonly #branches = new PlanBranches()
  readonly #chains: PlanChains
  /** Changes that are neither chained nor of a branch. */
  readonly #loose: PlanChange[] = []
  readonly #tasks = new PlanTasks()
  /** Every statement of a link, the smallest source first. */
  readonly #links = new Map<string, Statements<null>>()
  readonly #graph = new TaskGraph()
  readonly #restatements: Restatements
  #view: PlanView | null = null
  #graphView: PlanGraph | null = null

  /** `restatedMax`: facts that one change has restated besides what it says itself. */
  constructor(restatedMax: number = RESTATED_MAX) {
    this.#restatements = new Restatements(({ change, from, to }) => {
      if (to !== null) this.#state(change, to)
      this.#withdraw(change, from)
    }, restatedMax)
    this.#chains = new PlanChains({
      count: change => this.#state(change, this.#branches.ranks()(change)),
      retract: change => {
        this.#restatements.add({ change, from: this.#branches.ranks()(change), to: null })
      }
    })
  }

  apply(change: PlanChange): PlanApplied {
    const { envelope, lamport } = change
    assert(Number.isSafeInteger(lamport) && lamport >= 0, 'a Lamport clock is a whole number')
    if (this.#envelopes.has(envelope)) return NOTHING_NEW
    this.#envelopes.add(envelope)
    this.#view = null
    this.#graphView = null
    const applied = this.#take(change)
    this.#restatements.some()
    return applied
  }

  /** The same object until the next change. */
  view(): PlanView {
    this.#restatements.all()
    this.#view ??= {
      tasks: this.#tasks.names().map(name => this.task(name) as TaskView),
      links: this.#graph.links().map(viewLink),
      branches: this.#branches.view(),
      forks: this.#chains.forks()
    }
    return this.#view
  }

  /** One task, or undefined when nothing names it. */
  task(name: string): TaskView | undefined {
    this.#restatements.all()
    return this.#tasks.view(name, this.#branches.epoch())
  }

  /** As `view`, the same object until the next change. */
  graph(): PlanGraph {
    this.#restatements.all()
    this.#graphView ??= this.#makeGraph(this.#tasks.names(), this.#graph.links())
    return this.#graphView
  }

  /** What view and graph say, as much as one may show at once. Its cost grows with the plan far less than theirs. */
  excerpt(): PlanExcerpt {
    this.#restatements.all()
    const links = this.#graph.links()
    const forks = this.#chains.forks()
    const epoch = this.#branches.epoch()
    const { left, ...shown } = excerptOf(this.#tasks, { epoch, links, forks })
    const branches = this.#branches.view()
    const view = { ...shown, links: shown.links.map(viewLink), branches }
    const names = view.tasks.map(({ task }) => task)
    return { view, graph: this.#makeGraph(names, shown.links), left }
  }

  /** One task, with as much of what was said of it as an excerpt shows and how much is left out; null when nothing names it. */
  excerptOf(name: string): { readonly task: TaskView; readonly left: number } | null {
    this.#restatements.all()
    if (!this.#tasks.has(name)) return null
    const { view, left } = this.#tasks.excerpt(name, this.#branches.epoch(), EXCERPT_ITEMS_MAX)
    return { task: view, left }
  }

  /** Every task after the tasks that it waits for: layer by layer, each layer sorted. */
  order(): string[] {
    this.#restatements.all()
    return this.#graph.order(this.#tasks.names())
  }

  /** What a task waits for that is not FINAL, sorted; empty when it is ready, null when it is not waiting to begin. */
  blockers(name: string): string[] | null {
    this.#restatements.all()
    if (!this.#tasks.isWaiting(name)) return null
    const open = this.#graph.parents(name).filter(parent => !this.#tasks.isFinal(parent))
    return open.sort(compareText)
  }

  /** All tasks that a task waits for, directly or not. Sorted. */
  ancestors(name: string): string[] {
    this.#restatements.all()
    return this.#graph.ancestors(name)
  }

  /** All tasks that wait for a task, directly or not. Sorted. */
  descendants(name: string): string[] {
    this.#restatements.all()
    return this.#graph.descendants(name)
  }

  /** The circle that these facts would close in the plan as it is, its first name repeated at the end; null when they close none. */
  circleOf(facts: readonly Fact[]): readonly string[] | null {
    this.#restatements.all()
    return this.#graph.circle(facts.filter(fact => fact.kind === 'LINK'))
  }

  /** Where the next UPDATE_PLAN of a sender goes; null when its sessions are used up. */
  nextPlace(sender: string): PlanPlace | null {
    return this.#chains.next(sender)
  }

  /** Sessions of all senders together with that of one more update. */
  sessionsWith(sender: string, session: number): number {
    return this.#chains.count + (this.#chains.has(sender, session) ? 0 : 1)
  }

  /** Whether an update that is not here yet would be the first to show that its session is forked at its place. */
  wouldFork(sender: string, place: Pick<PlanPlace, 'session' | 'seq'>): boolean {
    return this.#chains.wouldFork(sender, place)
  }

  /** The two updates that fork a session, at its first forked place; none where it is not forked. */
  rivals(sender: string, session: number): string[] {
    return this.#chains.rivals(sender, session)
  }

  /** The UPDATE_PLANs that count, of each session in order. */
  counted(): string[] {
    return [...this.#chains.all()].map(({ envelope }) => envelope)
  }

  /**
   * Text CIDs, sorted: the NEED, the branches that were decided, and the last counted update of each session. Everything that the view
   * rests on but certificates is one of these, or is named by one of them in turn.
   */
  heads(): string[] {
    const opened = this.#loose.filter(({ act }) => act?.kind === 'open')
    const named = [...opened, ...this.#branches.decided()].map(({ envelope }) => envelope)
    return [...named, ...this.#chains.heads()].sort(compareText)
  }

  #take(change: PlanChange): PlanApplied {
    const { chain } = change
    if (chain !== null) return this.#chains.add({ ...change, chain })
    this.#rank(change)
    if (change.act?.kind === 'offer') return TAKEN
    this.#loose.push(change)
    this.#state(change, this.#branches.ranks()(change))
    return TAKEN
  }

  #makeGraph(names: readonly string[], links: readonly Link[]): PlanGraph {
    const ready: string[] = []
    const blocked: { task: string; by: string[] }[] = []
    for (const name of names) {
      const by = this.blockers(name)
      if (by?.length === 0) ready.push(name)
      else if (by !== null) blocked.push({ task: name, by })
    }
    const ignored: (LinkView & { why: LinkFlaw })[] = []
    for (const link of links)
      if (link.why !== null) ignored.push({ ...viewLink(link), why: link.why })
    return { order: this.#graph.order(names), ready, blocked, ignored }
  }

  /** Takes what an envelope does to the standing of others: what those said is counted with the new one. */
  #rank(change: PlanChange): void {
    const before = this.#branches.ranks()
    const decided = new Set(this.#branches.decided())
    if (!this.#branches.add(change)) return
    const after = this.#branches.ranks()
    for (const one of this.#counted(decided)) {
      const [from, to] = [before(one), after(one)]
      if (from !== to) this.#restatements.add({ change: one, from, to })
    }
    for (const offer of this.#branches.decided())
      if (!decided.has(offer)) this.#state(offer, after(offer))
  }

  *#counted(offers: Iterable<PlanChange>): Iterable<PlanChange> {
    yield* this.#loose
    yield* offers
    yield* this.#chains.all()
  }

  #state(change: PlanChange, standing: Standing): void {
    change.facts.forEach((fact, position) => {
      const source = sourceOf(change, { standing, position })
      if (fact.kind === 'LINK') this.#stateLink(fact, source)
      else this.#tasks.state(fact, source)
    })
  }

  #withdraw(change: PlanChange, standing: Standing): void {
    change.facts.forEach((fact, position) => {
      const source = sourceOf(change, { standing, position })
      if (fact.kind === 'LINK') this.#withdrawLink(fact, source)
      else this.#tasks.withdraw(fact, source)
    })
  }

  #stateLink({ parent, child }: LinkFact, source: Source): void {
    this.#tasks.mention(parent)
    this.#tasks.mention(child)
    const key = `${parent} ${child}`
    const said = this.#links.get(key) ?? new Statements<null>()
    this.#links.set(key, said)
    said.insert({ value: null, source }, FIRST)
    if (said.first()?.source === source) this.#graph.put(parent, child, source)
  }

  #withdrawLink({ parent, child }: LinkFact, source: Source): void {
    this.#tasks.unmention(parent)
    this.#tasks.unmention(child)
    const key = `${parent} ${child}`
    const said = this.#links.get(key)
    assert(said !== undefined, 'what is withdrawn was stated')
    said.withdraw({ value: null, source }, FIRST)
    const next = said.first()
    if (next !== undefined) return this.#graph.put(parent, child, next.source)
    this.#links.delete(key)
    this.#graph.remove(parent, child)
  }
}

const FIRST = (a: Stated<null>, b: Stated<null>): number => compareSource(a.source, b.source)

function sourceOf(
  { act, envelope, sender, lamport }: PlanChange,
  at: Pick<Source, 'standing' | 'position'>
): Source {
  // Any member may publish the certificate: what it proves is of the envelope that was judged, whoever carries it.
  const judged = act?.kind === 'decide' ? act.proposal : act?.kind === 'end' ? act.commit : null
  return judged === null
    ? { ...at, lamport, sender, envelope }
    : { ...at, lamport: 0, sender: '', envelope: judged }
}

function viewLink({ parent, child, source }: Link): LinkView {
  return { parent, child, source: source.envelope }
}
