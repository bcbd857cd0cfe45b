import type { SwarmEvent } from '../core/swarm/index.ts'
import type { RequestContext } from './dispatch.ts'

/** The handler of `events.subscribe` over any source of events: `subscribe` returns how to leave. Ends when the caller does. */
export function forwardEvents(
  context: Pick<RequestContext, 'signal' | 'progress'>,
  subscribe: (listener: (event: SwarmEvent) => void) => () => void
): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const leave = subscribe(context.progress)
  // Leaves at once: a burst of events must not go on for a reader that has just been cut.
  const onAbort = (): void => {
    leave()
    reject(context.signal.reason)
  }
  if (context.signal.aborted) onAbort()
  else context.signal.addEventListener('abort', onAbort, { once: true })
  return promise
}
