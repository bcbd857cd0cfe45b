import { printable } from '../core/base/index.ts'
import type { PlanGraph, PlanView, TaskView } from '../core/plan/index.ts'
import { type Output, type Style, shortId } from './output.ts'

/** Lines that a tree is drawn with at most: beyond it `--json` and `--dot` are the way to look. */
const ROWS_MAX = 2_000
/** Tasks below each other that are drawn: the next ones would begin beyond the edge of any screen. */
const LEVELS_MAX = 40

export type Plan = {
  readonly view: PlanView
  readonly graph: PlanGraph
  /** Requester and decided worker: only their notes say how a task goes. */
  readonly insiders: readonly string[]
}

/**
 * The plan as a tree: the tasks for which nobody waits, and below each what it waits for. A task that several wait for is shown once;
 * elsewhere its name stands for it.
 */
export function planTree(out: Output, plan: Plan): string[] {
  const tree = new Tree(out, plan)
  for (const name of rootsOf(plan)) tree.draw(name)
  return tree.lines
}

function rootsOf({ view, graph }: Plan): string[] {
  const ignored = new Set(graph.ignored.map(({ parent, child }) => `${parent} ${child}`))
  const waited = new Set(
    view.links
      .filter(({ parent, child }) => !ignored.has(`${parent} ${child}`))
      .map(({ parent }) => parent)
  )
  return graph.order.filter(name => !waited.has(name)).toReversed()
}

class Tree {
  readonly lines: string[] = []
  readonly #out: Output
  readonly #tasks: ReadonlyMap<string, TaskView>
  readonly #waitsFor = new Map<string, string[]>()
  readonly #blocked: ReadonlyMap<string, readonly string[]>
  readonly #ready: ReadonlySet<string>
  readonly #insiders: ReadonlySet<string>
  readonly #drawn = new Set<string>()

  constructor(out: Output, { view, graph, insiders }: Plan) {
    this.#insiders = new Set(insiders)
    this.#out = out
    this.#tasks = new Map(view.tasks.map(task => [task.task, task]))
    this.#ready = new Set(graph.ready)
    this.#blocked = new Map(graph.blocked.map(({ task, by }) => [task, by]))
    const ignored = new Set(graph.ignored.map(({ parent, child }) => `${parent} ${child}`))
    const place = new Map(graph.order.map((name, index) => [name, index]))
    for (const { parent, child } of view.links) {
      if (ignored.has(`${parent} ${child}`)) continue
      this.#waitsFor.set(child, [...(this.#waitsFor.get(child) ?? []), parent])
    }
    for (const parents of this.#waitsFor.values())
      parents.sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0))
  }

  /** Draws a task and what it waits for. Not by recursion: a plan may be a long chain. */
  draw(root: string): void {
    const open = [{ name: root, lead: '', below: '', level: 1 }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { name, lead, below, level } = next
      if (this.lines.length >= ROWS_MAX) {
        if (this.lines.length === ROWS_MAX) this.lines.push('...')
        return
      }
      if (this.#drawn.has(name)) {
        this.lines.push(`${lead}${name}  ${this.#out.style('dim', '(see above)')}`)
        continue
      }
      this.#drawn.add(name)
      this.lines.push(`${lead}${this.#task(name)}`)
      const parents = this.#waitsFor.get(name) ?? []
      if (level === LEVELS_MAX && parents.length > 0) {
        this.lines.push(`${below}└─ ...`)
        continue
      }
      for (const [index, parent] of parents.toReversed().entries()) {
        const isLast = index === 0
        open.push({
          name: parent,
          level: level + 1,
          lead: `${below}${isLast ? '└─ ' : '├─ '}`,
          below: `${below}${isLast ? '   ' : '│  '}`
        })
      }
    }
  }

  #task(name: string): string {
    const task = this.#tasks.get(name)
    if (task === undefined) return name
    const note = (key: string): string | undefined => {
      const value = task.annotations.find(
        one => one.key === key && this.#insiders.has(one.sender)
      )?.value
      return value === undefined ? undefined : printable(value)
    }
    const [worker, thread, failed] = [note('worker'), note('thread'), note('failed')]
    const parts = [
      this.#out.style('bold', name),
      task.type === null
        ? this.#out.style('dim', 'not added')
        : task.type === name
          ? ''
          : task.type,
      this.#out.style(STYLES[task.state], task.state),
      task.orphanedByEpoch === null
        ? ''
        : this.#out.style('yellow', `orphaned by epoch ${task.orphanedByEpoch}`),
      this.#ready.has(name) ? 'ready' : '',
      this.#blocked.has(name) ? `waits for ${this.#blocked.get(name)?.length}` : '',
      worker === undefined ? '' : `by ${shortId(worker)}`,
      thread === undefined ? '' : this.#out.style('dim', `thread ${shortId(thread)}`),
      task.outputs.length === 0
        ? ''
        : `-> ${task.outputs.map(({ artifact }) => shortId(artifact)).join(' ')}`,
      failed === undefined || task.state === 'FINAL' ? '' : this.#out.style('yellow', failed)
    ]
    return parts.filter(part => part !== '').join('  ')
  }
}

const STYLES: Readonly<Record<TaskView['state'], Style>> = {
  DRAFT: 'dim',
  DECIDED: 'magenta',
  VERIFIED: 'cyan',
  FINAL: 'green'
}
