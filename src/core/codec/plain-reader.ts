import type { CID } from 'multiformats/cid'
import { DEPTH_MAX, fromUtf8 } from '../base/index.ts'
import { isPlainLink, keys, LINK_SIZE, links, texts } from './interned.ts'
import { RESERVED_KEYS } from './reserved-keys.ts'

/**
 * Strict DAG-CBOR in one pass: each head is held to its shortest form, keys to their order, text to UTF-8 and links to the CID profile as they are
 * met, so nothing has to be written again and compared. Many times as fast as the reference in `strict.ts`, which stays the rule: what
 * is refused here (`undefined`) is judged there, and a test holds both to the same answers and values.
 *
 * Equal links and equal short texts of the values are one. `views`: byte fields are views of `bytes`, which the caller then keeps as they are.
 */
export function readPlain(bytes: Uint8Array, views: boolean): unknown {
  return reader.read(bytes, views)
}

/** Head of every link: tag 42 around 37 bytes, of which the first is zero. */
const LINK_HEAD: readonly number[] = [0xd8, 0x2a, 0x58, 0x25, 0]

class PlainReader {
  #bytes: Uint8Array = new Uint8Array()
  #at = 0
  #views = false

  read(bytes: Uint8Array, views: boolean): unknown {
    this.#bytes = bytes
    // A view of a Buffer would be one, which compares unequal to equal bytes.
    this.#views = views && bytes.constructor === Uint8Array
    this.#at = 0
    const value = this.#item(0)
    const isWhole = this.#at === bytes.length
    // Nobody's bytes are held beyond the call.
    this.#bytes = NOTHING
    return isWhole ? value : undefined
  }

  /** The next item; undefined for what is not plain, which no item is. `depth`: of the maps and lists around it. */
  #item(depth: number): unknown {
    const head = this.#bytes[this.#at]
    if (head === undefined) return undefined
    const major = head >> 5
    if (major === 7) return this.#simple(head)
    if (major === 6) return this.#link()
    if (head === 0x1b || head === 0x3b) return this.#wide(head)
    const argument = this.#argument(head & 31)
    if (argument < 0) return undefined
    switch (major) {
      case 0:
        return argument
      case 1:
        return -1 - argument
      case 2:
        return this.#byteField(argument)
      case 3:
        return this.#text(argument)
      case 4:
        return depth < DEPTH_MAX ? this.#list(argument, depth + 1) : undefined
      default:
        return depth < DEPTH_MAX ? this.#map(argument, depth + 1) : undefined
    }
  }

  /** An integer of 64 bits: a number where that is exact. */
  #wide(head: number): number | bigint | undefined {
    const at = this.#at + 1
    if (at + 8 > this.#bytes.length) return undefined
    this.#at = at + 8
    const high = bigEndian(this.#bytes, at, 4)
    const low = bigEndian(this.#bytes, at + 4, 4)
    if (high === 0) return undefined
    const value = high * 0x1_0000_0000 + low
    if (head === 0x1b && value <= Number.MAX_SAFE_INTEGER) return value
    if (head === 0x3b && value < Number.MAX_SAFE_INTEGER) return -1 - value
    const exact = (BigInt(high) << 32n) | BigInt(low)
    return head === 0x1b ? exact : -1n - exact
  }

  #simple(head: number): unknown {
    this.#at += 1
    if (head === 0xf6) return null
    if (head === 0xf5) return true
    return head === 0xf4 ? false : undefined
  }

  /** What a head of up to 32 bits says, in its shortest form; negative for any other. */
  #argument(info: number): number {
    const bytes = this.#bytes
    const at = this.#at + 1
    if (info < 24) {
      this.#at = at
      return info
    }
    // Nothing that is decoded is 4 GiB long.
    if (info > 26) return -1
    const end = at + (1 << (info - 24))
    if (end > bytes.length) return -1
    this.#at = end
    if (info === 24) return atLeast(24, bytes[at] as number)
    return info === 25
      ? atLeast(0x100, bigEndian(bytes, at, 2))
      : atLeast(0x1_0000, bigEndian(bytes, at, 4))
  }

  #byteField(size: number): Uint8Array | undefined {
    const start = this.#at
    const end = start + size
    if (end > this.#bytes.length) return undefined
    this.#at = end
    const part = this.#bytes.subarray(start, end)
    // Not `slice`: on a Buffer it would share the caller's memory.
    return this.#views ? part : new Uint8Array(part)
  }

  #text(size: number): string | undefined {
    const start = this.#at
    const end = start + size
    if (end > this.#bytes.length) return undefined
    this.#at = end
    const known = texts.get(this.#bytes, start, end)
    if (known !== null) return known
    const part = this.#bytes.subarray(start, end)
    // The library drops a byte order mark, so that the reference refuses it.
    if (part[0] === 0xef && part[1] === 0xbb && part[2] === 0xbf) return undefined
    return fromUtf8(part) ?? undefined
  }

  #list(count: number, depth: number): unknown[] | undefined {
    const list: unknown[] = []
    for (let index = 0; index < count; index++) {
      const item = this.#item(depth)
      if (item === undefined) return undefined
      list.push(item)
    }
    return list
  }

  #map(count: number, depth: number): Record<string, unknown> | undefined {
    const map: Record<string, unknown> = {}
    let last = -1
    let lastEnd = -1
    for (let index = 0; index < count; index++) {
      const start = this.#at
      const key = this.#key()
      if (key === undefined || RESERVED_KEYS.has(key)) return undefined
      // The head of a key grows with its size, so heads and texts are compared together.
      if (index > 0 && !isAfter(this.#bytes, last, lastEnd, start, this.#at)) return undefined
      last = start
      lastEnd = this.#at
      const value = this.#item(depth)
      if (value === undefined) return undefined
      map[key] = value
    }
    return map
  }

  #key(): string | undefined {
    const head = this.#bytes[this.#at]
    if (head === undefined || head >> 5 !== 3) return undefined
    const size = this.#argument(head & 31)
    if (size < 0) return undefined
    const start = this.#at
    const known =
      start + size <= this.#bytes.length ? keys.get(this.#bytes, start, start + size) : null
    if (known === null) return this.#text(size)
    this.#at = start + size
    return known
  }

  #link(): CID | undefined {
    const bytes = this.#bytes
    const start = this.#at + LINK_HEAD.length
    const end = start + LINK_SIZE
    if (end > bytes.length) return undefined
    for (let at = 0; at < LINK_HEAD.length; at++)
      if (bytes[this.#at + at] !== LINK_HEAD[at]) return undefined
    if (!isPlainLink(bytes, start)) return undefined
    this.#at = end
    return links.get(bytes, start)
  }
}

const NOTHING: Uint8Array = new Uint8Array()
/** One for the thread: reading is synchronous. */
const reader = new PlainReader()

/** The value, or less than nothing when it fits a shorter form. */
function atLeast(least: number, value: number): number {
  return value < least ? -1 : value
}

function bigEndian(bytes: Uint8Array, start: number, size: number): number {
  let value = 0
  for (let at = start; at < start + size; at++) value = value * 256 + (bytes[at] as number)
  return value
}

/** Whether one key, head and text, comes after another: the longer one, or the greater of two equally long. */
function isAfter(
  bytes: Uint8Array,
  low: number,
  lowEnd: number,
  high: number,
  highEnd: number
): boolean {
  const size = highEnd - high
  if (size !== lowEnd - low) return size > lowEnd - low
  for (let at = 0; at < size; at++) {
    const difference = (bytes[high + at] as number) - (bytes[low + at] as number)
    if (difference !== 0) return difference > 0
  }
  return false
}
