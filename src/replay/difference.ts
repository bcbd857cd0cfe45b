import { equals } from '../core/base/index.ts'
import { CID, encode } from '../core/codec/index.ts'
import { writeDagJson } from './dag-json.ts'
import { type Checked, flawed } from './flaw.ts'

/** Characters of a value that a message quotes. */
const SHOWN_MAX = 400

/** Where two values first differ, as a path and both sides; null when they are the same. */
export function firstDifference(
  expected: unknown,
  found: unknown,
  path = ''
): { readonly field: string; readonly expected: string; readonly found: string } | null {
  if (isSame(expected, found)) return null
  if (isMap(expected) && isMap(found)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(found)])
    for (const key of [...keys].sort()) {
      const inner = firstDifference(expected[key], found[key], path === '' ? key : `${path}.${key}`)
      if (inner !== null) return inner
    }
  }
  if (Array.isArray(expected) && Array.isArray(found)) {
    for (let i = 0; i < Math.max(expected.length, found.length); i++) {
      const inner = firstDifference(expected[i], found[i], `${path}[${i}]`)
      if (inner !== null) return inner
    }
  }
  return { field: path, expected: show(expected), found: show(found) }
}

/** Names the first field that differs, with what was expected (derived) and found (recorded). */
export function difference(
  code: string,
  event: string,
  what: string,
  derived: object,
  recorded: object
): Checked<never> {
  const first = firstDifference(derived, recorded, what)
  if (first === null) return flawed(code, `${event}: another digest`, { event })
  const { field, expected, found } = first
  return flawed(code, `${event}: ${field}: expected ${expected}, found ${found}`, {
    event,
    ...first
  })
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return a === b
  return equals(encode(a), encode(b))
}

function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof Uint8Array) && CID.asCID(value) === null
}

/** Bytes as hex, everything else as DAG-JSON. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text =
    value instanceof Uint8Array
      ? Buffer.from(value).toString('hex')
      : CID.asCID(value) !== null || typeof value === 'string'
        ? String(value)
        : writeDagJson(value)
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text
}
