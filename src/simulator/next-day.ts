import { CLOCK_SKEW_MS_MAX, ENVELOPE_LIFE_MS_MAX } from '../core/base/index.ts'
import type { Findings } from './checkers/violation.ts'
import type { Watch } from './checkers/watch.ts'
import { manifestDraft, needDraft } from './drafts.ts'
import type { VirtualNode } from './virtual-node.ts'
import type { VirtualWorld } from './world.ts'

/** Longer than any tombstone of a world stands: its NEEDs expire within a minute. */
const DAY_MS: number = ENVELOPE_LIFE_MS_MAX + 2 * CLOCK_SKEW_MS_MAX + 3_600_000
/** Longest time for which a complete thread stays in memory here, and a little; ms. */
const LINGER_MS = 62_000
/** ms for nodes to look through their tombstones, and for a NEED to come to its end. */
const SETTLE_MS = 3_000
const NEED_MS = 10_000
const END_MS = 60_000

/**
 * The day after: tombstones are gone, what is said again of the day before comes through no door, and the slot is free for another NEED (R12).
 */
export class NextDay {
  readonly #world: VirtualWorld
  readonly #watch: Watch
  readonly #findings: Findings

  constructor(world: VirtualWorld, watch: Watch, findings: Findings) {
    this.#world = world
    this.#watch = watch
    this.#findings = findings
  }

  run(): void {
    const world = this.#world
    const old = [...this.#watch.decisions.needs.values()]
    // What is in memory yet is buried later, and remembered for a day from then.
    world.run(LINGER_MS)
    const buried = world.nodes.map(({ swarm }) => old.filter(({ id }) => swarm.tombstone(id)))
    world.sleep(DAY_MS)
    this.#watch.nextDay()
    world.run(SETTLE_MS)
    for (const node of world.nodes) {
      // As the door: of what has expired it remembers nothing.
      node.known.clear()
      for (const { bytes } of old) world.admit(node, bytes, false)
      world.command(node, { type: 'announce', draft: manifestDraft(world.nowMs) })
    }
    world.run(SETTLE_MS)
    for (const node of world.nodes.filter(({ malice }) => malice === null))
      for (const { id } of buried[node.index] ?? [])
        this.#findings.check(
          node.swarm.tombstone(id) === undefined && !node.swarm.has(id),
          'tombstone',
          () => `node ${node.index} knows of ${id} a day later`
        )
    // What was buried only now keeps its slot for another day.
    if (buried[0]?.length === old.length) this.#stateAgain()
  }

  #stateAgain(): void {
    const world = this.#world
    const requester = world.nodes[0] as VirtualNode
    const expiresAt = world.nowMs + NEED_MS
    const draft = needDraft(world.nowMs, { slot: 'slot-0', expiresAt })
    const command = world.command(requester, { type: 'state-need', draft })
    world.run(SETTLE_MS)
    const reply = requester.replies.get(command) as { readonly ok: boolean } | undefined
    this.#findings.check(reply?.ok === true, 'tombstone', () => 'the slot is not free a day later')
    const isOver = (): boolean =>
      world.nodes.every(({ swarm }) => swarm.threadIds().every(id => swarm.isEnded(id)))
    this.#findings.check(
      world.runUntil(isOver, END_MS),
      'liveness',
      () => 'a NEED of the next day does not end'
    )
  }
}
