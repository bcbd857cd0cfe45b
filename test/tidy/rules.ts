import type { SourceFile } from '../support/source-files.ts'
import { CORE_PACKAGES, IMPORT_TABLE, OWNED_PACKAGES, TYPES_ONLY } from './import-table.ts'
import { importsOf, packageOf, roomOf } from './imports.ts'

/** What one file does wrong, each as one sentence. */
export type Rule = (file: SourceFile) => string[]

/** Lines of any file. */
export const FILE_LINES_MAX = 500

/** Rooms import only what the table allows. */
export const importTable: Rule = file => {
  const room = roomOf(file.path)
  if (room === null) return []
  const allowed = IMPORT_TABLE[room]
  if (allowed === undefined) return [`the room ${room} is not in the import table`]
  const wrong: string[] = []
  for (const { target, own, typesOnly } of importsOf(file)) {
    const other: string | null = own ? roomOf(target) : room
    if (other === room) continue
    if (other === null || !allowed.includes(other)) wrong.push(`${room} must not import ${target}`)
    else if (!typesOnly && TYPES_ONLY.some(pair => pair.room === room && pair.of === other))
      wrong.push(`${room} may import ${other} for its types only`)
  }
  return wrong
}

/** Outsiders use the door of a room; insiders use its files and never its door. */
export const doors: Rule = file => {
  const room = roomOf(file.path)
  // Tests of a room look inside it.
  if (room === null) return []
  return importsOf(file)
    .filter(({ own }) => own)
    .flatMap(({ target }) => {
      const other = roomOf(target)
      if (other === null || !target.endsWith('.ts')) return []
      const isDoor = target === `src/${other}/index.ts`
      if (other !== room) return isDoor ? [] : [`${target} is imported past the door of ${other}`]
      return isDoor ? [`${target} is the door of its own room: import the file itself`] : []
    })
}

/** The core uses few packages, and packages of one concern stay in its room. */
export const packages: Rule = file => {
  const room = roomOf(file.path)
  if (room === null) return []
  return importsOf(file)
    .filter(({ own }) => !own)
    .flatMap(({ target }) => {
      const name = packageOf(target)
      if (name === null) return []
      if (room.startsWith('core/') && !(CORE_PACKAGES[room] ?? []).includes(name))
        return [`${room} must not import ${name}`]
      const owners = OWNED_PACKAGES[name]
      return owners === undefined || owners.includes(room)
        ? []
        : [`${name} belongs to ${owners.join(', ')}`]
    })
}

/** What a deterministic core cannot have, and why. */
const BANNED_IN_CORE: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\bDate\b/u, 'Date: the core reads the time in its input'],
  [
    /\bMath\.(random|exp|log\w*|pow|sin|cos|tan|sqrt)\b/u,
    'Math: randomness and rounding differ between machines'
  ],
  [/\bPromise\b|\basync\b|\bawait\b/u, 'promises: the core is synchronous'],
  [
    /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/u,
    'timers: the core is told of ticks'
  ],
  [/\bIntl\b|\blocaleCompare\b|\.toLocale\w+/u, 'locales differ between machines'],
  [/\b(WeakRef|FinalizationRegistry)\b/u, 'garbage collection is not deterministic'],
  [/\b(process|console|performance|globalThis)\./u, 'the world around the node'],
  [/\bfetch\(/u, 'the network']
]

/** The core is a function of its inputs. */
export const pureCore: Rule = file => {
  if (!file.path.startsWith('src/core/')) return []
  const code = codeOf(file.text)
  const tokens = BANNED_IN_CORE.filter(([pattern]) => pattern.test(code)).map(([, why]) => why)
  const modules = importsOf(file).filter(({ target }) => target.startsWith('node:'))
  return [...tokens, ...modules.map(({ target }) => `${target}: the core has no I/O`)]
}

/** Operating failures are named classes with a code; bugs are assertions. */
export const namedErrors: Rule = file =>
  file.path.startsWith('src/') && /\bthrow new Error\(/u.test(codeOf(file.text))
    ? ['throw new Error: throw a class of the room that extends SwarmError, or assert']
    : []

/** Nothing is left for later. */
export const finished: Rule = file =>
  // Put together, so that this rule does not find itself.
  new RegExp(
    `\\b(${['TO', 'FIX', 'XX'].map((start, i) => start + ['DO', 'ME', 'X'][i]).join('|')})\\b`,
    'u'
  ).test(file.text)
    ? ['a mark for later work: do it, or open an issue']
    : []

/** A file fits into a head. */
export const fileLength: Rule = file => {
  const lines = file.text.split('\n').length - 1
  return lines > FILE_LINES_MAX ? [`${lines} lines, more than ${FILE_LINES_MAX}`] : []
}

/** Files and folders are named in kebab-case, after the thing that they define. */
export const names: Rule = file => {
  const parts = file.path.split('/')
  const odd = parts.filter(part => !/^[a-z0-9]+(-[a-z0-9]+)*(\.spec|\.d)?(\.ts)?$/u.test(part))
  const vague = parts.filter(part => /^(utils?|helpers?|common|misc|shared)(\.ts)?$/u.test(part))
  return [
    ...odd.map(part => `${part} is not kebab-case`),
    ...vague.map(part => `${part} says nothing: name the thing`)
  ]
}

/** Each room says what it is. */
export const roomComment: Rule = file => {
  const room = roomOf(file.path)
  if (room === null || file.path !== `src/${room}/index.ts`) return []
  return file.text.startsWith('/**')
    ? []
    : ['the door of a room opens with a comment that says what the room is']
}

/** Tests say what is, not what should be, and never wait for time to pass. */
export const testTitles: Rule = file => {
  if (!file.path.endsWith('.spec.ts')) return []
  return /\b(it|describe)\((['"`])[^\n]*\bshould\b/u.test(file.text)
    ? ['a title with "should": say what it does']
    : []
}

/** The text without comments and without what is inside quotes. */
export function codeOf(text: string): string {
  return text.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/gu,
    match => (match.startsWith('/') ? '' : "''")
  )
}

/**
 * Groups of files of which each loads the next, directly or not, back to the first. Types may know each other within a room;
 * between rooms the import table forbids it.
 */
export function cycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(
    files.map(file => [
      file.path,
      importsOf(file)
        .filter(({ own, typesOnly }) => own && !typesOnly)
        .map(({ target }) => target)
    ])
  )
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) found.push([...trail.slice(at), path].join(' -> '))
    if (at >= 0 || done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return found
}

/** Packages that are imported, yet not declared: they work by accident of another's dependencies. */
export function undeclaredPackages(
  files: readonly SourceFile[],
  declared: ReadonlySet<string>
): string[] {
  const missing = new Set<string>()
  for (const file of files)
    for (const { target, own, typesOnly } of importsOf(file)) {
      const name = own || typesOnly ? null : packageOf(target)
      if (name !== null && !declared.has(name)) missing.add(`${name} in ${file.path}`)
    }
  return [...missing]
}
