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

/** Tasks that a link may move when it comes; where it would move more, that waits until somebody reads. */
const MOVES_MAX = 256

type Ends = Pick<Link, 'parent' | 'child'>

/**
 * Tasks and the links between them, without circles. Links are taken in source order, and one that would close a circle or make a way
 * too long is left out. What a set of links without flaws allows, each part of it allows too; so a link that fits to all that are in
 * changes nothing of the others, wherever it stands in the order. Only where it does not, and is not the last, or where it would move many tasks,
 * all are looked at again, at once, when somebody asks.
 */
export class TaskGraph {
  readonly #layers = new Layers()
  /** Node of a name. */
  readonly #nodes = new Map<string, number>()
  readonly #names: string[] = []
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
    else this.#take(link, { place: this.#links.size, movesMax: MOVES_MAX })
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
    this.#settle()
    const node = this.#nodes.get(name)
    return node === undefined ? [] : this.#layers.parents(node).map(one => this.#nameOf(one))
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
      const [parent, child] = this.#endsOf(link)
      const way = this.#layers.way(child, parent, added)
      if (way !== null) return [parent, ...way].map(node => this.#nameOf(node))
      added.set(parent, [...(added.get(parent) ?? []), child])
    }
    return null
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
    this.#isStale = false
    this.#flawed = 0
    this.#layers.unlink()
    const links = this.#sorted()
    this.#last = links.at(-1)?.source ?? null
    const first = links.slice(0, PLAN_LINKS_MAX)
    const isSound = this.#layers.linkAll(first.map(link => this.#endsOf(link)))
    for (const [index, link] of links.entries()) {
      if (isSound && index < first.length) link.why = null
      else this.#take(link, { place: index + 1, movesMax: Infinity })
    }
  }

  /** `place`: of the link in source order, from 1. */
  #take(link: Link, { place, movesMax }: { place: number; movesMax: number }): void {
    const isCrowded = place > PLAN_LINKS_MAX || this.#flawed >= PLAN_FLAWS_MAX
    const why = isCrowded ? 'TOO_MANY' : this.#layers.link(...this.#endsOf(link), movesMax)
    if (why === 'COSTLY') this.#isStale = true
    link.why = why === 'COSTLY' ? null : why
    if (link.why !== null) this.#flawed += 1
  }

  #endsOf({ parent, child }: Ends): [parent: number, child: number] {
    return [this.#nodeOf(parent), this.#nodeOf(child)]
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

  #reach(name: string, direction: 'parents' | 'children'): string[] {
    this.#settle()
    const node = this.#nodes.get(name)
    if (node === undefined) return []
    return this.#layers.reach(node, direction).map(one => this.#nameOf(one))
  }
}

function keyOf(parent: string, child: string): string {
  // A space cannot occur in a name.
  return `${parent} ${child}`
}
