/**
 * An independent reading of protocols/codec: one recursive pass over the bytes that accepts exactly canonical DAG-CBOR of
 * the protocol's profile. Shares no code with src/, so that both can be held against each other.
 */

const RESERVED =
  /^(?:\/|__(?:proto__|(?:define|lookup)[GS]etter__)|constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|prototype|then|toJSON|toLocaleString|toString|valueOf)$/u

/** True when the bytes are one value in the one allowed form. */
export function isCanonical(bytes: Uint8Array): boolean {
  const end = skip(Buffer.from(bytes), 0, 0)
  return end === bytes.length
}

/** Position after the item at `at`, or NaN, which spreads through all arithmetic. */
function skip(bytes: Buffer, at: number, depth: number): number {
  const head = bytes[at]
  if (head === undefined) return Number.NaN
  if (head === 0xf4 || head === 0xf5 || head === 0xf6) return at + 1
  if (head >= 0xe0) return Number.NaN
  if (head >= 0xc0) return skipLink(bytes, at)
  const argument = readArgument(bytes, at)
  if (argument === null) return Number.NaN
  const { value, next } = argument
  const major = head >> 5
  if (major <= 1) return next
  if (value > BigInt(bytes.length)) return Number.NaN
  const count = Number(value)
  if (major === 2) return next + count <= bytes.length ? next + count : Number.NaN
  if (major === 3)
    return isText(bytes.subarray(next, next + count), count) ? next + count : Number.NaN
  if (depth === 32) return Number.NaN
  return major === 4
    ? skipList(bytes, next, { count, depth: depth + 1 })
    : skipMap(bytes, next, { count, depth: depth + 1 })
}

function readArgument(bytes: Buffer, at: number): { value: bigint; next: number } | null {
  const info = (bytes[at] as number) & 31
  if (info < 24) return { value: BigInt(info), next: at + 1 }
  if (info > 27) return null
  const width = 2 ** (info - 24)
  if (at + 1 + width > bytes.length) return null
  const value = BigInt(`0x${bytes.toString('hex', at + 1, at + 1 + width)}`)
  const least = width === 1 ? 24n : 1n << BigInt(width * 4)
  return value < least ? null : { value, next: at + 1 + width }
}

function skipLink(bytes: Buffer, at: number): number {
  const form = /^d82a582500(?:01)(?:55|70|71)1220$/u.test(bytes.toString('hex', at, at + 9))
  return form && at + 41 <= bytes.length ? at + 41 : Number.NaN
}

function skipList(bytes: Buffer, start: number, list: { count: number; depth: number }): number {
  let at = start
  for (let i = 0; i < list.count && !Number.isNaN(at); i++) at = skip(bytes, at, list.depth)
  return at
}

function skipMap(bytes: Buffer, start: number, map: { count: number; depth: number }): number {
  let at = start
  let last: Buffer | null = null
  for (let i = 0; i < map.count && !Number.isNaN(at); i++) {
    if ((bytes[at] as number) >> 5 !== 3) return Number.NaN
    const after = skip(bytes, at, map.depth)
    if (Number.isNaN(after)) return Number.NaN
    const key = bytes.subarray(readArgument(bytes, at)?.next, after)
    if (RESERVED.test(key.toString())) return Number.NaN
    if (last !== null && (last.length - key.length || Buffer.compare(last, key)) >= 0)
      return Number.NaN
    last = key
    at = skip(bytes, after, map.depth)
  }
  return at
}

/** Well-formed UTF-8 of the full length that does not begin with a byte order mark. */
function isText(bytes: Buffer, count: number): boolean {
  if (bytes.length !== count || bytes.subarray(0, 3).toString('hex') === 'efbbbf') return false
  return Buffer.from(bytes.toString('utf8')).equals(bytes)
}
