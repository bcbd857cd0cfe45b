import { assert, compareText } from '../base/index.ts'
import type { LinkView, PlanGraph, PlanView } from './types.ts'

/** Links that the order looks at, in source order. Each costs at most one walk over those before it. */
export const GRAPH_LINKS_MAX = 4096

/**
 * Orders the tasks by their links. A link that would close a circle with links before it (in source order) is left out
 * and reported, so every node leaves out the same ones. `requires` and `produces` name things, not tasks: they do not order.
 */
export function planGraph(view: PlanView): PlanGraph {
  const names = view.tasks.map(task => task.task)
  const { parents, ignored } = acyclicParents(names, view.links)
  const order = topologicalOrder(names, parents)
  assert(order.length === names.length, 'links without circles order every task')

  const final = new Set(view.tasks.filter(task => task.state === 'FINAL').map(task => task.task))
  const ready: string[] = []
  const blocked: { task: string; by: string[] }[] = []
  for (const task of view.tasks) {
    if (task.type === null || task.state !== 'DRAFT') continue
    const by = (parents.get(task.task) ?? []).filter(parent => !final.has(parent)).sort(compareText)
    if (by.length === 0) ready.push(task.task)
    else blocked.push({ task: task.task, by })
  }
  return { order, ready, blocked, ignored }
}

type Ignored = PlanGraph['ignored'][number]

function acyclicParents(
  names: readonly string[],
  links: readonly LinkView[]
): { parents: Map<string, string[]>; ignored: Ignored[] } {
  const parents = new Map<string, string[]>(names.map(name => [name, []]))
  const ignored: Ignored[] = []
  links.forEach((link, position) => {
    if (position >= GRAPH_LINKS_MAX) ignored.push({ ...link, why: 'TOO_MANY' })
    else if (isAncestor(link.child, link.parent, parents)) ignored.push({ ...link, why: 'CYCLE' })
    else parents.get(link.child)?.push(link.parent)
  })
  return { parents, ignored }
}

/** Whether `start` waits for `wanted`, directly or not, or is it. */
function isAncestor(wanted: string, start: string, parents: Map<string, string[]>): boolean {
  const open = [start]
  const seen = new Set(open)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === wanted) return true
    for (const parent of parents.get(name) ?? []) {
      if (seen.has(parent)) continue
      seen.add(parent)
      open.push(parent)
    }
  }
  return false
}

/** Layer by layer: names that wait for nothing left, sorted, then those that they release. */
function topologicalOrder(names: readonly string[], parents: Map<string, string[]>): string[] {
  const waiting = new Map<string, number>()
  const children = new Map<string, string[]>()
  for (const name of names) {
    const before = parents.get(name) ?? []
    waiting.set(name, before.length)
    for (const parent of before) {
      const after = children.get(parent)
      if (after === undefined) children.set(parent, [name])
      else after.push(name)
    }
  }
  const order: string[] = []
  let layer = names.filter(name => waiting.get(name) === 0)
  while (layer.length > 0) {
    order.push(...layer.sort(compareText))
    layer = release(layer, children, waiting)
  }
  return order
}

function release(
  layer: readonly string[],
  children: Map<string, string[]>,
  waiting: Map<string, number>
): string[] {
  const next: string[] = []
  for (const child of layer.flatMap(name => children.get(name) ?? [])) {
    const left = (waiting.get(child) ?? 0) - 1
    assert(left >= 0, 'a task is released once for each link')
    waiting.set(child, left)
    if (left === 0) next.push(child)
  }
  return next
}
