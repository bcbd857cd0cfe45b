import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkInput } from './input-file.ts'
import { packageRoot } from './package-root.ts'

/** A text whose words are to be counted. */
export type PlanInput = {
  /** For people. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** The text of a file; without one, the program's own protocol documents, one after the other: a small book that every copy has. */
export async function planInput(file: string | undefined): Promise<PlanInput> {
  if (file !== undefined) {
    const { path } = await checkInput(file, 'a text file')
    return { name: path, bytes: await readFile(path) }
  }
  const folder = join(packageRoot(), 'protocols')
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter(entry => entry.isDirectory()).map(({ name }) => name)
  const texts = names.sort().map(name => readFile(join(folder, name, 'README.md')))
  return { name: 'the protocol documents', bytes: Buffer.concat(await Promise.all(texts)) }
}
