import { toHex } from '../base/index.ts'

/**
 * Every 32-byte string that some decoder takes for a point of order 1, 2, 4 or 8: the eight canonical encodings, then the
 * six others (y not reduced, or the sign bit set where x is 0).
 */
export const SMALL_ORDER_ENCODINGS: readonly string[] = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'
]

/** The first bytes that occur above: most points are told apart by one comparison. */
const FIRST_BYTES = new Set(
  SMALL_ORDER_ENCODINGS.map(text => Number.parseInt(text.slice(0, 2), 16))
)
const ENCODINGS = new Set(SMALL_ORDER_ENCODINGS)

/** True for any encoding, canonical or not, of a point of small order. `point` has 32 bytes. */
export function isSmallOrderEncoding(point: Uint8Array): boolean {
  return FIRST_BYTES.has(point[0] as number) && ENCODINGS.has(toHex(point))
}

/** True when y, the low 255 bits in little-endian order, is below the field prime 2^255 - 19. `point` has 32 bytes. */
export function isReducedEncoding(point: Uint8Array): boolean {
  if (((point[31] as number) & 0x7f) !== 0x7f) return true
  for (let i = 30; i > 0; i--) if (point[i] !== 0xff) return true
  return (point[0] as number) < 0xed
}
