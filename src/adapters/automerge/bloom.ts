import { assert } from '../../core/base/index.ts'
import { ByteCursor, leb128 } from './byte-cursor.ts'
import { BLOOM_ENTRIES_MAX } from './limits.ts'

/** Automerge's parameters: one hash in a hundred is taken for known that is not. Others are refused, since nobody uses them. */
const BITS_PER_ENTRY = 10
const PROBES = 7

/** Automerge's Bloom filter over hashes of changes (hex). Without entries it knows nothing. */
export class Bloom {
  readonly #entries: number
  readonly #bits: Uint8Array

  private constructor(entries: number, bits: Uint8Array) {
    this.#entries = entries
    this.#bits = bits
  }

  static of(hashes: readonly string[]): Bloom {
    assert(hashes.length <= BLOOM_ENTRIES_MAX, 'a filter has at most its limit of entries')
    const bloom = new Bloom(hashes.length, new Uint8Array(sizeFor(hashes.length)))
    for (const hash of hashes)
      for (const probe of bloom.#probes(hash))
        bloom.#bits[probe >> 3] = (bloom.#bits[probe >> 3] as number) | (1 << (probe & 7))
    return bloom
  }

  /** Null for bytes that are no filter of Automerge's parameters. */
  static decode(bytes: Uint8Array): Bloom | null {
    if (bytes.length === 0) return new Bloom(0, bytes)
    const cursor = new ByteCursor(bytes)
    const entries = cursor.number(BLOOM_ENTRIES_MAX)
    if (entries === null || entries === 0 || !cursor.expect([BITS_PER_ENTRY, PROBES])) return null
    const bits = cursor.take(sizeFor(entries))
    return bits === null || cursor.left > 0 ? null : new Bloom(entries, bits.slice())
  }

  /** Bytes of its bits. */
  get size(): number {
    return this.#bits.length
  }

  encode(): Uint8Array {
    if (this.#entries === 0) return new Uint8Array()
    return Uint8Array.from([...leb128(this.#entries), BITS_PER_ENTRY, PROBES, ...this.#bits])
  }

  has(hash: string): boolean {
    if (this.#entries === 0) return false
    for (const probe of this.#probes(hash))
      if (((this.#bits[probe >> 3] as number) & (1 << (probe & 7))) === 0) return false
    return true
  }

  /** Triple hashing over the first twelve bytes of a hash, each number little endian. */
  *#probes(hash: string): Generator<number> {
    const size = this.#bits.length * 8
    let x = wordOf(hash, 0) % size
    let y = wordOf(hash, 8) % size
    const z = wordOf(hash, 16) % size
    yield x
    for (let probe = 1; probe < PROBES; probe++) {
      x = (x + y) % size
      y = (y + z) % size
      yield x
    }
  }
}

function sizeFor(entries: number): number {
  return Math.ceil((entries * BITS_PER_ENTRY) / 8)
}

function wordOf(hash: string, at: number): number {
  const pair = (place: number): string => hash.slice(at + place, at + place + 2)
  return Number.parseInt(pair(6) + pair(4) + pair(2) + pair(0), 16)
}
