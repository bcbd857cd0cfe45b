import { DEPTH_MAX } from '../base/index.ts'

/** What the heads of a CBOR item say before any value is built. */
export type Scan = 'fits' | 'too-deep' | 'malformed'

/**
 * Walks the heads of one CBOR item without building values and without recursion, so that a small hostile input cannot
 * exhaust the stack of the decoder. A list or map counts one level whether it is empty or not; scalars and links count none.
 *
 * It must agree with the decoder only up to the first byte that the decoder refuses; what is wrong inside a scalar stays
 * the decoder's business. A tag around anything but a byte string is refused here, because the decoder recurses into tags.
 */
export function scanDepth(bytes: Uint8Array): Scan {
  const open: number[] = []
  let position = 0
  while (position < bytes.length) {
    const head = bytes[position] as number
    const major = head >> 5
    const width = widthOf(head & 31)
    if (width < 0) return 'malformed'
    const argument = width === 0 ? head & 31 : argumentOf(bytes, position + 1, width)
    position += 1 + width
    if (major === 6) {
      if ((bytes[position] as number) >> 5 !== 2) return 'malformed'
      continue
    }
    if (major === 2 || major === 3) position += argument
    if (major === 4 || major === 5) {
      if (open.length >= DEPTH_MAX) return 'too-deep'
      if (argument > 0) {
        open.push(major === 4 ? argument : argument * 2)
        continue
      }
    }
    if (closeItem(open)) return position === bytes.length ? 'fits' : 'malformed'
  }
  return 'malformed'
}

/** Counts one finished item up the open containers; true when the outermost item is complete. */
function closeItem(open: number[]): boolean {
  while (open.length > 0) {
    const left = (open[open.length - 1] as number) - 1
    if (left > 0) {
      open[open.length - 1] = left
      return false
    }
    open.pop()
  }
  return true
}

/** Bytes of the argument that follow the head; negative for the reserved and the indefinite forms. */
function widthOf(info: number): number {
  if (info < 24) return 0
  return info <= 27 ? 1 << (info - 24) : -1
}

function argumentOf(bytes: Uint8Array, start: number, width: number): number {
  let argument = 0
  for (let i = start; i < start + width; i++) argument = argument * 256 + (bytes[i] ?? 0)
  return argument
}
