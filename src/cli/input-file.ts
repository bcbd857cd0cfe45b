import { stat } from 'node:fs/promises'
import { InputEmptyError, InputNotFoundError } from './errors.ts'

/** Refuses what cannot be read or holds nothing, before a node is troubled with it. */
export async function checkInput(path: string): Promise<void> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'does not exist' : `cannot be read (${cause.code})`
    throw new InputNotFoundError(
      `${path} ${why}: give the path of a file that you can read`,
      {},
      { cause }
    )
  })
  if (stats.isFile() && stats.size === 0)
    throw new InputEmptyError(`${path} is empty: there is nothing to work on`)
}
