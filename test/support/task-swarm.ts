import type { ThreadView } from '../../src/core/swarm/index.ts'
import type { NeedRequest } from '../../src/rpc/index.ts'
import { decidedFor, ME, OTHER, openThread } from './agent-harness.ts'
import { CID_A } from './fake-handlers.ts'
import { FakeSwarm } from './fake-swarm.ts'

/** One NEED that a coordinator has stated. */
export type Stated = NeedRequest & { readonly thread: string; readonly slot: string }

/** How a stated NEED ends: with these outputs, or not well. */
export type TaskEnd = { readonly outputs: readonly string[] } | { readonly failed: string }

/** A swarm that does whatever is stated: each NEED is decided and ended in a turn of its own, by a rule that the test gives. */
export class TaskSwarm extends FakeSwarm {
  readonly stated: Stated[] = []
  /** Open at once, at most; and of those, not decided yet. */
  openMax = 0
  undecidedMax = 0
  readonly #undecided = new Set<string>()
  readonly #open = new Set<string>()
  #hold: Promise<void> = Promise.resolve()

  constructor(endOf: (need: Stated) => TaskEnd) {
    super()
    this.on('plan.changes', () => ({ changes: [], next: null }))
    this.on('need.state', request => {
      const thread = `thread-${this.stated.length + 1}`
      const need: Stated = { ...request, slot: request.slot ?? '', thread }
      this.stated.push(need)
      this.#undecided.add(thread)
      this.#open.add(thread)
      this.openMax = Math.max(this.openMax, this.#open.size)
      this.undecidedMax = Math.max(this.undecidedMax, this.#undecided.size)
      this.show(this.#viewOf(need, { phase: 'OPEN' }))
      void this.#live(need, endOf)
      return { thread }
    })
  }

  /** A NEED that was stated in an earlier life, and has ended so. */
  adopt(need: Stated, end: TaskEnd): void {
    this.show(this.#endView(need, end))
  }

  /** Nothing ends before this resolves. */
  holdUntil(hold: Promise<void>): void {
    this.#hold = hold
  }

  /** Names of the tasks in the order in which they were stated. */
  tasks(): string[] {
    return this.stated.map(({ slot }) => slot.replace(/^.*\/(.*)@.*\.(\d)$/u, '$1.$2'))
  }

  factsSaid(): { facts: readonly object[]; refs?: readonly string[] }[] {
    return this.calls
      .filter(({ method }) => method === 'plan.add')
      .map(({ params }) => params as never)
  }

  async #live(need: Stated, endOf: (need: Stated) => TaskEnd): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    this.#undecided.delete(need.thread)
    this.show(this.#viewOf(need, { phase: 'DECIDED' }))
    await this.#hold
    await new Promise(resolve => setImmediate(resolve))
    this.#open.delete(need.thread)
    const end = this.#endView(need, endOf(need))
    // A node may have the certificate of an end before it has the log that it is about.
    this.show({ ...end, commit: null })
    await new Promise(resolve => setImmediate(resolve))
    this.show(end)
  }

  #endView(need: Stated, end: TaskEnd): ThreadView {
    if ('failed' in end) return this.#viewOf(need, { phase: 'EXPIRED', reason: end.failed })
    return this.#viewOf(need, {
      phase: 'FINAL',
      commit: { id: 'c', worker: OTHER, outputs: end.outputs, telemetry: { tokens: 2 } },
      finalize: {
        id: `finalize-${need.thread}`,
        result: 'FINAL',
        signers: [],
        payouts: [
          { to: OTHER, amount: '3', why: 'work' },
          { to: ME, amount: '2', why: 'refund' }
        ]
      }
    })
  }

  #viewOf({ thread, slot }: Stated, given: Partial<ThreadView>): ThreadView {
    const { phase = 'OPEN' } = given
    const base = phase === 'OPEN' ? openThread({}) : decidedFor(OTHER)
    return { ...base, thread, slot, requester: ME, openedAt: 1, ...given }
  }
}

/** The NEED whose plan is coordinated: leased to this node. */
export function planThread(given: Partial<ThreadView> = {}): ThreadView {
  return decidedFor(ME, {
    thread: 'bafyplanthread0000000000000001',
    slot: 'book',
    phase: 'CLAIMED',
    inputs: [CID_A],
    expiresAt: Date.now() + 60_000,
    budget: '100',
    ...given
  })
}
