import type { WalFile, WalFiles } from '../../src/adapters/wal/index.ts'

/** A file system of this one file. */
export function holding(file: WalFile): WalFiles {
  const unused = async (): Promise<never> => {
    throw new Error('not in this test')
  }
  return {
    open: async () => file,
    create: unused,
    rename: unused,
    remove: async () => undefined,
    syncFolder: unused
  }
}

/** A file in memory that counts its fsyncs, can hold them back, and can fail. */
export class MemoryFile implements WalFile {
  bytes: Uint8Array
  syncs = 0
  writes = 0
  /** Error code that the next calls of this kind reject with. */
  failing: { readonly on: 'write' | 'sync'; readonly code: string } | null = null
  /** When set, fsyncs wait for it. */
  gate: Promise<void> | null = null

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes.slice()
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    return this.bytes.slice(position, position + length)
  }

  async size(): Promise<number> {
    return this.bytes.length
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.writes++
    this.#failIf('write')
    const grown = new Uint8Array(Math.max(this.bytes.length, position + bytes.length))
    grown.set(this.bytes)
    grown.set(bytes, position)
    this.bytes = grown
  }

  async sync(): Promise<void> {
    this.syncs++
    await this.gate
    this.#failIf('sync')
  }

  async truncate(size: number): Promise<void> {
    this.bytes = this.bytes.slice(0, size)
  }

  async close(): Promise<void> {}

  #failIf(on: 'write' | 'sync'): void {
    if (this.failing?.on === on)
      throw Object.assign(new Error(this.failing.code), { code: this.failing.code })
  }
}
