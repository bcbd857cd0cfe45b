import type { AgentEvent, Program } from '../../src/agents/index.ts'
import type { ThreadView } from '../../src/core/swarm/index.ts'
import { DID_A, DID_B, fakeThread } from './fake-handlers.ts'

export const ME = DID_A
export const OTHER = DID_B
export const THIRD = 'did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH'
export const CAPABILITY = 'text/upper'

/** A thread that asks for the capability, stated by somebody else. */
export function openThread(given: Partial<ThreadView> = {}): ThreadView {
  return fakeThread({ requester: OTHER, requires: [CAPABILITY], task: CAPABILITY, ...given })
}

export function decidedFor(worker: string, given: Partial<ThreadView> = {}): ThreadView {
  const decide = {
    proposal: 'p',
    worker,
    epoch: 0,
    term: 1,
    index: 4,
    signers: [],
    certified: true
  }
  return openThread({ phase: 'DECIDED', decide, ...given })
}

export function leasedTo(
  holder: string,
  given: Partial<ThreadView> & { readonly index?: number } = {}
): ThreadView {
  const { index = 5, ...rest } = given
  const expiresAt = Date.now() + 60_000
  const lease = { holder, fence: [0, 1, index] as const, expiresAt, progress: 0 }
  return decidedFor(holder, { phase: 'CLAIMED', lease, ...rest })
}

export function committedBy(
  worker: string,
  outputs: readonly string[],
  given: Partial<ThreadView> = {}
): ThreadView {
  const commit = { id: 'bafycommit', worker, outputs, telemetry: {} }
  return decidedFor(worker, { phase: 'COMMITTED', commit, ...given })
}

/** tr a-z A-Z, and how often it ran. */
export function upperProgram(): Program & { runs: number } {
  return {
    name: 'upper',
    runs: 0,
    run(input) {
      this.runs += 1
      const output = Buffer.from(Buffer.from(input).toString('utf8').toUpperCase())
      return Promise.resolve({ output })
    }
  }
}

/** Runs until its signal aborts, and then rejects; or not even then. */
export function hangingProgram(
  init: { readonly deaf?: boolean } = {}
): Program & { readonly started: Promise<void>; readonly aborted: Promise<void> } {
  const started = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  return {
    name: 'hang',
    started: started.promise,
    aborted: aborted.promise,
    run: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        started.resolve()
        signal.addEventListener('abort', () => {
          aborted.resolve()
          if (init.deaf !== true) reject(signal.reason)
        })
      })
  }
}

/** Collects an agent's events; resolves when one of a type comes. */
export class EventLog {
  readonly events: AgentEvent[] = []
  readonly #waiters: { type: string; times: number; resolve: () => void }[] = []

  readonly add = (event: AgentEvent): void => {
    this.events.push(event)
    for (const waiter of this.#waiters)
      if (this.of(waiter.type as never).length >= waiter.times) waiter.resolve()
  }

  of<T extends AgentEvent['type']>(type: T): Extract<AgentEvent, { type: T }>[] {
    return this.events.filter(event => event.type === type) as never
  }

  async next<T extends AgentEvent['type']>(
    type: T,
    times = 1
  ): Promise<Extract<AgentEvent, { type: T }>> {
    if (this.of(type).length < times)
      await new Promise<void>(resolve => this.#waiters.push({ type, times, resolve }))
    return this.of(type).at(-1) as Extract<AgentEvent, { type: T }>
  }
}
