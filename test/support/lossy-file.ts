import type { WalFile } from '../../src/adapters/wal/index.ts'
import type { SeededRandom } from '../../src/simulator/index.ts'

/** What reaches a disk at once, or not at all. */
export const SECTOR_SIZE = 512

/** A file in memory that loses power: of what was not synced, each sector is on the disk or not, whatever became of those before it. */
export class LossyFile implements WalFile {
  bytes: Uint8Array
  #durable: Uint8Array
  /** When set, fsyncs do nothing and never end: the power is lost meanwhile. */
  isStuck = false

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes.slice()
    this.#durable = bytes.slice()
  }

  /** What the next life finds. `isLost` is asked for each sector that differs, by its number. */
  crash(size: number, isLost: (sector: number) => boolean): LossyFile {
    const left = this.bytes.slice(0, size)
    for (let at = 0; at < left.length; at += SECTOR_SIZE) {
      const old = new Uint8Array(Math.min(SECTOR_SIZE, left.length - at))
      old.set(this.#durable.subarray(at, at + old.length))
      const sector = left.subarray(at, at + old.length)
      if (Buffer.compare(sector, old) !== 0 && isLost(at / SECTOR_SIZE)) sector.set(old)
    }
    return new LossyFile(left)
  }

  /** A crash with sectors and an end of the file that chance picks. */
  crashAnyhow(random: SeededRandom): LossyFile {
    const grown = this.bytes.length - this.#durable.length
    const size = this.bytes.length - (random.chance(0.5) ? 0 : random.below(grown + 1))
    const losses = random.pick([0.1, 0.5, 0.9])
    return this.crash(size, () => random.chance(losses))
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    return this.bytes.slice(position, position + length)
  }

  async size(): Promise<number> {
    return this.bytes.length
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const grown = new Uint8Array(Math.max(this.bytes.length, position + bytes.length))
    grown.set(this.bytes)
    grown.set(bytes, position)
    this.bytes = grown
  }

  async sync(): Promise<void> {
    if (this.isStuck) return new Promise(() => undefined)
    this.#durable = this.bytes.slice()
  }

  async truncate(size: number): Promise<void> {
    this.bytes = this.bytes.slice(0, size)
  }

  async close(): Promise<void> {}
}
