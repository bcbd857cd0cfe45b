import { posix } from 'node:path'
import type { SourceFile } from '../support/source-files.ts'

export type Import = {
  /** Path from the root of the repository for our own files, `package` or `node:module` otherwise. */
  readonly target: string
  readonly own: boolean
  readonly typesOnly: boolean
}

const STATIC = /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gmu
const DYNAMIC = /\bimport\('([^']+)'\)/gu

/** Everything that a file imports or exports from elsewhere. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = []
  for (const [, type, specifier = ''] of file.text.matchAll(STATIC))
    found.push(importOf(file, specifier, type !== undefined))
  for (const [, specifier = ''] of file.text.matchAll(DYNAMIC))
    found.push(importOf(file, specifier, false))
  return found
}

function importOf(file: SourceFile, specifier: string, typesOnly: boolean): Import {
  if (!specifier.startsWith('.')) return { target: specifier, own: false, typesOnly }
  const target = posix.normalize(posix.join(posix.dirname(file.path), specifier))
  return { target, own: true, typesOnly }
}

/** The room of a file of src/, such as `core/raft` or `cli`; null for files that lie in none. */
export function roomOf(path: string): string | null {
  const [src, first, second, third] = path.split('/')
  if (src !== 'src' || first === undefined || second === undefined) return null
  if (first !== 'core' && first !== 'adapters') return first
  return third === undefined ? null : `${first}/${second}`
}

/** `@scope/name` or `name` of an import; null for Node's own modules. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('node:')) return null
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] as string)
}
