import { type Refusal, refuse } from '../base/index.ts'
import { NAME_BYTES_MAX } from './limits.ts'

/** Codes of refusals: one for each feature that a policy may not use. Documented in protocols/policy/metering.md. */
export type MeteringCode =
  | 'METERING_MALFORMED'
  | 'METERING_LIMIT'
  | 'METERING_INDEX'
  | 'METERING_IMPORT'
  | 'METERING_EXPORT'
  | 'METERING_START'
  | 'METERING_MEMORY'
  | 'METERING_MULTI_MEMORY'
  | 'METERING_TABLE'
  | 'METERING_SEGMENT'
  | 'METERING_SIMD'
  | 'METERING_THREADS'
  | 'METERING_TAIL_CALL'
  | 'METERING_EXCEPTION'
  | 'METERING_REFERENCE'
  | 'METERING_MULTI_VALUE'
  | 'METERING_BULK_MEMORY'
  | 'METERING_INSTRUCTION'

/**
 * Reads a range of bytes. The first flaw sticks: from then on every read gives 0 and the range is at its end, so that callers
 * look at `refusal` once and not after each byte.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number
  refusal: Refusal | null = null

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = bytes
    this.position = from
    this.end = to
  }

  get isAtEnd(): boolean {
    return this.position >= this.end
  }

  fail(code: MeteringCode, message: string): void {
    this.refusal ??= refuse(code, message).refusal
    this.position = this.end
  }

  byte(): number {
    if (this.position >= this.end) {
      this.fail('METERING_MALFORMED', 'the module ends too early')
      return 0
    }
    return this.bytes[this.position++] ?? 0
  }

  /** An unsigned LEB128 number of up to 32 bits. Compilers pad it, so the shortest form is not asked for. */
  u32(): number {
    const first = this.byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.byte()
      if (shift === 28 && byte > 0x0f) break
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    this.fail('METERING_MALFORMED', 'a number has more than 32 bits')
    return 0
  }

  /** A count or an index that must stay under a limit of the rules. */
  count(max: number, what: string): number {
    const value = this.u32()
    if (value <= max) return value
    this.fail('METERING_LIMIT', `${value} ${what}: at most ${max} are allowed`)
    return 0
  }

  /** An index that must exist. */
  index(count: number, what: string): number {
    const value = this.u32()
    if (value < count || this.refusal !== null) return value
    this.fail('METERING_INDEX', `there is no ${what} ${value}`)
    return 0
  }

  /** Passes over a signed LEB128 number of up to `bytesMax` bytes. Its value is nobody's business here. */
  skipSigned(bytesMax: number): void {
    for (let i = 0; i < bytesMax; i++) if (this.byte() < 0x80) return
    this.fail('METERING_MALFORMED', 'a constant is too long')
  }

  skip(count: number): void {
    if (count > this.end - this.position)
      this.fail('METERING_MALFORMED', 'the module ends too early')
    else this.position += count
  }

  /** A reader of the next `size` bytes, which this one passes over. */
  part(size: number): ByteReader {
    const from = this.position
    this.skip(size)
    return new ByteReader(this.bytes, this.refusal === null ? from : this.end, this.position)
  }

  /** Name of an import or export: printable ASCII, as all names of the ABI. */
  name(): string {
    const length = this.count(NAME_BYTES_MAX, 'bytes of a name')
    let text = ''
    for (let i = 0; i < length; i++) {
      const byte = this.byte()
      if (byte < 0x20 || byte > 0x7e) this.fail('METERING_MALFORMED', 'a name is not ASCII')
      text += String.fromCharCode(byte)
    }
    return text
  }
}
