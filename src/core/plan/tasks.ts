import { assert, compareText, unreachable } from '../base/index.ts'
import type { Fact } from '../envelope/index.ts'
import {
  compareLatest,
  compareSource,
  type Source,
  STANDING,
  type Standing,
  type Stated
} from './source.ts'
import { Statements } from './statements.ts'
import type { Annotation, ArtifactView, TaskState, TaskView } from './types.ts'

const STATES: readonly TaskState[] = ['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL']
/** Positions in STATES. */
const DRAFT = 0
const FINAL = 3

const NONE: readonly never[] = []

type AddTask = Extract<Fact, { kind: 'ADD_TASK' }>
type TaskFact = Exclude<Fact, { kind: 'LINK' }>

/** What was said of one task. Of each list the first statement counts; the others take its place when it is withdrawn. */
type Task = {
  readonly name: string
  /** Facts that name it. A task that none names is gone. */
  mentions: number
  readonly added: Statements<AddTask>
  /** Values are positions in STATES. */
  readonly states: Statements<number>
  readonly inputs: Map<string, Statements<null>>
  readonly outputs: Map<string, Statements<null>>
  readonly notes: Map<string, Statements<string>>
  view: TaskView | null
}

/** The tasks of a plan, each with its statements. What is stated can be withdrawn, at the cost of stating it. */
export class PlanTasks {
  readonly #tasks = new Map<string, Task>()
  /** All, new ones at the end; null when some are gone. */
  #names: string[] | null = []
  #isSorted = true

  state(fact: TaskFact, source: Source): void {
    change(this.mention(fact.task), fact, source, 'insert')
  }

  withdraw(fact: TaskFact, source: Source): void {
    const task = this.#tasks.get(fact.task)
    assert(task !== undefined, 'what is withdrawn was stated')
    change(task, fact, source, 'withdraw')
    this.unmention(fact.task)
  }

  /** Something names the task. */
  mention(name: string): Task {
    let task = this.#tasks.get(name)
    if (task === undefined) {
      task = emptyTask(name)
      this.#tasks.set(name, task)
      this.#names?.push(name)
      this.#isSorted = false
    }
    task.mentions += 1
    task.view = null
    return task
  }

  unmention(name: string): void {
    const task = this.#tasks.get(name)
    assert(task !== undefined && task.mentions > 0, 'a task is there while something names it')
    task.mentions -= 1
    task.view = null
    if (task.mentions > 0) return
    this.#tasks.delete(name)
    this.#names = null
    this.#isSorted = false
  }

  has(name: string): boolean {
    return this.#tasks.has(name)
  }

