import { compareText } from '../base/index.ts'
import { Layers } from './layers.ts'
import { PLAN_FLAWS_MAX, PLAN_LINKS_MAX } from './limits.ts'
import { compareSource, type Source } from './source.ts'
import type { LinkFlaw } from './types.ts'

/** A link with its smallest source; `why` it is left out, or null. */
export type Link = {
  readonly parent: string
  readonly child: string
  source: Source
  why: LinkFlaw | null
}

type Ends = Pick<Link, 'parent' | 'child'>

/**
 * Tasks and the links between them, without circles. Links are taken in source order, and one that would close a circle or make a way
 * too long is left out. What a set of links without flaws allows, each part of it allows too; so a link that fits to all that are in
 * changes nothing of the others, wherever it stands in the order. Only where it does not, and is not the last, the rest is looked at again,
 * when somebody asks.
 */
export class TaskGraph {
  #layers = new Layers()
  /** Node of a name. */
  readonly #nodes = new Map<string, number>()
  #names: string[] = []
  readonly #links = new Map<string, Link>()
  /** The largest source of any link so far. */
  #last: Source | null = null
  /** Links that are left out. */
  #flawed = 0
  #isStale = false
  /** All links, new ones at the end; null when some are gone. */
  #list: Link[] | null = []
  #isSorted = true

  /** Gives a link its source, or another one. */
  put(parent: string, child: string, source: Source): void {
    const known = this.#links.get(keyOf(parent, child))
    if (known !== undefined) return this.#move(known, source)
    const link: Link = { parent, child, source, why: null }
    const isLast = this.#last === null || compareSource(source, this.#last) > 0
    if (isLast) this.#last = source
    else this.#isSorted = false
    this.#links.set(keyOf(parent, child), link)
    this.#list?.push(link)
    if (this.#isStale) return
    const isCrowded = this.#links.size > PLAN_LINKS_MAX || this.#flawed > 0
    if (isCrowded && !isLast) this.#isStale = true
    else this.#take(link, this.#links.size)
    if (link.why !== null && !isLast) this.#isStale = true
  }

  remove(parent: string, child: string): void {
    if (!this.#links.delete(keyOf(parent, child))) return
    this.#isStale = true
    this.#list = null
  }

  /** All, in source order. */
  links(): readonly Link[] {
    this.#settle()
    return this.#sorted()
  }

  /** Names that a task waits for, unsorted. */
  parents(name: string): string[] {
    return this.#reach(name, 'parents', 1)
  }

  /** All names that a task waits for, directly or not. Sorted. */
  ancestors(name: string): string[] {
    return this.#reach(name, 'parents').sort(compareText)
  }

  /** All names that wait for a task, directly or not. Sorted. */
  descendants(name: string): string[] {
    return this.#reach(name, 'children').sort(compareText)
  }

  /** Names, which are sorted, layer by layer: those that wait for nothing, then those that only wait for these. Names without links are of the first layer. */
  order(names: readonly string[]): string[] {
    this.#settle()
    const layers: string[][] = []
    for (const name of names) {
      const node = this.#nodes.get(name)
      const level = node === undefined ? 0 : this.#layers.level(node)
      const layer = layers[level]
      if (layer === undefined) layers[level] = [name]
      else layer.push(name)
    }
    return layers.flat()
  }

  /** The names along a circle that these links would close together with those that are in, or null. The first name is repeated at the end. */
  circle(links: readonly Ends[]): readonly string[] | null {
    this.#settle()
    const added = new Map<number, number[]>()
    for (const link of links) {
      const parent = this.#nodeOf(link.parent)
      const child = this.#nodeOf(link.child)
      const way = this.#layers.way(child, parent, added)
      if (way !== null) return [parent, ...way].map(node => this.#nameOf(node))
      added.set(parent, [...(added.get(parent) ?? []), child])
    }
    return null
  }

  #empty(): void {
    this.#layers = new Layers()
    this.#nodes.clear()
    this.#names = []
    this.#flawed = 0
    this.#isStale = false
  }

  #move(link: Link, source: Source): void {
    const order = compareSource(source, link.source)
    if (order === 0) return
    link.source = source
    this.#isSorted = false
    const isCounted = this.#links.size <= PLAN_LINKS_MAX
    if (this.#flawed > 0 || !isCounted || order > 0) this.#isStale = true
  }

  #sorted(): readonly Link[] {
    if (this.#list === null) {
      this.#list = [...this.#links.values()]
      this.#isSorted = false
    }
    if (!this.#isSorted) this.#list.sort((a, b) => compareSource(a.source, b.source))
    this.#isSorted = true
    return this.#list
  }

  /** Takes all links anew, in source order. */
  #settle(): void {
    if (!this.#isStale) return
    this.#empty()
    const links = this.#sorted()
    this.#last = links.at(-1)?.source ?? null
    for (const [index, link] of links.entries()) this.#take(link, index + 1)
  }

  /** `place`: of the link in source order, from 1. */
  #take(link: Link, place: number): void {
    const isCrowded = place > PLAN_LINKS_MAX || this.#flawed >= PLAN_FLAWS_MAX
    link.why = isCrowded
      ? 'TOO_MANY'
      : this.#layers.link(this.#nodeOf(link.parent), this.#nodeOf(link.child))
    if (link.why !== null) this.#flawed += 1
  }

  #nodeOf(name: string): number {
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const node = this.#layers.add()
    this.#nodes.set(name, node)
    this.#names.push(name)
    return node
  }

  #nameOf(node: number): string {
    return this.#names[node] as string
  }

  #reach(name: string, direction: 'parents' | 'children', steps = Infinity): string[] {
    this.#settle()
    const node = this.#nodes.get(name)
    if (node === undefined) return []
    const reached =
      steps === 1 ? this.#layers[direction](node) : this.#layers.reach(node, direction)
    return reached.map(one => this.#nameOf(one))
  }
}

function keyOf(parent: string, child: string): string {
  // A space cannot occur in a name.
  return `${parent} ${child}`
}
