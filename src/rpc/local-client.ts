import { dispatch, type Handlers } from './dispatch.ts'
import { CancelledError } from './errors.ts'
import { EventQueue } from './event-queue.ts'
import type { Method, MethodResult, SwarmClient } from './methods.ts'
import type { Access } from './schemas.ts'

/**
 * A client for agents in the node's own process: the same checks as over the socket, without the bytes. Data crosses as
 * JSON would carry it, so that an agent behaves alike in both places and cannot reach into the node's state.
 */
export function localClient(handlers: Handlers, access: Access = 'write'): SwarmClient {
  const closed = new AbortController()
  const call: SwarmClient['call'] = async (method, params, options = {}) => {
    const signal = AbortSignal.any(
      options.signal ? [options.signal, closed.signal] : [closed.signal]
    )
    if (signal.aborted) throw cancelled(signal)
    const ended = Promise.withResolvers<never>()
    const onAbort = (): void => ended.reject(cancelled(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const context = {
        signal,
        progress: (data: unknown) => options.onProgress?.(plain(data) as never),
        drained: () => Promise.resolve()
      }
      const result = dispatch(handlers, { method, params: plain(params), access }, context)
      return plain(await Promise.race([result, ended.promise])) as MethodResult<Method> as never
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
  return {
    call,
    events: signal => new EventQueue({ call }, signal),
    close: () => closed.abort(new CancelledError('the client was closed'))
  }
}

function cancelled(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  return reason instanceof CancelledError
    ? reason
    : new CancelledError('the call was cancelled', {}, { cause: reason })
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
