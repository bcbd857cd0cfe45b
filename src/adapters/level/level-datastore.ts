import { mkdir } from 'node:fs/promises'
import { LevelDatastore } from 'datastore-level'

/** Opens, or makes, the database in a folder. The caller closes it after whoever uses it has stopped. */
export async function levelDatastore(path: string): Promise<LevelDatastore> {
  await mkdir(path, { recursive: true })
  const datastore = new LevelDatastore(path)
  await datastore.open()
  return datastore
}
