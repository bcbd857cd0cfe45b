/** The page of all limits, read from the sources: each constant with its doc comment, which must give unit and reason. */
import { readdirSync, readFileSync } from 'node:fs'

const SOURCES = new URL('../src/', import.meta.url)

/** One limit as the sources state it. */
export type Limit = {
  readonly room: string
  readonly name: string
  readonly value: number
  readonly reason: string
}

/** A constant in upper case on one line; `name` and `expression` are its parts. */
const CONSTANT = /^(?:export )?const (?<name>[A-Z][A-Z0-9_]*)(?:: number)? = (?<expression>.+)$/u
/** Names that say that they bound something; in a file `limits.ts` every number does. */
const LIMIT_NAME = /_(?:MAX|MIN|MS)(?:_|$)|_BYTES$|_BYTES_|_PER_SECOND$/u
/** Twins for tests repeat the limits of what they stand for; the numbers of virtual worlds bound no node. */
const LEFT_OUT = /^(?:adapters\/memory|simulator)\//u

/** Every limit in src/, by room and then in the order of the sources. */
export function limits(): Limit[] {
  const values = new Map<string, number>()
  const found = sourceNames().flatMap(path => limitsOf(path, values))
  return found.sort((a, b) => (a.room < b.room ? -1 : a.room > b.room ? 1 : 0))
}

/** The text of docs/limits.md. */
export function limitsPage(): string {
  const all = limits()
  const rooms = [...new Set(all.map(limit => limit.room))]
  const sections = rooms.flatMap(room => [
    `## ${room}`,
    table(all.filter(limit => limit.room === room))
  ])
  const text = [
    '# Limits',
    '<!-- Written by "npm run docs" from the sources. Change them there. -->',
    'Every limit of the program, by the room of `src/` that keeps it. Names that end in `_MS` are milliseconds, those with `BYTES` bytes, those with `LENGTH` characters; others count what they name. What the policy bounds is in [policies](../policies/README.md); what can be set, in [configuration](configuration.md).',
    ...sections
  ]
  return `${text.join('\n\n')}\n`
}

/** The core first, since others refer to its constants. */
function sourceNames(): string[] {
  const names = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !LEFT_OUT.test(name))
    .sort()
  const rank = (name: string): number =>
    name === 'core/base/limits.ts' ? 0 : name.startsWith('core/') ? 1 : 2
  return names.sort((a, b) => rank(a) - rank(b))
}

function limitsOf(path: string, values: Map<string, number>): Limit[] {
  const room = path.slice(0, path.lastIndexOf('/'))
  const isLimitsFile = path.endsWith('/limits.ts')
  const found: Limit[] = []
  let comment: string[] = []
  let isOpen = false
  for (const line of readFileSync(new URL(path, SOURCES), 'utf8').split('\n')) {
    if (line.startsWith('/**')) comment = []
    if (line.startsWith('/**') || isOpen) {
      isOpen = !line.includes('*/')
      comment.push(line.replace(/^\s*\/?\*+\/?\s?|\s*\*\/\s*$/gu, ''))
      continue
    }
    const { name = '', expression = '' } = CONSTANT.exec(line)?.groups ?? {}
    const value = name === '' ? null : numberOf(expression, values)
    if (value === null) comment = []
    else {
      values.set(name, value)
      const reason = comment.join(' ').trim()
      if (isLimitsFile || LIMIT_NAME.test(name)) found.push({ room, name, value, reason })
    }
  }
  return found
}

/** The value of a product, sum or power of numbers and constants seen before; null for anything else. */
function numberOf(expression: string, values: ReadonlyMap<string, number>): number | null {
  const sum = expression.split(' + ').map(term => product(term, values))
  return sum.some(Number.isNaN) ? null : sum.reduce((total, term) => total + term, 0)
}

function product(term: string, values: ReadonlyMap<string, number>): number {
  const power = /^(\d+) \*\* (\d+)(?: - 1)?$/u.exec(term)
  if (power !== null) return Number(power[1]) ** Number(power[2]) - (term.endsWith(' - 1') ? 1 : 0)
  return term
    .split(' * ')
    .map(part =>
      /^\d[\d_]*$/u.test(part) ? Number(part.replaceAll('_', '')) : (values.get(part) ?? Number.NaN)
    )
    .reduce((total, factor) => total * factor, 1)
}

function table(rows: readonly Limit[]): string {
  return [
    '| limit | value | what and why |',
    '| --- | --- | --- |',
    ...rows.map(
      ({ name, value, reason }) =>
        `| \`${name}\` | ${value.toLocaleString('en-US')} | ${reason.replaceAll('|', '\\|')} |`
    )
  ].join('\n')
}
