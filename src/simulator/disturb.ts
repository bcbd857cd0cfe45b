import type { Disturbance } from './faults.ts'
import type { VirtualNode } from './virtual-node.ts'
import type { VirtualWorld } from './world.ts'

/** Schedules disturbances in a world, and takes all of them back. */
export class Disturber {
  readonly #world: VirtualWorld
  /** Links that carry nothing, with how many disturbances say so. */
  readonly #cut = new Map<string, number>()
  readonly #calm: {
    readonly loss: number
    readonly delayMsMax: number
    readonly duplication: number
  }
  #isOver = false

  constructor(world: VirtualWorld) {
    this.#world = world
    const { loss, delayMsMax, duplication } = world
    this.#calm = { loss, delayMsMax, duplication }
    world.linked = (from, to) => !this.#cut.has(`${from.index} ${to.index}`)
  }

  schedule(disturbance: Disturbance): void {
    this.#world.after(disturbance.atMs, () => {
      if (this.#isOver) return
      const end = this.#begin(disturbance)
      this.#world.after(disturbance.forMs, () => this.#isOver || end())
    })
  }

  /** Faults stop: everything runs, is linked, and has the right time. */
  heal(): void {
    const world = this.#world
    this.#isOver = true
    Object.assign(world, this.#calm)
    this.#cut.clear()
    for (const node of world.nodes) {
      setRight(world, node)
      node.fsyncMs = 0
      if (node.paused) world.resume(node)
      if (!node.alive) world.restart(node)
    }
    for (const a of world.nodes) for (const b of world.nodes) if (a !== b) world.connect(a, b)
  }

  /** Lets it happen; returns how it ends. */
  #begin(disturbance: Disturbance): () => void {
    const world = this.#world
    switch (disturbance.kind) {
      case 'partition':
        return this.#partition(disturbance)
      case 'one-way':
        return this.#cutLinks([[disturbance.from, disturbance.to]])
      case 'loss':
        world.loss = disturbance.amount
        return () => Object.assign(world, { loss: this.#calm.loss })
      case 'delay':
        world.delayMsMax = disturbance.amount
        return () => Object.assign(world, { delayMsMax: this.#calm.delayMsMax })
      case 'duplicate':
        world.duplication = disturbance.amount
        return () => Object.assign(world, { duplication: this.#calm.duplication })
      default:
        return this.#beginAt(disturbance, nodeAt(world, disturbance.node))
    }
  }

  #beginAt(
    disturbance: Extract<Disturbance, { readonly node: number }>,
    node: VirtualNode
  ): () => void {
    const world = this.#world
    switch (disturbance.kind) {
      case 'crash': {
        if (!node.alive) return () => undefined
        world.crash(node, disturbance.torn ? world.random.below(node.unsynced.length + 1) : 0)
        return () => node.alive || world.restart(node)
      }
      case 'slow-disk':
        node.fsyncMs = disturbance.fsyncMs
        return () => Object.assign(node, { fsyncMs: 0 })
      case 'skew':
      case 'jump':
        node.skewMs += disturbance.byMs
        return () => Object.assign(node, { skewMs: node.skewMs - disturbance.byMs })
      case 'drift':
        node.skewMs = world.clockOf(node) - world.nowMs
        node.driftPerMille = disturbance.perMille
        node.driftsSince = world.nowMs
        return () => setRight(world, node)
      case 'pause':
        world.pause(node)
        return () => world.resume(node)
    }
  }

  #partition({ side, noticed }: Extract<Disturbance, { readonly kind: 'partition' }>): () => void {
    const world = this.#world
    const other = world.nodes.map(node => node.index).filter(index => !side.includes(index))
    const pairs = side.flatMap(a => other.map(b => [a, b] as const))
    const both = pairs.flatMap(([a, b]): (readonly [number, number])[] => [
      [a, b],
      [b, a]
    ])
    const mend = this.#cutLinks(both)
    if (!noticed) return mend
    for (const [a, b] of both) world.disconnect(nodeAt(world, a), nodeAt(world, b))
    return () => {
      mend()
      for (const [a, b] of both) world.connect(nodeAt(world, a), nodeAt(world, b))
    }
  }

  #cutLinks(pairs: readonly (readonly [number, number])[]): () => void {
    const keys = pairs.map(([from, to]) => `${from} ${to}`)
    for (const key of keys) this.#cut.set(key, (this.#cut.get(key) ?? 0) + 1)
    return () => {
      for (const key of keys) {
        const left = (this.#cut.get(key) ?? 1) - 1
        if (left === 0) this.#cut.delete(key)
        else this.#cut.set(key, left)
      }
    }
  }
}

function setRight(world: VirtualWorld, node: VirtualNode): void {
  node.skewMs = 0
  node.driftPerMille = 0
  node.driftsSince = world.nowMs
}

function nodeAt(world: VirtualWorld, index: number): VirtualNode {
  return world.nodes[index] as VirtualNode
}
