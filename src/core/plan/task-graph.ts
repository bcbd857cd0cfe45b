import { assert, compareText } from '../base/index.ts'
import { PLAN_DEPTH_MAX, PLAN_LINKS_MAX } from './limits.ts'
import { compareSource, type Source } from './source.ts'
import type { LinkFlaw } from './types.ts'

type Node = {
  readonly name: string
  /** Tasks on the longest way here, without this one. */
  level: number
  readonly parents: Set<Node>
  readonly children: Set<Node>
}

/** A link with its smallest source; `why` it is left out, or null. */
export type Link = {
  readonly parent: string
  readonly child: string
  source: Source
  why: LinkFlaw | null
}

/**
 * Tasks and the links between them, without circles. Links are taken in source order, and one that would close a circle or make a way
 * too long is left out. What a set of links without flaws allows, each part of it allows too; so a link that fits to all that are in
 * changes nothing of the others, wherever it stands in the order. Only where it does not, and is not the last, the rest is looked at again,
 * when somebody asks.
 */
export class TaskGraph {
  readonly #nodes = new Map<string, Node>()
  readonly #links = new Map<string, Link>()
  /** The largest source of any link so far. */
  #last: Source | null = null
  /** Links that are left out. */
  #flawed = 0
  #isStale = false
  #sorted: Link[] | null = null

