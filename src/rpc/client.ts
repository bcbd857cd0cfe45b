import { connect as netConnect, type Socket } from 'node:net'
import {
  CancelledError,
  ConnectionLostError,
  NodeNotRunningError,
  RemoteError,
  SocketUnusableError
} from './errors.ts'
import { EventQueue } from './event-queue.ts'
import type { MethodResult, Progress, SwarmClient } from './methods.ts'
import { checkSocketFolder } from './socket-folder.ts'
import { type ErrorBody, LineSplitter } from './wire.ts'

type Waiting = {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly onProgress: ((data: Progress) => void) | undefined
}

/** Connects to the node that listens on the socket. Rejects with NodeNotRunningError when there is none. */
export async function connect(socketPath: string): Promise<SwarmClient> {
  const socket = await open(socketPath)
  return new SocketClient(socket)
}

async function open(socketPath: string): Promise<Socket> {
  const notRunning = (cause: unknown): NodeNotRunningError =>
    new NodeNotRunningError(
      `no node answers on ${socketPath}: start one with "can-swarm start"`,
      { socketPath },
      { cause }
    )
  try {
    await checkSocketFolder(socketPath)
  } catch (cause) {
    throw cause instanceof SocketUnusableError ? cause : notRunning(cause)
  }
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = netConnect(socketPath)
  socket.once('connect', () => resolve(socket))
  socket.once('error', cause => {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'EACCES' || code === 'EPERM')
      reject(
        new SocketUnusableError(
          `${socketPath} belongs to another user: run as the user who started the node`,
          {},
          { cause }
        )
      )
    else reject(notRunning(cause))
  })
  return promise
}

class SocketClient implements SwarmClient {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #lost: Error | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    const splitter = new LineSplitter()
    socket.removeAllListeners('error')
    socket.on('data', chunk => {
      try {
        for (const line of splitter.push(chunk as Buffer)) this.#onLine(line)
      } catch (error) {
        this.#lose(error as Error)
      }
    })
    socket.on('error', cause =>
      this.#lose(
        new ConnectionLostError(
          `the connection to the node broke (${cause.message})`,
          {},
          { cause }
        )
      )
    )
    socket.on('close', () => this.#lose(new ConnectionLostError('the node closed the connection')))
  }

  call: SwarmClient['call'] = (method, params, options = {}) => {
    const { signal, onProgress } = options
    if (this.#lost !== null) return Promise.reject(this.#lost)
    if (signal?.aborted) return Promise.reject(reasonOf(signal))
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.set(id, { resolve, reject, onProgress })
    const onAbort = (): void => {
      this.#waiting.delete(id)
      this.#write({ jsonrpc: '2.0', method: 'cancel', params: { id } })
      reject(reasonOf(signal as AbortSignal))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#write({ jsonrpc: '2.0', id, method, params })
    return promise.finally(() => signal?.removeEventListener('abort', onAbort)) as Promise<
      MethodResult<typeof method>
    >
  }

  events: SwarmClient['events'] = signal => new EventQueue(this, signal)

  close(): void {
    this.#lost ??= new ConnectionLostError('the client was closed')
    this.#socket.end()
    this.#lose(this.#lost)
  }

  #write(message: object): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  #onLine(line: string): void {
    const message = JSON.parse(line) as {
      id?: number | null
      result?: unknown
      error?: ErrorBody
      params?: { id: number; data: Progress }
    }
    if (message.params !== undefined)
      this.#waiting.get(message.params.id)?.onProgress?.(message.params.data)
    else if (message.id === null || message.id === undefined) this.#lose(remoteError(message.error))
    else this.#settle(message.id, message)
  }

  #settle(id: number, message: { result?: unknown; error?: ErrorBody }): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (message.error === undefined) waiting?.resolve(message.result)
    else waiting?.reject(remoteError(message.error))
  }

  #lose(error: Error): void {
    this.#lost ??= error
    for (const waiting of this.#waiting.values()) waiting.reject(this.#lost)
    this.#waiting.clear()
    this.#socket.destroySoon()
  }
}

function remoteError(body: ErrorBody | undefined): RemoteError {
  return new RemoteError(
    body?.data?.code ?? 'INTERNAL',
    body?.message ?? 'the node answered without a reason',
    body?.data?.hint ?? ''
  )
}

/** Callers abort with the error that they want to see, such as a timeout; anything else is a cancel. */
function reasonOf(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  return reason instanceof Error && 'code' in reason && typeof reason.code === 'string'
    ? reason
    : new CancelledError('the call was cancelled', {}, { cause: reason })
}
