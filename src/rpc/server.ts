import { chmod, lstat, unlink } from 'node:fs/promises'
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net'
import type { Logger } from '../ports/index.ts'
import { Connection } from './connection.ts'
import type { Handlers } from './dispatch.ts'
import { AlreadyRunningError, SocketUnusableError, TooManyRequestsError } from './errors.ts'
import { CONNECTIONS_MAX, LINE_BYTES_MAX, LIVE_CHECK_MS, OUTGOING_BYTES_MAX } from './limits.ts'
import { prepareSocketFolder, removeSocketFolder } from './socket-folder.ts'

const TOO_MANY_CONNECTIONS = `more than ${CONNECTIONS_MAX} connections at once`

export type RpcServerInit = {
  readonly socketPath: string
  readonly handlers: Handlers
  readonly logger?: Logger
  /** Bytes of one line. */
  readonly lineBytesMax?: number
  /** Bytes that may wait for a slow reader. */
  readonly outgoingBytesMax?: number
}

export interface RpcServer {
  readonly socketPath: string
  /** Rejects with AlreadyRunningError when a node answers on the socket, SocketUnusableError when it cannot be used. */
  start(): Promise<void>
  /** Aborts running requests, closes connections after a short grace, removes the socket. Idempotent. */
  stop(): Promise<void>
}

/** Serves `handlers` as newline-delimited JSON-RPC 2.0 on a Unix socket of mode 0600. */
export function rpcServer(init: RpcServerInit): RpcServer {
  const connections = new Set<Connection>()
  const onSocket = (socket: Socket): void => {
    const connection = new Connection(socket, {
      handlers: init.handlers,
      logger: init.logger ?? null,
      lineBytesMax: init.lineBytesMax ?? LINE_BYTES_MAX,
      outgoingBytesMax: init.outgoingBytesMax ?? OUTGOING_BYTES_MAX
    })
    if (connections.size < CONNECTIONS_MAX) connections.add(connection)
    else connection.refuse(new TooManyRequestsError(TOO_MANY_CONNECTIONS))
    socket.on('close', () => connections.delete(connection))
  }
  let server: Server | null = null
  return {
    socketPath: init.socketPath,
    async start() {
      await prepareSocketFolder(init.socketPath)
      await removeStale(init.socketPath)
      server = await listen(init.socketPath, onSocket)
    },
    async stop() {
      const stopping = server
      server = null
      if (stopping === null) return
      const closed = new Promise<void>(resolve => stopping.close(() => resolve()))
      for (const connection of connections) connection.close()
      await closed
      await removeSocketFolder(init.socketPath)
    }
  }
}

/** Unlinks a socket that nobody answers on. Anything else at that path is not ours to remove. */
async function removeStale(socketPath: string): Promise<void> {
  const stats = await lstat(socketPath).catch(() => null)
  if (stats === null) return
  if (!stats.isSocket())
    throw new SocketUnusableError(
      `${socketPath} is not a socket: move it away, the node listens there`
    )
  if (await isAnswered(socketPath))
    throw new AlreadyRunningError(
      `a node already runs on ${socketPath}: stop it with "can-swarm stop", or choose another --home`
    )
  await unlink(socketPath)
}

function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = netConnect(socketPath)
    const finish = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', error => finish((error as NodeJS.ErrnoException).code === 'EAGAIN'))
    // A node whose event loop is stuck still holds the socket: count it as alive.
    socket.setTimeout(LIVE_CHECK_MS, () => finish(true))
  })
}

async function listen(socketPath: string, onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onSocket)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', cause =>
    reject(
      new SocketUnusableError(`cannot listen on ${socketPath}: ${cause.message}`, {}, { cause })
    )
  )
  // The socket is made with this mask, so that there is no moment in which others could connect.
  const mask = process.umask(0o177)
  try {
    server.listen(socketPath, resolve)
  } finally {
    process.umask(mask)
  }
  await promise
  await chmod(socketPath, 0o600)
  return server
}