  /** Sorted. */
  names(): readonly string[] {
    if (this.#isSorted && this.#names !== null) return this.#names
    // Names in order with some behind them are sorted in one pass.
    this.#names = (this.#names ?? [...this.#tasks.keys()]).sort(compareText)
    this.#isSorted = true
    return this.#names
  }

  /** Undefined for a name that nothing mentions. `epoch` is that of the decision that stands, or null. */
  view(name: string, epoch: number | null): TaskView | undefined {
    const task = this.#tasks.get(name)
    if (task === undefined) return undefined
    // The epoch of the decision that stands shows in tasks that lost to it.
    const isOfNow = task.view !== null && [null, epoch].includes(task.view.orphanedByEpoch)
    if (!isOfNow) task.view = viewTask(task, epoch)
    return task.view as TaskView
  }

  count(): number {
    return this.#tasks.size
  }

  /** Names of so many tasks at most: first those that insiders have added or moved, then others, as they came. */
  foremost(max: number): string[] {
    if (this.#tasks.size <= max) return [...this.#tasks.keys()]
    const ranked: [string[], string[], string[]] = [[], [], []]
    for (const task of this.#tasks.values()) {
      const ranks = ranked[standingOf(task)]
      if (ranks.length < max) ranks.push(task.name)
    }
    return ranked.flat().slice(0, max)
  }

  /** The view of a task with so many items of each list at most, those of insiders first, and how many are left out. */
  excerpt(
    name: string,
    epoch: number | null,
    itemsMax: number
  ): { readonly view: TaskView; readonly left: number } {
    const task = this.#tasks.get(name)
    assert(task !== undefined, 'an excerpt shows what is there')
    const { inputs, outputs, notes } = task
    const sizes = [inputs.size, outputs.size, notes.size]
    if (sizes.every(size => size <= itemsMax))
      return { view: this.view(name, epoch) as TaskView, left: 0 }
    const cut = {
      inputs: foremostOf(inputs, itemsMax),
      outputs: foremostOf(outputs, itemsMax),
      notes: foremostOf(notes, itemsMax)
    }
    const left = sizes.reduce((sum, size) => sum + Math.max(0, size - itemsMax), 0)
    return { view: viewTask({ ...task, ...cut }, epoch), left }
  }

  /** Added, not begun, and not of a branch that lost. */
  isWaiting(name: string): boolean {
    const task = this.#tasks.get(name)
    const added = task?.added.first()
    return (
      added !== undefined &&
      added.source.standing !== STANDING.orphaned &&
      (task?.states.first()?.value ?? DRAFT) === DRAFT
    )
  }

  isFinal(name: string): boolean {
    return this.#tasks.get(name)?.states.first()?.value === FINAL
  }
}

type Act = 'insert' | 'withdraw'
type Order<T> = Parameters<Statements<T>['insert']>[1]

const first: Order<unknown> = (a, b) => compareSource(a.source, b.source)
const latest: Order<unknown> = (a, b) => compareLatest(a.source, b.source)
const furthest: Order<number> = (a, b) => b.value - a.value || compareSource(a.source, b.source)

function change(task: Task, fact: TaskFact, source: Source, act: Act): void {
  switch (fact.kind) {
    case 'ADD_TASK':
      return task.added[act]({ value: fact, source }, first)
    case 'REQUIRES':
      return changeIn(task.inputs, fact.artifact.toString(), { value: null, source }, act)
    case 'PRODUCES':
      return changeIn(task.outputs, fact.artifact.toString(), { value: null, source }, act)
    case 'STATE': {
      // Only those who have a part in the thread say how far it is.
      const value = STATES.indexOf(fact.state)
      if (value > DRAFT && source.standing !== STANDING.insider) return
      return task.states[act]({ value, source }, furthest)
    }
    case 'ANNOTATE':
      return changeIn(task.notes, fact.key, { value: fact.value, source }, act, latest)
    default:
      unreachable(fact)
  }
}

function changeIn<T>(
  all: Map<string, Statements<T>>,
  key: string,
  one: Stated<T>,
  act: Act,
  compare: Order<T> = first
): void {
  const known = all.get(key) ?? new Statements<T>()
  known[act](one, compare)
  if (known.isEmpty()) all.delete(key)
  else all.set(key, known)
}

/** The best standing of what makes a task one. */
function standingOf({ added, states }: Task): Standing {
  const one = added.first()?.source.standing ?? STANDING.stranger
  const other = states.first()?.source.standing ?? STANDING.stranger
  return Math.min(one, other) as Standing
}

function foremostOf<T>(
  all: ReadonlyMap<string, Statements<T>>,
  max: number
): Map<string, Statements<T>> {
  if (all.size <= max) return new Map(all)
  const insiders: [string, Statements<T>][] = []
  const others: [string, Statements<T>][] = []
  for (const one of all) {
    const isInsider = one[1].first()?.source.standing === STANDING.insider
    const ranks = isInsider ? insiders : others
    if (ranks.length < max) ranks.push(one)
  }
  return new Map([...insiders, ...others].slice(0, max))
}

function emptyTask(name: string): Task {
  return {
    name,
    mentions: 0,
    added: new Statements(),
    states: new Statements(),
    inputs: new Map(),
    outputs: new Map(),
    notes: new Map(),
    view: null
  }
}

function viewTask(task: Task, epoch: number | null): TaskView {
  const added = task.added.first()
  const state = task.states.first()
  return {
    task: task.name,
    type: added?.value.type ?? null,
    source: added?.source.envelope ?? null,
    requires: sorted(added?.value.requires ?? []),
    produces: sorted(added?.value.produces ?? []),
    inputs: viewArtifacts(task.inputs),
    outputs: viewArtifacts(task.outputs),
    state: STATES[state?.value ?? DRAFT] as TaskState,
    stateSource: state?.source.envelope ?? null,
    annotations: viewNotes(task.notes),
    orphanedByEpoch: added?.source.standing === STANDING.orphaned ? epoch : null
  }
}

function viewArtifacts(all: ReadonlyMap<string, Statements<null>>): readonly ArtifactView[] {
  if (all.size === 0) return NONE
  return [...all]
    .sort(([a], [b]) => compareText(a, b))
    .map(([artifact, said]) => ({
      artifact,
      source: (said.first() as Stated<null>).source.envelope
    }))
}

function viewNotes(all: ReadonlyMap<string, Statements<string>>): readonly Annotation[] {
  if (all.size === 0) return NONE
  return [...all]
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, said]) => {
      const { value, source } = said.first() as Stated<string>
      const { envelope, sender, lamport } = source
      return { key, value, source: envelope, sender, lamport }
    })
}

function sorted(items: readonly string[]): readonly string[] {
  if (items.length === 0) return NONE
  return [...new Set(items)].sort(compareText)
}
