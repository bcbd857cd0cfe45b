import { CID } from 'multiformats/cid'
import { utf8 } from '../base/index.ts'

/** Bytes to begin with: an envelope fits. */
const ROOM_BYTES: number = 64 * 1024
/** Bytes above which the room is not kept for the next value. */
const ROOM_KEPT_BYTES: number = 1024 * 1024
/** Maps and lists inside each other: twice what the protocol has. */
const PLAIN_DEPTH_MAX = 64
const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5 } as const
/** What stands before the CID of every link: tag 42, then the multibase prefix after the head of the bytes. */
const LINK_TAG: readonly number[] = [0xd8, 0x2a]

/**
 * Canonical DAG-CBOR of plain data, in a fraction of the library's time; null for whatever is not plain (floats, integers beyond 64 bits,
 * maps of other classes, keys beyond ASCII, `undefined`), which the library writes or refuses. A test holds both to the same bytes.
 */
export function writePlain(value: unknown): Uint8Array | null {
  return writer.view(value, NOTHING)?.slice() ?? null
}

/** The same after a head, in memory that the next value is written to: for who looks at it once, as a hash does. */
export function viewPlain(value: unknown, head: Uint8Array): Uint8Array | null {
  return writer.view(value, head)
}

const NOTHING: Uint8Array = new Uint8Array()

class PlainWriter {
  #room: Uint8Array = new Uint8Array(ROOM_BYTES)
  #at = 0

  view(value: unknown, head: Uint8Array): Uint8Array | null {
    this.#at = 0
    this.#raw(head)
    const bytes = this.#write(value, 0) ? this.#room.subarray(0, this.#at) : null
    if (this.#room.length > ROOM_KEPT_BYTES) this.#room = new Uint8Array(ROOM_BYTES)
    return bytes
  }

  /** False for what is not plain. */
  #write(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        return Number.isSafeInteger(value) && this.#integer(value)
      case 'boolean':
        return this.#byte(value ? 0xf5 : 0xf4)
      case 'bigint':
        return this.#bigint(value)
      case 'object':
        return value === null
          ? this.#byte(0xf6)
          : depth < PLAIN_DEPTH_MAX && this.#object(value, depth + 1)
      default:
        return false
    }
  }

  #object(value: object, depth: number): boolean {
    if (value instanceof Uint8Array) {
      this.#head(MAJOR.bytes, value.length)
      return this.#raw(value)
    }
    if (Array.isArray(value)) {
      this.#head(MAJOR.list, value.length)
      for (let index = 0; index < value.length; index++)
        if (!this.#write(value[index], depth)) return false
      return true
    }
    if (value instanceof CID) return this.#link(value)
    const prototype: unknown = Object.getPrototypeOf(value)
    return (
      (prototype === Object.prototype || prototype === null) &&
      this.#map(value as Record<string, unknown>, depth)
    )
  }

  #map(map: Record<string, unknown>, depth: number): boolean {
    const keys = inOrder(Object.keys(map))
    this.#head(MAJOR.map, keys.length)
    for (const key of keys) {
      // What the library takes for a link, and what is not ordered by its characters.
      if (key === '/' || key === 'asCID' || !this.#ascii(key)) return false
      if (!this.#write(map[key], depth)) return false
    }
    return true
  }

  #link({ bytes }: CID): boolean {
    this.#raw(LINK_TAG)
    this.#head(MAJOR.bytes, bytes.length + 1)
    this.#byte(0)
    return this.#raw(bytes)
  }

  #text(text: string): boolean {
    if (this.#ascii(text)) return true
    if (!text.isWellFormed()) return false
    const bytes = utf8(text)
    this.#head(MAJOR.text, bytes.length)
    return this.#raw(bytes)
  }

  /** Nothing is written when it is not ASCII. */
  #ascii(text: string): boolean {
    const before = this.#at
    this.#head(MAJOR.text, text.length)
    this.#reserve(text.length)
    const room = this.#room
    let at = this.#at
    let all = 0
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      all |= code
      room[at++] = code
    }
    this.#at = all < 0x80 ? at : before
    return all < 0x80
  }

  #integer(value: number): boolean {
    if (value < 0) this.#head(MAJOR.negative, -1 - value)
    else this.#head(MAJOR.unsigned, value)
    return true
  }

  #bigint(value: bigint): boolean {
    const rest = value < 0n ? -1n - value : value
    if (rest <= MAX_EXACT) return this.#integer(Number(value))
    if (rest > MAX_64_BITS) return false
    this.#reserve(9)
    const room = this.#room
    room[this.#at] = value < 0n ? 0x3b : 0x1b
    for (let at = 8, left = rest; at > 0; at--, left >>= 8n)
      room[this.#at + at] = Number(left & 0xffn)
    this.#at += 9
    return true
  }

  #head(type: number, value: number): void {
    this.#reserve(9)
    const major = type << 5
    if (value < 24) this.#room[this.#at++] = major | value
    else if (value < 0x100) this.#big(major | 24, value, 1)
    else if (value < 0x1_0000) this.#big(major | 25, value, 2)
    else if (value < 0x1_0000_0000) this.#big(major | 26, value, 4)
    else this.#big(major | 27, value, 8)
  }

  #big(head: number, value: number, size: number): void {
    this.#room[this.#at++] = head
    let rest = value
    for (let at = this.#at + size - 1; at >= this.#at; at--) {
      this.#room[at] = rest % 256
      rest = Math.floor(rest / 256)
    }
    this.#at += size
  }

  #byte(byte: number): true {
    this.#reserve(1)
    this.#room[this.#at++] = byte
    return true
  }

  #raw(bytes: ArrayLike<number>): true {
    this.#reserve(bytes.length)
    this.#room.set(bytes, this.#at)
    this.#at += bytes.length
    return true
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#room.length) return
    const larger = new Uint8Array(2 * (this.#at + size))
    larger.set(this.#room)
    this.#room = larger
  }
}

/** Below it -1 - n is exact, too. */
const MAX_EXACT: bigint = BigInt(Number.MAX_SAFE_INTEGER) - 1n
const MAX_64_BITS = 0xffff_ffff_ffff_ffffn
/** One for the thread: writing is synchronous, and its room is used again. */
const writer = new PlainWriter()

/** In place: of two keys the shorter one first, then by their characters. What was read comes in order already. */
function inOrder(keys: string[]): string[] {
  for (let index = 1; index < keys.length; index++)
    if (compareKeys(keys[index - 1] as string, keys[index] as string) > 0)
      return keys.sort(compareKeys)
  return keys
}

function compareKeys(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1)
}
