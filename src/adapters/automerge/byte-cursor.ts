/** Reads bytes that a stranger wrote, front to back. Each read answers null when the bytes do not have it; then the whole is refused. */
export class ByteCursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** The next bytes, without a copy. */
  take(size: number): Uint8Array | null {
    if (size > this.left) return null
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }

  /** True when exactly these bytes come next; they are passed over. */
  expect(bytes: Uint8Array | readonly number[]): boolean {
    return this.take(bytes.length)?.every((byte, at) => byte === bytes[at]) ?? false
  }

  /** An unsigned LEB128 number in its shortest form, at most `max`. */
  number(max: number): number | null {
    let value = 0
    for (let place = 1; place <= PLACE_MAX; place *= 128) {
      const byte = this.take(1)?.[0]
      if (byte === undefined) return null
      value += (byte & 127) * place
      if (value > max) return null
      if (byte < 128) return byte === 0 && place > 1 ? null : value
    }
    return null
  }
}

/** Weight of the last of five digits of 7 bits: above every size here. */
const PLACE_MAX = 128 ** 4

/** Unsigned LEB128 in its shortest form. */
export function leb128(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    const digit = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? digit + 128 : digit)
  } while (rest > 0)
  return bytes
}
