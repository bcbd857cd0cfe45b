/** Bytes to begin with: an envelope fits. */
const ROOM_BYTES: number = 64 * 1024
/** Bytes of the room that the pieces of one map may be moved through; larger maps are left to the slow way. */
const MOVED_BYTES_MAX: number = 128 * 1024
/** Maps and lists inside each other. What nests deeper is left to the slow way, which refuses it where it must. */
const NESTED_MAX = 40
/** Digits of an integer that is surely exact. */
const DIGITS_MAX = 15
/** Bytes of the one form of CID that protocols have, and characters of its text: `b`, then base32. */
const LINK_BYTES = 36
const LINK_CHARACTERS = 59

/** ASCII. */
const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const SLASH = 0x2f
const ZERO = 0x30
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const B = 0x62
const OPEN_MAP = 0x7b
const CLOSE_MAP = 0x7d

const BASE32: Int8Array = valuesOf('abcdefghijklmnopqrstuvwxyz234567')
const BASE64: Int8Array = valuesOf(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
)
const NULL: Uint8Array = ascii('null')
const TRUE: Uint8Array = ascii('true')
const FALSE: Uint8Array = ascii('false')
const SPECIAL: Uint8Array = ascii('"/":')
const BYTES: Uint8Array = ascii('{"bytes":"')
const CLOSE_LINK: Uint8Array = ascii('"}')
const CLOSE_BYTES: Uint8Array = ascii('"}}')
/** What stands before a CID in DAG-CBOR: the tag, the head of 37 bytes, and the first of them. */
const LINK_HEAD: readonly number[] = [0xd8, 0x2a, 0x58, 0x25, 0]
/** Multicodecs of DAG-PB, raw bytes and DAG-CBOR. */
const LINK_CODECS: readonly number[] = [0x70, 0x55, 0x71]

/**
 * Turns canonical DAG-JSON straight into canonical DAG-CBOR, byte by byte: what most of a record consists of is never made into objects only to
 * be written again. Reads whatever is written as nearly all envelopes are and gives up on the rest (escapes in text, large integers,
 * keys beyond ASCII, anything that is not canonical), which is then read the slow way; a test holds both to the same bytes.
 *
 * The caller has seen to it that the bytes are UTF-8.
 */
export class EnvelopeReader {
  #bytes: Uint8Array = new Uint8Array()
  /** Where the next character is read. */
  at = 0
  #room: Uint8Array = new Uint8Array(ROOM_BYTES)
  #end = 0
  readonly #moved: Uint8Array = new Uint8Array(MOVED_BYTES_MAX)

  start(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes
    this.at = at
  }

  /** The value that begins here, as DAG-CBOR in memory of its own; null when this is for the slow way. */
  value(): Uint8Array | null {
    this.#end = 0
    return this.#value(0) ? this.#room.slice(0, this.#end) : null
  }

  /** Takes these characters; false when others stand here. */
  literal(expected: Uint8Array): boolean {
    for (let index = 0; index < expected.length; index++)
      if (this.#bytes[this.at + index] !== expected[index]) return false
    this.at += expected.length
    return true
  }

  /** A count in its one form; negative when none stands here. */
  count(): number {
    const start = this.at
    let value = 0
    for (;;) {
      const digit = (this.#bytes[this.at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      this.at += 1
    }
    const size = this.at - start
    const isPlain = size > 0 && size <= DIGITS_MAX && (size === 1 || this.#bytes[start] !== ZERO)
    return isPlain ? value : -1
  }

  #value(depth: number): boolean {
    if (depth > NESTED_MAX) return false
    switch (this.#bytes[this.at]) {
      case QUOTE:
        this.at += 1
        return this.#text()
      case OPEN_MAP:
        this.at += 1
        return this.literal(SPECIAL) ? this.#special() : this.#map(depth)
      case OPEN_LIST:
        this.at += 1
        return this.#list(depth)
      case 0x6e:
        return this.literal(NULL) && this.#byte(0xf6)
      case 0x74:
        return this.literal(TRUE) && this.#byte(0xf5)
      case 0x66:
        return this.literal(FALSE) && this.#byte(0xf4)
      default:
        return this.#integer()
    }
  }

  #integer(): boolean {
    const isNegative = this.#bytes[this.at] === MINUS
    if (isNegative) this.at += 1
    const value = this.count()
    if (value < 0 || (isNegative && value === 0)) return false
    this.#reserve(9)
    this.#end += writeHead(
      this.#room,
      this.#end,
      isNegative ? 1 : 0,
      isNegative ? value - 1 : value
    )
    return true
  }

