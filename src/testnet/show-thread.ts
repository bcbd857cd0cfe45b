import type { SwarmEvent, ThreadView } from '../core/swarm/index.ts'
import type { Screen } from './screen.ts'
import type { Testnet } from './testnet.ts'
import { type SeenVerb, verbText } from './verb-text.ts'

/** Shows a thread while it runs: each verb once, and where each node stands. */
export class ThreadShow {
  readonly #screen: Screen
  readonly #testnet: Testnet
  readonly #startedAt: number
  readonly #shown = new Set<string>()

  constructor(screen: Screen, testnet: Testnet, startedAt: number) {
    this.#screen = screen
    this.#testnet = testnet
    this.#startedAt = startedAt
  }

  /** Shows what is new in a view, in the order in which the node saw it. */
  update(view: ThreadView): void {
    for (const { id, verb, sender, seenAt } of view.envelopes) {
      if (this.#shown.has(id)) continue
      this.#shown.add(id)
      this.#verb({ id, verb, sender, atMs: seenAt }, view)
    }
    this.#screen.live(this.#status(view))
  }

  warn(event: Extract<SwarmEvent, { type: 'warning' }>): void {
    this.#screen.line(`${this.#offset(event.atMs)}  warning: ${event.message}`)
  }

  #verb(seen: SeenVerb, view: ThreadView): void {
    const who = this.#testnet.nameOf(seen.sender).padEnd(8)
    const verb = this.#screen.style('cyan', seen.verb.padEnd(12))
    this.#screen.line(`${this.#offset(seen.atMs)}  ${who}  ${verb}  ${verbText(seen, view)}`)
  }

  #status(view: ThreadView): string[] {
    const { decide, lease, group, verdicts } = view
    const nodes = this.#testnet.nodes.map(node => {
      const { did } = node
      const marks = [
        group?.roster.includes(did)
          ? group.leader === did
            ? 'leads the group'
            : 'in the group'
          : '',
        decide?.worker === did ? 'decided' : '',
        lease?.holder === did ? `works, ${lease.progress} %` : '',
        verdicts.some(one => one.verifier === did) ? 'has judged' : ''
      ].filter(mark => mark !== '')
      const state = node.isRunning ? marks.join(', ') : 'not running'
      return `  ${node.name.padEnd(8)}  ${node.role.title.padEnd(16)}  ${state}`
    })
    return ['', `  ${view.phase}: ${view.reason}`, ...nodes]
  }

  #offset(atMs: number): string {
    const seconds = Math.max(0, atMs - this.#startedAt) / 1000
    return this.#screen.style('dim', `+${seconds.toFixed(3)} s`.padStart(10))
  }
}
