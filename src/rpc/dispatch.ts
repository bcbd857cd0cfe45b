import * as v from 'valibot'
import { AccessDeniedError, MethodUnknownError, ParamsInvalidError } from './errors.ts'
import type { Method, MethodResult, Params, Progress } from './methods.ts'
import { type Access, METHOD_NAMES, METHODS } from './schemas.ts'

/** What a handler gets besides its parameters. */
export type RequestContext = {
  /** Aborts when the caller cancels or goes away. */
  readonly signal: AbortSignal
  /** Sends data before the result. A reader that lets too much pile up is cut, so streams of bytes await `drained`. */
  readonly progress: (data: Progress) => void
  /** Resolves when the reader has caught up, or the request has ended. */
  readonly drained: () => Promise<void>
}

/** One handler per method. They reject with a SwarmError, for a refusal with RefusedError. */
export type Handlers = {
  readonly [M in Method]: (params: Params<M>, context: RequestContext) => Promise<MethodResult<M>>
}

const RANK: Readonly<Record<Access, number>> = { read: 0, write: 1, admin: 2 }

/**
 * The way of every request, from the socket or from this process: known method, allowed, parameters of the right form,
 * handler. Calls the handler before it returns, so that requests take effect in the order they came in.
 */
export function dispatch(
  handlers: Handlers,
  request: { method: string; params: unknown; access: Access },
  context: RequestContext
): Promise<unknown> {
  try {
    const method = knownMethod(request.method)
    const entry = METHODS[method]
    if (RANK[request.access] < RANK[entry.access])
      throw new AccessDeniedError(
        `${method} needs ${entry.access} access, this client has ${request.access}`
      )
    const params = checkParams(method, request.params)
    const handler = handlers[method] as (
      params: unknown,
      context: RequestContext
    ) => Promise<unknown>
    return handler(params, context)
  } catch (error) {
    return Promise.reject(error)
  }
}

function knownMethod(method: string): Method {
  if (Object.hasOwn(METHODS, method)) return method as Method
  const namespace = method.split('.')[0]
  const near = METHOD_NAMES.filter(name => name.startsWith(`${namespace}.`))
  const offer = near.length > 0 ? `: there are ${near.join(', ')}` : ''
  throw new MethodUnknownError(`no method ${JSON.stringify(method.slice(0, 64))}${offer}`)
}

function checkParams(method: Method, params: unknown): unknown {
  const result = v.safeParse(METHODS[method].params as v.GenericSchema, params ?? {}, {
    abortEarly: true
  })
  if (result.success) return result.output
  const issue = result.issues[0]
  const where = v.getDotPath(issue)
  throw new ParamsInvalidError(`${method}: ${where === null ? '' : `${where}: `}${issue.message}`)
}