  /** Text up to its quote. Its head is written last, when its size is known. */
  #text(): boolean {
    const bytes = this.#bytes
    const start = this.at
    let at = start
    for (;;) {
      const code = bytes[at] ?? 0
      if (code === QUOTE) break
      // What JSON may escape, it must not leave as it is, and the other way round.
      if (code < 0x20 || code === BACKSLASH) return false
      at += 1
    }
    const size = at - start
    this.#reserve(9 + size)
    const room = this.#room
    let end = this.#end + writeHead(room, this.#end, 3, size)
    for (let from = start; from < at; from++) room[end++] = bytes[from] as number
    this.#end = end
    this.at = at + 1
    return true
  }

  #list(depth: number): boolean {
    const head = this.#end
    this.#byte(0)
    let count = 0
    if (this.#bytes[this.at] === CLOSE_LIST) this.at += 1
    else
      for (;;) {
        if (!this.#value(depth + 1)) return false
        count += 1
        const next = this.#bytes[this.at++]
        if (next === CLOSE_LIST) break
        if (next !== COMMA) return false
      }
    return this.#putHead(head, 4, count)
  }

  /** Keys come in the order of their bytes; in DAG-CBOR the shorter ones come first. */
  #map(depth: number): boolean {
    const head = this.#end
    this.#byte(0)
    /** Where each entry begins, and how long its key is. */
    const starts: number[] = []
    const sizes: number[] = []
    if (this.#bytes[this.at] === CLOSE_MAP) this.at += 1
    else
      for (let last = -1; ; ) {
        const key = this.at
        starts.push(this.#end)
        if (this.#bytes[this.at++] !== QUOTE || !this.#text()) return false
        const size = this.at - key - 2
        sizes.push(size)
        if (!isKey(this.#bytes, key + 1, size)) return false
        if (last >= 0 && !isAfter(this.#bytes, last + 1, key + 1)) return false
        last = key
        if (this.#bytes[this.at++] !== COLON || !this.#value(depth + 1)) return false
        const next = this.#bytes[this.at++]
        if (next === CLOSE_MAP) break
        if (next !== COMMA) return false
      }
    if (!this.#sort(starts, sizes)) return false
    return this.#putHead(head, 5, starts.length)
  }

  /** Moves the entries of the last map so that shorter keys come first; equally long ones are in order. */
  #sort(starts: readonly number[], sizes: readonly number[]): boolean {
    if (sizes.every((size, index) => index === 0 || size >= (sizes[index - 1] as number)))
      return true
    const first = starts[0] as number
    if (this.#end - first > this.#moved.length) return false
    const order = sizes.map((_, index) => index)
    order.sort((a, b) => (sizes[a] as number) - (sizes[b] as number) || a - b)
    let at = 0
    for (const index of order) {
      const part = this.#room.subarray(starts[index], starts[index + 1] ?? this.#end)
      this.#moved.set(part, at)
      at += part.length
    }
    this.#room.set(this.#moved.subarray(0, at), first)
    return true
  }

  /** A link or bytes, after `{"/":`. */
  #special(): boolean {
    if (this.#bytes[this.at] !== QUOTE)
      return this.literal(BYTES) && this.#base64() && this.literal(CLOSE_BYTES)
    this.at += 1
    return this.#link() && this.literal(CLOSE_LINK)
  }

  #link(): boolean {
    this.#reserve(LINK_HEAD.length + LINK_BYTES)
    const room = this.#room
    for (const byte of LINK_HEAD) room[this.#end++] = byte
    const start = this.#end
    this.#end += LINK_BYTES
    const isRead = readBase32(this.#bytes, this.at, room, start)
    this.at += LINK_CHARACTERS
    return (
      isRead &&
      room[start] === 1 &&
      LINK_CODECS.includes(room[start + 1] as number) &&
      room[start + 2] === 0x12 &&
      room[start + 3] === 0x20
    )
  }

  #base64(): boolean {
    const bytes = this.#bytes
    const start = this.at
    let at = start
    while ((BASE64[bytes[at] ?? 0] as number) >= 0) at += 1
    const count = at - start
    const rest = count & 3
    if (rest === 1) return false
    const size = (count >> 2) * 3 + (rest === 0 ? 0 : rest - 1)
    this.#reserve(9 + size + 3)
    const room = this.#room
    let end = this.#end + writeHead(room, this.#end, 2, size)
    let held = 0
    let bits = 0
    for (let from = start; from < at; from++) {
      held = (held << 6) | (BASE64[bytes[from] as number] as number)
      bits += 6
      if (bits < 8) continue
      bits -= 8
      room[end++] = held >> bits
      held &= (1 << bits) - 1
    }
    this.#end = end
    this.at = at
    // What is left over of the last character is zero in the one form that bytes have.
    return held === 0
  }

  /** The head of a list or a map, for which one byte was left. */
  #putHead(at: number, type: number, count: number): true {
    const size = headSize(count)
    if (size > 1) {
      this.#reserve(size)
      this.#room.copyWithin(at + size, at + 1, this.#end)
      this.#end += size - 1
    }
    writeHead(this.#room, at, type, count)
    return true
  }

  #byte(byte: number): true {
    this.#reserve(1)
    this.#room[this.#end++] = byte
    return true
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#room.length) return
    const larger = new Uint8Array(2 * (this.#end + size))
    larger.set(this.#room)
    this.#room = larger
  }
}

/** The 36 bytes of a CID out of its text; false when it is none in its one form. */
function readBase32(text: Uint8Array, start: number, room: Uint8Array, end: number): boolean {
  if (text[start] !== B) return false
  let held = 0
  let bits = 0
  let at = end
  for (let from = start + 1; from < start + LINK_CHARACTERS; from++) {
    const value = BASE32[text[from] ?? 0] as number
    if (value < 0) return false
    held = (held << 5) | value
    bits += 5
    if (bits < 8) continue
    bits -= 8
    room[at++] = held >> bits
    held &= (1 << bits) - 1
  }
  return held === 0
}

/** Bytes of the head that says this much, in its shortest form. */
function headSize(value: number): number {
  if (value < 24) return 1
  if (value < 0x100) return 2
  if (value < 0x1_0000) return 3
  return value < 0x1_0000_0000 ? 5 : 9
}

/** Returns its bytes. */
function writeHead(room: Uint8Array, at: number, type: number, value: number): number {
  const size = headSize(value)
  if (size === 1) {
    room[at] = (type << 5) | value
    return size
  }
  room[at] = (type << 5) | (size === 2 ? 24 : size === 3 ? 25 : size === 5 ? 26 : 27)
  let rest = value
  for (let place = at + size - 1; place > at; place--) {
    room[place] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return size
}

/** Whether a key is of the characters that are ordered as their codes are, the quote that ends it included; and none of its own. */
function isKey(bytes: Uint8Array, start: number, size: number): boolean {
  for (let at = start; at < start + size; at++) {
    const code = bytes[at] as number
    if (code <= QUOTE || code >= 0x7f) return false
  }
  return size !== 1 || bytes[start] !== SLASH
}

/** Whether one key comes after another; both end with a quote. */
function isAfter(bytes: Uint8Array, low: number, high: number): boolean {
  let at = 0
  while (bytes[low + at] === bytes[high + at] && bytes[low + at] !== QUOTE) at += 1
  return (bytes[high + at] as number) > (bytes[low + at] as number)
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, character => character.charCodeAt(0))
}

/** Value of each character of an alphabet, by its code; -1 for others. */
function valuesOf(alphabet: string): Int8Array {
  const values = new Int8Array(256).fill(-1)
  for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value
  return values
}
