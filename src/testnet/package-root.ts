import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert } from '../core/base/index.ts'

/** Folder of this package: two above the sources, another number above a bundle, so it is looked for. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!isRoot(folder)) {
    const parent = dirname(folder)
    assert(parent !== folder, 'the program lies outside its package')
    folder = parent
  }
  return folder
}

function isRoot(folder: string): boolean {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return false
  return (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === 'can-swarm'
}
