import { assert } from '../base/index.ts'
import { PLAN_DEPTH_MAX } from './limits.ts'
import type { LinkFlaw } from './types.ts'

/**
 * A graph without circles, of numbers from 0 on, in layers: a node is in the first one behind all that it waits for. Strangers choose the
 * links, and each may move all nodes; so a step along a link is a few reads of arrays.
 */
export class Layers {
  readonly #parents: number[][] = []
  readonly #children: number[][] = []
  /** Nodes on the longest way here, without this one. */
  readonly #levels: number[] = []
  /** The last link that moved a node. */
  readonly #movedBy: number[] = []
  /** Nodes that a link moves, by the level where they were: the first `#counts` of each list. */
  readonly #moved: number[][] = Array.from({ length: PLAN_DEPTH_MAX }, () => [])
  readonly #counts: number[] = new Array<number>(PLAN_DEPTH_MAX).fill(0)
  /** The last of these layers with any. */
  #deepest = 0
  /** Links that moved something. */
  #moves = 0

  /** A new node without links. */
  add(): number {
    this.#parents.push([])
    this.#children.push([])
    this.#levels.push(0)
    return this.#movedBy.push(0) - 1
  }

  level(node: number): number {
    return at(this.#levels, node)
  }

  parents(node: number): readonly number[] {
    return at(this.#parents, node)
  }

  children(node: number): readonly number[] {
    return at(this.#children, node)
  }

  /** Adds a link that is not there, or says why that cannot be, and changes nothing. */
  link(parent: number, child: number): LinkFlaw | null {
    if (parent === child) return 'CYCLE'
    const flaw = this.level(child) > this.level(parent) ? null : this.#lower(parent, child)
    if (flaw !== null) return flaw
    at(this.#children, parent).push(child)
    at(this.#parents, child).push(parent)
    return null
  }

  /** Nodes on a way along the links, both ends included, or null. `added`: children besides those that are linked. */
  way(
    start: number,
    end: number,
    added: ReadonlyMap<number, readonly number[]>
  ): readonly number[] | null {
    const cameFrom = new Int32Array(this.#levels.length).fill(UNSEEN)
    cameFrom[start] = start
    const open = [start]
    for (const node of open) {
      if (node === end) return wayBack(cameFrom, start, end)
      for (const more of [this.children(node), added.get(node) ?? []])
        for (const next of more) {
          if (cameFrom[next] !== UNSEEN) continue
          cameFrom[next] = node
          open.push(next)
        }
    }
    return null
  }

  /** All nodes that can be reached, without the start. */
  reach(start: number, direction: 'parents' | 'children'): number[] {
    const links = direction === 'parents' ? this.#parents : this.#children
    const seen = new Uint8Array(this.#levels.length)
    const reached: number[] = []
    for (let node: number | undefined = start, next = 0; node !== undefined; node = reached[next++])
      for (const other of at(links, node)) {
        if (seen[other] === 1) continue
        seen[other] = 1
        reached.push(other)
      }
    return reached
  }

  /** Moves a child behind another parent, and what follows on it; or says why that cannot be, and moves all back. */
  #lower(parent: number, child: number): LinkFlaw | null {
    const from = this.level(child)
    this.#moves += 1
    this.#deepest = from
    this.#move(child, this.level(parent) + 1)
    const flaw = this.#moveChildren(parent, from)
    for (let layer = from; layer <= this.#deepest; layer++) {
      if (flaw !== null)
        for (let index = 0; index < at(this.#counts, layer); index++)
          this.#levels[at(at(this.#moved, layer), index)] = layer
      this.#counts[layer] = 0
    }
    return flaw
  }

  /** In the order of the layers as they were: a node is looked at when all before it have been. */
  #moveChildren(parent: number, from: number): LinkFlaw | null {
    const levels = this.#levels
    let isTooDeep = false
    for (let layer = from; layer <= this.#deepest; layer++) {
      const moved = at(this.#moved, layer)
      // What is moved meanwhile was in later layers.
      const count = at(this.#counts, layer)
      for (let index = 0; index < count; index++) {
        const node = moved[index] as number
        const target = (levels[node] as number) + 1
        isTooDeep ||= target > PLAN_DEPTH_MAX
        for (const next of this.#children[node] as number[]) {
          if (next === parent) return 'CYCLE'
          if ((levels[next] as number) < target) this.#move(next, target)
        }
      }
    }
    return isTooDeep ? 'TOO_DEEP' : null
  }

  #move(node: number, target: number): void {
    if (this.#movedBy[node] !== this.#moves) {
      this.#movedBy[node] = this.#moves
      const layer = this.#levels[node] as number
      const count = this.#counts[layer] as number
      const moved = this.#moved[layer] as number[]
      moved[count] = node
      this.#counts[layer] = count + 1
      if (layer > this.#deepest) this.#deepest = layer
    }
    this.#levels[node] = target
  }
}

const UNSEEN = -1

function wayBack(cameFrom: Int32Array, start: number, end: number): number[] {
  const way = [end]
  for (let node = end; node !== start; ) {
    node = cameFrom[node] as number
    way.push(node)
  }
  return way.reverse()
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  assert(item !== undefined, 'a node has its place in every list')
  return item
}
