import type { ByteReader } from './byte-reader.ts'

/** The block type of a block without result. */
export const EMPTY_RESULT = 0x40
export const I32 = 0x7f
export const I64 = 0x7e
export const F32 = 0x7d
export const F64 = 0x7c

/** Reads one of the four number types; vectors and references are refused. */
export function readValueType(reader: ByteReader): number {
  const type = reader.byte()
  if (type >= F64 && type <= I32) return type
  if (type === 0x7b) reader.fail('METERING_SIMD', 'the vector type')
  else if (type === 0x70 || type === 0x6f || (type >= 0x63 && type <= 0x74))
    reader.fail('METERING_REFERENCE', `the reference type 0x${type.toString(16)}`)
  else reader.fail('METERING_MALFORMED', `0x${type.toString(16)} is not a type`)
  return I32
}
