import { isUtf8 } from 'node:buffer'
import { decode as decodeDagCbor } from '@ipld/dag-cbor'
import { assert, DEPTH_MAX } from '../core/base/index.ts'
import { CID, digestOfId } from '../core/codec/index.ts'

/**
 * Canonical DAG-JSON by the platform's own JSON, in a tenth of the library's time: half of what checking a record costs is reading it.
 * Reading gives up (null) on whatever is not plainly canonical, such as integers beyond 2^53; the library decides those. A test holds both to
 * the same answer.
 */

/** A value as `JSON.parse` gives it: links and bytes are still maps with the key `/`. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMap
export type JsonMap = { readonly [key: string]: Json }

/** Maps and lists inside each other: an envelope and what a line puts around it. */
const JSON_DEPTH_MAX: number = DEPTH_MAX + 8

/** The value of a text that is the canonical DAG-JSON of it, or null when that is not plain. */
export function parseDagJson(bytes: Uint8Array): Json | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!isUtf8(buffer)) return null
  const text = buffer.toString('utf8')
  try {
    const value = JSON.parse(text) as Json
    // What JSON leaves free (spaces, escapes, forms of numbers, keys twice) does not survive being written again.
    return JSON.stringify(value) === text && isPlain(value, JSON_DEPTH_MAX) ? value : null
  } catch {
    return null
  }
}

/** Keys in order, integers that are exact, and `/` only where it makes a link or bytes. */
function isPlain(value: Json, depth: number): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value)
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  if (isList(value)) return value.every(item => isPlain(item, depth - 1))
  if (Object.hasOwn(value, '/')) return linkIn(value) !== null || bytesIn(value) !== null
  let last = ''
  for (const [index, key] of Object.keys(value).entries()) {
    if ((index > 0 && key <= last) || !key.isWellFormed()) return false
    last = key
    if (!isPlain(value[key] as Json, depth - 1)) return false
  }
  return true
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text of the CID that a value is, in its one form; null when it is none. */
export function linkIn(value: Json | undefined): string | null {
  const text = isMap(value) ? value['/'] : undefined
  if (typeof text !== 'string' || Object.keys(value as JsonMap).length !== 1) return null
  if (digestOfId(text) !== null) return text
  try {
    return CID.parse(text).toString() === text ? text : null
  } catch {
    return null
  }
}

/** The bytes that a value is; null when it is none, or base64 in another than its one form. */
export function bytesIn(value: Json | undefined): Uint8Array | null {
  const inner = isMap(value) ? value['/'] : undefined
  const text = isMap(inner) ? inner['bytes'] : undefined
  if (typeof text !== 'string' || Object.keys(value as JsonMap).length !== 1) return null
  if (Object.keys(inner as JsonMap).length !== 1) return null
  const bytes = Buffer.from(text, 'base64')
  // A copy: the buffer lies in a pool, and compares unequal to equal bytes.
  return base64Of(bytes) === text ? new Uint8Array(bytes) : null
}

/** Canonical DAG-JSON of a value of the IPLD data model. */
export function writeDagJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return `{"/":{"bytes":"${base64Of(value)}"}}`
  if (Array.isArray(value)) return `[${value.map(writeDagJson).join(',')}]`
  assert(typeof value === 'object', 'a record holds data')
  const link = CID.asCID(value)
  if (link !== null) return `{"/":"${link.toString()}"}`
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${writeDagJson(item)}`).join(',')}}`
}

/** Canonical DAG-JSON of what these canonical DAG-CBOR bytes say. */
export function cborToDagJson(bytes: Uint8Array): string {
  return writeDagJson(decodeDagCbor(bytes))
}

function base64Of(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
  return text.endsWith('==') ? text.slice(0, -2) : text.endsWith('=') ? text.slice(0, -1) : text
}
