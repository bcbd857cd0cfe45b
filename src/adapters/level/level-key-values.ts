import { mkdir } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import type { KeyValues, KeyValueWrite } from '../../ports/index.ts'
import { HistoryUnavailableError } from './errors.ts'

/** Opens, or makes, a store of keys and values in a folder. Rejects with HistoryUnavailableError. */
export async function levelKeyValues(init: { readonly path: string }): Promise<KeyValues> {
  const database = new ClassicLevel<string, Uint8Array>(init.path, {
    keyEncoding: 'utf8',
    valueEncoding: 'view'
  })
  try {
    await mkdir(init.path, { recursive: true, mode: 0o700 })
    await database.open()
  } catch (error) {
    throw new HistoryUnavailableError(init.path, error)
  }
  return {
    get: key => database.get(key),
    write: (changes: readonly KeyValueWrite[]) => database.batch([...changes], { sync: true }),
    range: ({ from, to, limit }) =>
      database.iterator({ gte: from, lt: to, ...(limit === undefined ? {} : { limit }) }),
    close: () => database.close()
  }
}
