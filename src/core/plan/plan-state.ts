import { assert, compareText } from '../base/index.ts'
import type { Fact } from '../envelope/index.ts'
import { compareSource, type Source, sourceOf } from './source.ts'
import type { Annotation, LinkView, PlanChange, PlanView, TaskState, TaskView } from './types.ts'

const STATES: readonly TaskState[] = ['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL']

type AddTask = Extract<Fact, { kind: 'ADD_TASK' }>

/** What is known of one task. Every field is a join: a maximum, a minimum by source, or a growing set. */
type Task = {
  added: { readonly fact: AddTask; readonly source: Source } | null
  rank: number
  readonly inputs: Set<string>
  readonly outputs: Set<string>
  readonly annotations: Map<string, { readonly value: string; readonly source: Source }>
}

type Link = { readonly parent: string; readonly child: string; source: Source }

/**
 * The plan of one thread as a fold over changes. Commutative and idempotent: any order and any repetition of the same
 * changes gives byte-equal views.
 */
export class PlanState {
  readonly #envelopes = new Set<string>()
  readonly #tasks = new Map<string, Task>()
  readonly #links = new Map<string, Link>()

  /** Folds the facts of one envelope in. False when that envelope was there already. */
  apply(change: PlanChange): boolean {
    assert(
      Number.isSafeInteger(change.lamport) && change.lamport >= 0,
      'a Lamport clock is a whole number'
    )
    if (this.#envelopes.has(change.envelope)) return false
    this.#envelopes.add(change.envelope)
    change.facts.forEach((fact, position) => {
      this.#applyFact(fact, sourceOf(change, position))
    })
    return true
  }

  view(): PlanView {
    const names = [...this.#tasks.keys()].sort(compareText)
    const links = [...this.#links.values()].sort((a, b) => compareSource(a.source, b.source))
    return {
      tasks: names.map(name => viewTask(name, this.#tasks.get(name) as Task)),
      links: links.map(viewLink)
    }
  }

  #applyFact(fact: Fact, source: Source): void {
    if (fact.kind === 'LINK') {
      this.#link(fact.parent, fact.child, source)
      return
    }
    const task = this.#task(fact.task)
    switch (fact.kind) {
      case 'ADD_TASK':
        if (task.added === null || compareSource(source, task.added.source) < 0) {
          task.added = { fact, source }
        }
        return
      case 'REQUIRES':
        task.inputs.add(fact.artifact.toString())
        return
      case 'PRODUCES':
        task.outputs.add(fact.artifact.toString())
        return
      case 'STATE':
        task.rank = Math.max(task.rank, STATES.indexOf(fact.state))
        return
      case 'ANNOTATE':
        annotate(task, fact.key, { value: fact.value, source })
    }
  }

  #link(parent: string, child: string, source: Source): void {
    this.#task(parent)
    this.#task(child)
    // A space cannot occur in a name.
    const key = `${parent} ${child}`
    const known = this.#links.get(key)
    if (known === undefined) this.#links.set(key, { parent, child, source })
    else if (compareSource(source, known.source) < 0) known.source = source
  }

  #task(name: string): Task {
    let task = this.#tasks.get(name)
    if (task === undefined) {
      task = { added: null, rank: 0, inputs: new Set(), outputs: new Set(), annotations: new Map() }
      this.#tasks.set(name, task)
    }
    return task
  }
}

function annotate(task: Task, key: string, note: { value: string; source: Source }): void {
  const known = task.annotations.get(key)
  if (known === undefined || compareSource(note.source, known.source) > 0) {
    task.annotations.set(key, note)
  }
}

function viewTask(name: string, task: Task): TaskView {
  const state = STATES[task.rank]
  assert(state !== undefined, 'a task is in one of the four states')
  return {
    task: name,
    type: task.added?.fact.type ?? null,
    source: task.added?.source.envelope ?? null,
    requires: sorted(task.added?.fact.requires ?? []),
    produces: sorted(task.added?.fact.produces ?? []),
    inputs: sorted(task.inputs),
    outputs: sorted(task.outputs),
    state,
    annotations: viewAnnotations(task)
  }
}

function viewAnnotations(task: Task): Annotation[] {
  return [...task.annotations]
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, { value, source }]) => ({
      key,
      value,
      sender: source.sender,
      lamport: source.lamport
    }))
}

function viewLink(link: Link): LinkView {
  return { parent: link.parent, child: link.child, source: link.source.envelope }
}

function sorted(items: Iterable<string>): string[] {
  return [...new Set(items)].sort(compareText)
}
