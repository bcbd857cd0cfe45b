import { lstat, mkdir, rmdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { hasOwnSocketFolder, SOCKET_PATH_BYTES_MAX } from '../config/index.ts'
import { SocketUnusableError } from './errors.ts'

/** Makes the folder of the socket, mode 0700, and refuses one that others could have put there. */
export async function prepareSocketFolder(socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > SOCKET_PATH_BYTES_MAX)
    throw new SocketUnusableError(
      `the socket's path is longer than ${SOCKET_PATH_BYTES_MAX} bytes: ${socketPath}`
    )
  await mkdir(dirname(socketPath), { recursive: true, mode: 0o700 })
  await checkSocketFolder(socketPath)
}

/** Removes a folder that was made for the socket alone, when nothing is left in it. */
export async function removeSocketFolder(socketPath: string): Promise<void> {
  if (hasOwnSocketFolder(socketPath)) await rmdir(dirname(socketPath)).catch(() => undefined)
}

/** The folder may be in a shared temporary folder: a socket of someone else there would see every command. */
export async function checkSocketFolder(socketPath: string): Promise<void> {
  const folder = dirname(socketPath)
  const stats = await lstat(folder)
  if (!stats.isDirectory() && !stats.isSymbolicLink())
    throw new SocketUnusableError(`not a folder: ${folder}`)
  // Windows has no owners in this sense; its named pipes are guarded otherwise.
  const own = userInfo().uid
  if (own >= 0 && stats.uid !== own)
    throw new SocketUnusableError(
      `${folder} belongs to another user: remove it, or choose another --home`
    )
  if ((stats.mode & 0o022) !== 0 && !stats.isSymbolicLink())
    throw new SocketUnusableError(`others may write to ${folder}: run "chmod 700 ${folder}"`)
}