  /** Gives a link its source, or another one. */
  put(parent: string, child: string, source: Source): void {
    this.#sorted = null
    const known = this.#links.get(keyOf(parent, child))
    if (known !== undefined) return this.#move(known, source)
    const link: Link = { parent, child, source, why: null }
    const isLast = this.#last === null || compareSource(source, this.#last) > 0
    if (isLast) this.#last = source
    this.#links.set(keyOf(parent, child), link)
    if (this.#isStale) return
    if (this.#links.size > PLAN_LINKS_MAX || (this.#flawed > 0 && !isLast)) this.#isStale = true
    else this.#take(link)
    if (link.why !== null && !isLast) this.#isStale = true
  }

  remove(parent: string, child: string): void {
    if (this.#links.delete(keyOf(parent, child))) this.#isStale = true
    this.#sorted = null
  }

  /** All, in source order. */
  links(): readonly Link[] {
    this.#settle()
    this.#sorted ??= [...this.#links.values()].sort((a, b) => compareSource(a.source, b.source))
    return this.#sorted
  }

  /** Names that a task waits for, unsorted. */
  parents(name: string): string[] {
    this.#settle()
    return [...(this.#nodes.get(name)?.parents ?? [])].map(({ name: parent }) => parent)
  }

  children(name: string): string[] {
    this.#settle()
    return [...(this.#nodes.get(name)?.children ?? [])].map(({ name: child }) => child)
  }

  /** All names that a task waits for, directly or not. Sorted. */
  ancestors(name: string): string[] {
    this.#settle()
    return reached(this.#nodes.get(name), node => node.parents)
  }

  /** All names that wait for a task, directly or not. Sorted. */
  descendants(name: string): string[] {
    this.#settle()
    return reached(this.#nodes.get(name), node => node.children)
  }

  /** Layer by layer: names that wait for nothing, sorted, then those that only wait for these. Names without links are of the first layer. */
  order(names: readonly string[]): string[] {
    this.#settle()
    const level = (name: string): number => this.#nodes.get(name)?.level ?? 0
    return [...names].sort((a, b) => level(a) - level(b) || compareText(a, b))
  }

  /** The names along a circle that these links would close together with those that are in, or null. The first name is repeated at the end. */
  circle(
    links: readonly { readonly parent: string; readonly child: string }[]
  ): readonly string[] | null {
    this.#settle()
    const added = new Map<string, string[]>()
    const childrenOf = (name: string): string[] => [
      ...this.children(name),
      ...(added.get(name) ?? [])
    ]
    for (const { parent, child } of links) {
      const way = wayFrom(child, parent, childrenOf)
      if (way !== null) return [parent, ...way]
      added.set(parent, [...(added.get(parent) ?? []), child])
    }
    return null
  }

  clear(): void {
    this.#nodes.clear()
    this.#links.clear()
    this.#last = null
    this.#flawed = 0
    this.#isStale = false
    this.#sorted = null
  }

  #move(link: Link, source: Source): void {
    const isEarlier = compareSource(source, link.source) < 0
    link.source = source
    const isCounted = this.#links.size <= PLAN_LINKS_MAX
    if (this.#flawed > 0 || !isCounted || !isEarlier) this.#isStale = true
  }

  /** Takes all links anew, in source order. */
  #settle(): void {
    if (!this.#isStale) return
    this.#isStale = false
    this.#sorted = null
    this.#flawed = 0
    this.#nodes.clear()
    const links = [...this.#links.values()].sort((a, b) => compareSource(a.source, b.source))
    this.#last = links.at(-1)?.source ?? null
    for (const [position, link] of links.entries()) {
      link.why = null
      if (position < PLAN_LINKS_MAX) this.#take(link)
      else {
        link.why = 'TOO_MANY'
        this.#flawed += 1
      }
    }
  }

  #take(link: Link): void {
    const parent = this.#nodeOf(link.parent)
    const child = this.#nodeOf(link.child)
    link.why = parent === child ? 'CYCLE' : deepen(parent, child)
    if (link.why === null) {
      parent.children.add(child)
      child.parents.add(parent)
    } else this.#flawed += 1
  }

  #nodeOf(name: string): Node {
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const node = { name, level: 0, parents: new Set<Node>(), children: new Set<Node>() }
    this.#nodes.set(name, node)
    return node
  }
}

/** Moves a task, and what follows on it, below another one; or says why that cannot be, and changes nothing. */
function deepen(parent: Node, child: Node): LinkFlaw | null {
  if (child.level > parent.level) return null
  const moved = new Map<Node, number>([[child, parent.level + 1]])
  // In the order of the levels as they are: a task is looked at when all before it have been.
  const layers = new Map<number, Node[]>([[child.level, [child]]])
  let isTooDeep = false
  for (let layer = child.level; layers.size > 0; layer++) {
    const nodes = layers.get(layer)
    layers.delete(layer)
    for (const node of nodes ?? []) {
      const level = moved.get(node) as number
      isTooDeep ||= level >= PLAN_DEPTH_MAX
      for (const next of node.children) {
        if (next === parent) return 'CYCLE'
        const known = moved.get(next)
        if ((known ?? next.level) > level) continue
        moved.set(next, level + 1)
        if (known === undefined) layers.set(next.level, [...(layers.get(next.level) ?? []), next])
      }
    }
  }
  if (isTooDeep) return 'TOO_DEEP'
  for (const [node, level] of moved) node.level = level
  return null
}

function reached(start: Node | undefined, next: (node: Node) => Set<Node>): string[] {
  const seen = new Set<Node>()
  const open = start === undefined ? [] : [start]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const other of next(node)) {
      if (seen.has(other)) continue
      seen.add(other)
      open.push(other)
    }
  }
  return [...seen].map(({ name }) => name).sort(compareText)
}

/** The names on a way, both ends included, or null. */
function wayFrom(
  start: string,
  end: string,
  childrenOf: (name: string) => readonly string[]
): string[] | null {
  const cameFrom = new Map<string, string | null>([[start, null]])
  const open = [start]
  for (const name of open) {
    if (name === end) return wayBack(name, cameFrom)
    for (const child of childrenOf(name)) {
      if (cameFrom.has(child)) continue
      cameFrom.set(child, name)
      open.push(child)
    }
  }
  return null
}

function wayBack(end: string, cameFrom: ReadonlyMap<string, string | null>): string[] {
  const way: string[] = []
  for (let name: string | null = end; name !== null; name = cameFrom.get(name) ?? null)
    way.unshift(name)
  assert(way.length > 0, 'a way has two ends')
  return way
}

function keyOf(parent: string, child: string): string {
  // A space cannot occur in a name.
  return `${parent} ${child}`
}
