import { PLAN_DEPTH_MAX } from './limits.ts'
import type { LinkFlaw } from './types.ts'

/** No node, no link. */
const NONE = -1

/** The links of each node in one direction, as chained lists: nothing is allocated for a link but four numbers. */
class Ends {
  /** The first link of each node. */
  readonly first: number[] = []
  /** The next link of the same node, and the node at the other end, of each link. */
  readonly next: number[] = []
  readonly other: number[] = []

  add(node: number, other: number): void {
    this.next.push(this.first[node] as number)
    this.first[node] = this.other.push(other) - 1
  }

  of(node: number): number[] {
    const nodes: number[] = []
    for (let link = this.first[node] as number; link !== NONE; link = this.next[link] as number)
      nodes.push(this.other[link] as number)
    return nodes
  }

  clear(): void {
    this.first.fill(NONE)
    this.next.length = 0
    this.other.length = 0
  }
}

/**
 * A graph without circles, of numbers from 0 on, in layers: a node is in the first one behind all that it waits for. Strangers choose the
 * links, and each may move all nodes; so a step along a link is a few reads of arrays, and a caller says how far one may go.
 */
export class Layers {
  readonly #parents = new Ends()
  readonly #children = new Ends()
  /** Nodes on the longest way here, without this one. */
  readonly #levels: number[] = []
  /** The last link that moved a node, and the next node that it moved out of the same layer. */
  readonly #movedBy: number[] = []
  readonly #nextMoved: number[] = []
  /** The first node that a link moves out of each layer. */
  readonly #firstMoved: number[] = new Array<number>(PLAN_DEPTH_MAX).fill(NONE)
  /** The last of these layers. */
  #deepest = 0
  /** Number of the link that moves nodes, and how many more it may. */
  #mover = 0
  #left = 0

  /** A new node without links. */
  add(): number {
    this.#parents.first.push(NONE)
    this.#children.first.push(NONE)
    this.#levels.push(0)
    this.#nextMoved.push(NONE)
    return this.#movedBy.push(0) - 1
  }

  level(node: number): number {
    return this.#levels[node] as number
  }

  parents(node: number): number[] {
    return this.#parents.of(node)
  }

  /** Forgets all links. */
  unlink(): void {
    this.#parents.clear()
    this.#children.clear()
    this.#levels.fill(0)
  }

  /** Adds links to a graph that has none, and has none again when they close a circle or make a way too long: then it returns false. */
  linkAll(links: Iterable<readonly [parent: number, child: number]>): boolean {
    const waiting = new Array<number>(this.#levels.length).fill(0)
    for (const [parent, child] of links) {
      this.#join(parent, child)
      waiting[child] = (waiting[child] as number) + 1
    }
    const { first, next, other } = this.#children
    const open = [...waiting.keys()].filter(node => waiting[node] === 0)
    let deepest = 0
    for (const node of open) {
      const below = this.level(node) + 1
      for (let link = first[node] as number; link !== NONE; link = next[link] as number) {
        const child = other[link] as number
        if (this.level(child) < below) this.#levels[child] = below
        deepest = Math.max(deepest, below)
        waiting[child] = (waiting[child] as number) - 1
        if (waiting[child] === 0) open.push(child)
      }
    }
    const isSound = open.length === waiting.length && deepest < PLAN_DEPTH_MAX
    if (!isSound) this.unlink()
    return isSound
  }

  /** Adds a link that is not there, or says why that cannot be, or that it would move more nodes than it may; then it changes nothing. */
  link(parent: number, child: number, movesMax: number): LinkFlaw | 'COSTLY' | null {
    if (parent === child) return 'CYCLE'
    const isBehind = this.level(child) > this.level(parent)
    const flaw = isBehind ? null : this.#lower(parent, child, movesMax)
    if (flaw === null) this.#join(parent, child)
    return flaw
  }

  /** Nodes on a way along the links, both ends included, or null. `added`: children besides those that are linked. */
  way(
    start: number,
    end: number,
    added: ReadonlyMap<number, readonly number[]>
  ): readonly number[] | null {
    const cameFrom = new Int32Array(this.#levels.length).fill(NONE)
    cameFrom[start] = start
    const open = [start]
    for (const node of open) {
      if (node === end) return wayBack(cameFrom, start, end)
      for (const next of [...this.#children.of(node), ...(added.get(node) ?? [])]) {
        if (cameFrom[next] !== NONE) continue
        cameFrom[next] = node
        open.push(next)
      }
    }
    return null
  }

  /** All nodes that can be reached, without the start. */
  reach(start: number, direction: 'parents' | 'children'): number[] {
    const ends = direction === 'parents' ? this.#parents : this.#children
    const seen = new Uint8Array(this.#levels.length)
    const reached = [start]
    for (const node of reached)
      for (const other of ends.of(node)) {
        if (seen[other] === 1) continue
        seen[other] = 1
        reached.push(other)
      }
    return reached.slice(1)
  }

  #join(parent: number, child: number): void {
    this.#children.add(parent, child)
    this.#parents.add(child, parent)
  }

  /** Moves a child behind another parent, and what follows on it; or says why that cannot be, and moves all back. */
  #lower(parent: number, child: number, movesMax: number): LinkFlaw | 'COSTLY' | null {
    const from = this.level(child)
    this.#mover += 1
    this.#left = movesMax
    this.#deepest = from
    this.#move(child, this.level(parent) + 1)
    const flaw = this.#moveChildren(parent, from)
    for (let layer = from; layer <= this.#deepest; layer++) {
      let node = flaw === null ? NONE : (this.#firstMoved[layer] as number)
      for (; node !== NONE; node = this.#nextMoved[node] as number) this.#levels[node] = layer
      this.#firstMoved[layer] = NONE
    }
    return flaw
  }

  /** In the order of the layers as they were: a node is looked at when all before it have been. What it moves was in later ones. */
  #moveChildren(parent: number, from: number): LinkFlaw | 'COSTLY' | null {
    const levels = this.#levels
    const { first, next, other } = this.#children
    let isTooDeep = false
    for (let layer = from; layer <= this.#deepest; layer++) {
      let node = this.#firstMoved[layer] as number
      for (; node !== NONE; node = this.#nextMoved[node] as number) {
        const target = (levels[node] as number) + 1
        isTooDeep ||= target > PLAN_DEPTH_MAX
        for (let link = first[node] as number; link !== NONE; link = next[link] as number) {
          const child = other[link] as number
          if (child === parent) return 'CYCLE'
          if ((levels[child] as number) < target) this.#move(child, target)
        }
        if (this.#left < 0) return 'COSTLY'
      }
    }
    return isTooDeep ? 'TOO_DEEP' : null
  }

  #move(node: number, target: number): void {
    if (this.#movedBy[node] !== this.#mover) {
      const layer = this.#levels[node] as number
      this.#movedBy[node] = this.#mover
      this.#nextMoved[node] = this.#firstMoved[layer] as number
      this.#firstMoved[layer] = node
      this.#left -= 1
      if (layer > this.#deepest) this.#deepest = layer
    }
    this.#levels[node] = target
  }
}

function wayBack(cameFrom: Int32Array, start: number, end: number): number[] {
  const way = [end]
  for (let node = end; node !== start; ) {
    node = cameFrom[node] as number
    way.push(node)
  }
  return way.reverse()
}
