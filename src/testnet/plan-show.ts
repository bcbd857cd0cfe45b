import type { ThreadView } from '../core/swarm/index.ts'
import type { SwarmClient } from '../rpc/index.ts'
import type { Screen } from './screen.ts'
import type { Testnet } from './testnet.ts'

/** Shows the tasks of a plan while they run: who is decided for each, and how it ends. */
export class TaskShow {
  readonly #screen: Screen
  readonly #testnet: Testnet
  readonly #startedAt: number
  readonly #shown = new Set<string>()

  constructor(screen: Screen, testnet: Testnet, startedAt: number) {
    this.#screen = screen
    this.#testnet = testnet
    this.#startedAt = startedAt
  }

  /** Looks at each thread of which something is heard, other than the plan's own, until the signal aborts. Never rejects. */
  async follow(client: SwarmClient, plan: string, signal: AbortSignal): Promise<void> {
    try {
      for await (const event of client.events(signal)) {
        if (event.type !== 'thread' && event.type !== 'ended') continue
        const { thread } = event
        if (thread === plan || event.phase === 'OPEN' || event.phase === 'BIDDING') continue
        const key = `${thread} ${event.phase}`
        if (this.#shown.has(key)) continue
        this.#shown.add(key)
        this.#show(await client.call('thread.get', { thread }, { signal }))
      }
    } catch {
      // A node that goes away is told of by those who wait for the result.
    }
  }

  #show({ slot, phase, reason, decide }: ThreadView): void {
    const task = slot.replace(/^.*\/([^/]*)@.*$/u, '$1')
    const who = decide === null ? 'nobody' : this.#testnet.nameOf(decide.worker)
    const text = {
      DECIDED: `${who} is decided for ${task}`,
      COMMITTED: `${who} commits ${task}`,
      FINAL: `${task} by ${who} is FINAL`,
      INVALID: `${task} by ${who} is INVALID: ${reason}`,
      EXPIRED: `${task} is EXPIRED: ${reason}`
    }[phase as 'FINAL']
    if (text === undefined) return
    const seconds = Math.max(0, Date.now() - this.#startedAt) / 1000
    const at = this.#screen.style('dim', `+${seconds.toFixed(3)} s`.padStart(10))
    this.#screen.line(`${at}  ${this.#screen.style('magenta', 'task')}      ${text}`)
  }
}
