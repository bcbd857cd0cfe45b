import type { WalFile, WalFiles } from '../../src/adapters/wal/index.ts'

type Inode = { bytes: Uint8Array; durable: Uint8Array }

/** How a crash leaves a folder. */
export type Aftermath = {
  /** Names that were given or taken since the last sync of the folder are there all the same. */
  readonly names: boolean
  /** Bytes that were written since the last sync of their file: none of them, all, or the first half of them. */
  readonly bytes: 'none' | 'all' | 'half'
}

/** A file system in memory that knows what is durable, counts calls, and can fail or lose power at any of them. */
export class MemoryFolder implements WalFiles {
  calls = 0
  /** The call that fails, counted from 1; with `power` all later ones fail too. Its effect happens before the failure when `after`. */
  failure: { readonly at: number; readonly power: boolean; readonly after: boolean } | null = null
  #names = new Map<string, Inode>()
  #durable = new Map<string, Inode>()

  names(): string[] {
    return [...this.#names.keys()]
  }

  async open(path: string): Promise<WalFile | undefined> {
    const inode = this.#names.get(path)
    return this.#call(() => (inode === undefined ? undefined : this.#file(inode)))
  }

  create(path: string): Promise<WalFile> {
    return this.#call(() => {
      const inode = { bytes: new Uint8Array(0), durable: new Uint8Array(0) }
      this.#names.set(path, inode)
      return this.#file(inode)
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call(() => {
      const inode = this.#names.get(from)
      if (inode === undefined) throw errorOf('ENOENT')
      this.#names.delete(from)
      this.#names.set(to, inode)
    })
  }

  remove(path: string): Promise<void> {
    return this.#call(() => {
      this.#names.delete(path)
    })
  }

  syncFolder(): Promise<void> {
    return this.#call(() => {
      this.#durable = new Map(this.#names)
    })
  }

  /** The folder as the next life finds it. */
  crash({ names, bytes }: Aftermath): MemoryFolder {
    const next = new MemoryFolder()
    for (const [name, inode] of names ? this.#names : this.#durable) {
      const grown = inode.bytes.length - inode.durable.length
      const half = inode.durable.length + Math.floor(Math.max(0, grown) / 2)
      const left =
        bytes === 'none'
          ? inode.durable
          : bytes === 'all'
            ? inode.bytes
            : inode.bytes.subarray(0, half)
      const kept = { bytes: left.slice(), durable: left.slice() }
      next.#names.set(name, kept)
      next.#durable.set(name, kept)
    }
    return next
  }

  #file(inode: Inode): WalFile {
    return {
      read: async (position, length) => inode.bytes.slice(position, position + length),
      size: async () => inode.bytes.length,
      write: (bytes, position) =>
        this.#call(() => {
          const grown = new Uint8Array(Math.max(inode.bytes.length, position + bytes.length))
          grown.set(inode.bytes)
          grown.set(bytes, position)
          inode.bytes = grown
        }),
      sync: () =>
        this.#call(() => {
          inode.durable = inode.bytes
        }),
      truncate: size =>
        this.#call(() => {
          inode.bytes = inode.bytes.slice(0, size)
        }),
      close: () => this.#call(() => undefined)
    }
  }

  async #call<T>(run: () => T): Promise<T> {
    this.calls++
    const { failure } = this
    const fails =
      failure !== null && (failure.power ? this.calls >= failure.at : this.calls === failure.at)
    if (fails && !(failure.after && this.calls === failure.at)) throw errorOf('EIO')
    const result = run()
    if (fails) throw errorOf('EIO')
    return result
  }
}

function errorOf(code: string): Error {
  return Object.assign(new Error(code), { code })
}
