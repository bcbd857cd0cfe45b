import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { Environment } from './environment.ts'

/** Bytes of a Unix socket's path that Linux and macOS both take: sun_path is 108 and 104 with its end mark. */
export const SOCKET_PATH_BYTES_MAX = 103

/**
 * Where a node with this home listens for its commands. The node and its clients compute the same. A home whose path
 * is too long for a socket gets a short folder of its own under $XDG_RUNTIME_DIR or the temporary folder.
 */
export function socketPath(homeDir: string, env: Environment = process.env): string {
  const home = resolve(homeDir)
  const path = join(home, 'node.sock')
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path
  const name = createHash('sha256').update(realPath(home)).digest('hex').slice(0, 24)
  const runtime = env.XDG_RUNTIME_DIR
  const base = runtime?.startsWith('/') && runtime.length < 60 ? runtime : tmpdir()
  return join(base, `can-swarm-${name}`, 'node.sock')
}

/** Whether the socket's folder is one that was made for it alone, not the home. */
export function hasOwnSocketFolder(socketPath: string): boolean {
  return /^can-swarm-[0-9a-f]{24}$/u.test(basename(dirname(socketPath)))
}

/** Two spellings of one home must give one socket. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
