import type { Socket } from 'node:net'
import type { Logger } from '../ports/index.ts'
import { dispatch, type Handlers, type RequestContext } from './dispatch.ts'
import { describeError, rpcNumberOf } from './error-codes.ts'
import {
  AnswerTooLongError,
  CancelledError,
  RequestInvalidError,
  SlowReaderError,
  TooManyRequestsError
} from './errors.ts'
import {
  CLOSE_GRACE_MS,
  LINE_BYTES_MAX,
  OUTGOING_BYTES_HIGH,
  REQUESTS_PER_CONNECTION_MAX
} from './limits.ts'
import type { Progress } from './methods.ts'
import { type ErrorBody, LineSplitter, type RequestId, type RequestMessage } from './wire.ts'

/** JSON-RPC's own number for what is not JSON. */
const PARSE_ERROR = -32_700
const NOT_A_REQUEST =
  'not a JSON-RPC 2.0 request: one object with jsonrpc "2.0", method, and id of a whole number or text'
const TOO_MANY_REQUESTS = `more than ${REQUESTS_PER_CONNECTION_MAX} requests at once on one connection`

export type ConnectionInit = {
  readonly handlers: Handlers
  readonly logger: Logger | null
  readonly lineBytesMax: number
  readonly outgoingBytesMax: number
}

/** One client of the server: reads requests, runs them side by side, writes answers, bounds everything. */
export class Connection {
  readonly #socket: Socket
  readonly #init: ConnectionInit
  readonly #splitter: LineSplitter
  readonly #running = new Map<RequestId, AbortController>()
  #cut = false
  #isGathering = false

  constructor(socket: Socket, init: ConnectionInit) {
    this.#socket = socket
    this.#init = init
    this.#splitter = new LineSplitter(init.lineBytesMax)
    socket.on('data', chunk => this.#onData(chunk as Buffer))
    // A reset by the client is its business; 'close' follows and ends its requests.
    socket.on('error', () => {})
    socket.on('close', () => this.#abortAll('the client closed its connection'))
  }

  /** Lets running requests know, and closes once the client has read what it was sent. */
  close(): void {
    this.#abortAll('the node is stopping')
    this.#endSoon()
  }

  /** Refuses the whole connection. */
  refuse(error: unknown): void {
    this.#fail(null, error)
    this.#endSoon()
  }

  #onData(chunk: Buffer): void {
    if (this.#cut) return
    try {
      for (const line of this.#splitter.push(chunk)) this.#onLine(line)
    } catch (error) {
      this.refuse(error)
    }
  }

  #onLine(line: string): void {
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch (cause) {
      const error = new RequestInvalidError(`not JSON: ${(cause as Error).message}`, {}, { cause })
      this.#fail(null, error, PARSE_ERROR)
      return
    }
    const request = asRequest(message)
    if (request === null) this.#fail(null, new RequestInvalidError(NOT_A_REQUEST))
    else if (request.id !== undefined) this.#admit(request.id, request)
    else if (request.method === 'cancel') this.#cancel(request.params)
  }

  #cancel(params: unknown): void {
    const id = (params as { id?: unknown } | null | undefined)?.id
    this.#running.get(id as RequestId)?.abort(new CancelledError('the request was cancelled'))
  }

  #admit(id: RequestId, request: RequestMessage): void {
    if (this.#running.has(id))
      this.#fail(id, new RequestInvalidError(`a request with id ${id} is still running`))
    else if (this.#running.size >= REQUESTS_PER_CONNECTION_MAX)
      this.#fail(id, new TooManyRequestsError(TOO_MANY_REQUESTS))
    else this.#run(id, request)
  }

  #run(id: RequestId, request: RequestMessage): void {
    const controller = new AbortController()
    this.#running.set(id, controller)
    const context: RequestContext = {
      signal: controller.signal,
      progress: data => this.#progress(id, data),
      drained: () => this.#drained(controller.signal)
    }
    const { method, params } = request
    dispatch(this.#init.handlers, { method, params, access: 'admin' }, context)
      .then(
        result => {
          this.#running.delete(id)
          this.#answer(id, result ?? null)
        },
        error => {
          this.#running.delete(id)
          this.#fail(id, controller.signal.aborted ? (controller.signal.reason ?? error) : error)
        }
      )
      .catch(error => this.#fail(id, error))
  }

  #answer(id: RequestId, result: unknown): void {
    const line = `${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`
    const bytes = Buffer.byteLength(line)
    if (bytes <= LINE_BYTES_MAX) this.#write(line)
    else
      this.#fail(
        id,
        new AnswerTooLongError(
          `the answer has ${bytes} bytes; a line has ${LINE_BYTES_MAX} at most`
        )
      )
  }

  #progress(id: RequestId, data: Progress): void {
    if (this.#cut || !this.#running.has(id)) return
    if (this.#socket.writableLength <= this.#init.outgoingBytesMax) {
      this.#send({ jsonrpc: '2.0', method: 'progress', params: { id, data } })
      return
    }
    const error = new SlowReaderError(
      `more than ${this.#init.outgoingBytesMax} bytes wait to be read: read faster, or ask for less`
    )
    this.#init.logger?.warn('slow client cut', { waiting: this.#socket.writableLength })
    const running = [...this.#running]
    this.#running.clear()
    for (const [runningId, controller] of running) {
      this.#fail(runningId, error)
      controller.abort(error)
    }
    this.#endSoon()
  }

  async #drained(signal: AbortSignal): Promise<void> {
    if (this.#socket.writableLength < OUTGOING_BYTES_HIGH || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.once('drain', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    this.#socket.off('drain', resolve)
  }

  #fail(id: RequestId | null, error: unknown, number?: number): void {
    const { code, message, hint } = describeError(error)
    if (code === 'INTERNAL' || code === 'ASSERTION')
      this.#init.logger?.error('request failed', {
        code,
        error: String((error as Error)?.stack ?? error)
      })
    const body: ErrorBody = { code: number ?? rpcNumberOf(code), message, data: { code, hint } }
    this.#send({ jsonrpc: '2.0', id, error: body })
  }

  #send(message: object): void {
    this.#write(`${JSON.stringify(message)}\n`)
  }

  #write(line: string): void {
    if (this.#cut || !this.#socket.writable) return
    this.#gather()
    this.#socket.write(line)
  }

  /** What is said in one turn of the event loop leaves together, and after what the node has to say to its peers. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    this.#socket.cork()
    setImmediate(() => {
      this.#isGathering = false
      this.#socket.uncork()
    })
  }

  #endSoon(): void {
    if (this.#cut) return
    this.#cut = true
    this.#socket.end()
    // Read on, or the client's last bytes would turn the orderly end into a reset that loses the error it is to see.
    this.#socket.resume()
    setTimeout(() => this.#socket.destroy(), CLOSE_GRACE_MS).unref()
  }

  #abortAll(why: string): void {
    for (const controller of this.#running.values()) controller.abort(new CancelledError(why))
  }
}

function asRequest(message: unknown): RequestMessage | null {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return null
  const { jsonrpc, id, method } = message as Record<string, unknown>
  if (jsonrpc !== '2.0' || typeof method !== 'string') return null
  const isId = id === undefined || typeof id === 'string' || Number.isSafeInteger(id)
  return isId ? (message as RequestMessage) : null
}
