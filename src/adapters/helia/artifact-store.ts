import { basename } from 'node:path'
import { unixfs } from '@helia/unixfs'
import { peerIdFromCID } from '@libp2p/peer-id'
import * as raw from 'multiformats/codecs/raw'
import { SwarmError } from '../../core/base/index.ts'
import type { CID } from '../../core/codec/index.ts'
import type { AddResult, ArtifactStore, GcResult, PinInfo } from '../../ports/index.ts'
import { corrupt, readCar, writeCar } from './car-file.ts'
import { hashFits, parseCid } from './cid.ts'
import { walkDag } from './dag-walk.ts'
import {
  ArtifactStoreStoppedError,
  BadRangeError,
  BlockMismatchError,
  TooLargeError
} from './errors.ts'
import { fileSize, readFile } from './file-reader.ts'
import { writeArtifact } from './folder-writer.ts'
import { collectGarbage, discardBlocks } from './garbage.ts'
import { BLOCK_BYTES_MAX, FETCH_PATIENCE_MS } from './limits.ts'
import { fileBytes, localEntries, localRoot, Meter } from './local-paths.ts'
import { Operation } from './operation.ts'
import { type HeliaArtifactStoreInit, openStore, type RunningStore } from './running-store.ts'

type Wait = { readonly signal?: AbortSignal; readonly timeoutMs?: number }
type CatOptions = NonNullable<Parameters<ArtifactStore['cat']>[1]>
type GetOptions = NonNullable<Parameters<ArtifactStore['get']>[2]>
type AddOptions = Parameters<ArtifactStore['addPath']>[1]

/** The content-addressed store of a node: Helia on disk, bitswap to others, providers through the DHT. */
export function heliaArtifactStore(init: HeliaArtifactStoreInit): ArtifactStore {
  return new HeliaArtifactStore(init)
}

class HeliaArtifactStore implements ArtifactStore {
  readonly #init: HeliaArtifactStoreInit
  readonly #nowMs: () => number
  #starting: Promise<RunningStore> | null = null
  #running: RunningStore | null = null
  #collecting: Promise<GcResult> | null = null
  #sweeping: Promise<unknown> = Promise.resolve()

  constructor(init: HeliaArtifactStoreInit) {
    this.#init = init
    this.#nowMs = init.nowMs ?? Date.now
  }

  async start(): Promise<void> {
    this.#starting ??= openStore(this.#init)
    try {
      this.#running = await this.#starting
    } catch (error) {
      this.#starting = null
      throw error
    }
    for (const { cid } of await this.pins()) this.#running.provides?.add(parseCid(cid))
  }

  async stop(): Promise<void> {
    const opened = await this.#starting?.catch(() => null)
    if (this.#running === null || opened === undefined) return
    const running = this.#running
    this.#running = null
    this.#starting = null
    await running.close()
  }

  addBytes(bytes: Uint8Array, pinName: string | null): Promise<AddResult> {
    return this.#call(null, {}, async operation => {
      const cid = await unixfs({ blockstore: operation.view() }).addBytes(bytes)
      await this.#keep(cid, pinName)
      return { cid: cid.toString(), bytes: bytes.length, files: 1 }
    })
  }

  addPath(path: string, options: AddOptions): Promise<AddResult> {
    return this.#call(null, options, async operation => {
      const root = await localRoot(path)
      const meter = new Meter(options.onProgress)
      const fs = unixfs({ blockstore: operation.view() })
      const cid =
        root.kind === 'file'
          ? await fs.addByteStream(fileBytes(root.path, root.name, meter))
          : await this.#importFolder(fs, root.path, meter)
      await this.#keep(cid, options.pin ? root.name : null)
      return { cid: cid.toString(), bytes: meter.bytes, files: meter.files }
    })
  }

  async *cat(text: string, options: CatOptions = {}): AsyncIterable<Uint8Array> {
    const cid = parseCid(text)
    const start = wholeNumber('offset', options.offset ?? 0)
    const end =
      options.length === undefined
        ? Number.POSITIVE_INFINITY
        : start + wholeNumber('length', options.length)
    const { operation, close } = this.#open(cid, options)
    try {
      fileSize(cid, await operation.load(cid))
      yield* readFile(cid, part => operation.load(part), { start, end })
    } finally {
      close()
    }
  }

  readBytes(text: string, options: Wait & { readonly maxBytes: number }): Promise<Uint8Array> {
    return this.#call(text, options, async (operation, cid) => {
      const maxBytes = wholeNumber('maxBytes', options.maxBytes)
      // The root block states the size, and the reader holds every block below it to that.
      const size = fileSize(cid, await operation.load(cid))
      if (size > maxBytes) {
        throw new TooLargeError(
          `${cid} has ${size} bytes, more than the ${maxBytes} allowed here`,
          { cid: text, size, maxBytes }
        )
      }
      const result = new Uint8Array(size)
      let filled = 0
      for await (const bytes of readFile(cid, part => operation.load(part), {
        start: 0,
        end: size
      })) {
        result.set(bytes, filled)
        filled += bytes.length
      }
      return result
    })
  }

  get(
    text: string,
    path: string,
    options: GetOptions = {}
  ): Promise<{ bytes: number; files: number }> {
    return this.#call(text, options, async (operation, cid) => {
      const meter = new Meter(options.onProgress)
      await writeArtifact(operation, cid, path, meter)
      return { bytes: meter.bytes, files: meter.files }
    })
  }

  has(text: string): Promise<boolean> {
    return this.#call(text, {}, (_, cid) => this.#isComplete(cid))
  }

  pin(text: string, name: string, options: Wait = {}): Promise<PinInfo> {
    return this.#call(text, options, async (operation, cid) => {
      for await (const _ of walkDag([cid], part => operation.load(part)));
      return this.#keep(cid, name)
    })
  }

  unpin(text: string): Promise<void> {
    return this.#call(text, {}, (_, cid) => this.#parts().pinBook.remove(cid))
  }

  async pins(): Promise<readonly PinInfo[]> {
    return this.#parts().pinBook.list()
  }

  /** A collection that already runs is joined. */
  async gc(): Promise<GcResult> {
    this.#parts()
    if (this.#collecting !== null) return this.#collecting
    const collecting = this.#sweep(({ blocks, holds }, pinned) =>
      collectGarbage(blocks, holds, pinned)
    ).finally(() => {
      this.#collecting = null
    })
    this.#collecting = collecting
    return collecting
  }

  async discard(texts: readonly string[]): Promise<void> {
    const cids = texts.map(parseCid)
    await this.#sweep(({ blocks, holds }, pinned) => discardBlocks(blocks, holds, pinned, cids))
  }

  async exportCar(
    text: string | readonly string[],
    path: string
  ): Promise<{ blocks: number; bytes: number }> {
    const roots = [text].flat().map(parseCid)
    return this.#call(null, {}, operation => writeCar(this.#parts().helia, operation, roots, path))
  }

  /** Pins the roots under the file's name, so that the next collection leaves them. */
  importCar(path: string): Promise<{ roots: readonly string[]; blocks: number }> {
    return this.#call(null, {}, async operation => {
      const { roots, blocks } = await readCar(operation, path)
      for (const root of roots) {
        if (!(await this.#isComplete(root)))
          throw corrupt(path, `it ends before all blocks of its root ${root}`)
      }
      for (const root of roots) await this.#keep(root.toV1(), basename(path))
      return { roots: roots.map(root => root.toV1().toString()), blocks }
    })
  }

  /** Peer ids. Those found within the time; none is no error. */
  async providers(
    text: string,
    options: { readonly timeoutMs: number }
  ): Promise<readonly string[]> {
    const cid = parseCid(text)
    const { helia, provides, stopping } = this.#parts()
    if (provides === null) return []
    const found = new Set<string>()
    const signal = AbortSignal.any([
      stopping.signal,
      AbortSignal.timeout(wholeNumber('timeoutMs', options.timeoutMs))
    ])
    try {
      for await (const { id } of helia.routing.findProviders(cid, { signal }))
        found.add(peerIdFromCID(id).toString())
    } catch (error) {
      stopping.signal.throwIfAborted()
      this.#init.logger.debug('the search for providers ended early', {
        cid: text,
        error: (error as Error).message
      })
    }
    return [...found]
  }

  getBlock(text: string, options: { readonly timeoutMs: number }): Promise<Uint8Array> {
    return this.#call(text, options, (operation, cid) => operation.load(cid))
  }

  /** Not pinned: who wants it kept pins it. */
  putBlock(text: string, bytes: Uint8Array): Promise<void> {
    return this.#call(text, {}, async (operation, cid) => {
      if (bytes.length > BLOCK_BYTES_MAX) {
        throw new TooLargeError(
          `a block of ${bytes.length} bytes is more than the ${BLOCK_BYTES_MAX} that peers take`,
          { cid: text }
        )
      }
      if (!hashFits(cid, bytes))
        throw new BlockMismatchError(`the bytes do not hash to ${text}`, { cid: text })
      await operation.store(cid, bytes)
      this.#parts().provides?.add(cid)
    })
  }

  async usage(): Promise<{ blocks: number; bytes: number }> {
    const total = { blocks: 0, bytes: 0 }
    for await (const { bytes } of this.#parts().blocks.list()) {
      total.blocks += 1
      total.bytes += bytes
    }
    return total
  }

  #parts(): RunningStore {
    if (this.#running !== null) return this.#running
    throw new ArtifactStoreStoppedError('the content store is not started; start it first')
  }

  /** One sweep at a time. */
  #sweep<T>(body: (parts: RunningStore, pinned: () => Promise<CID[]>) => Promise<T>): Promise<T> {
    const running = this.#parts()
    const pinned = async (): Promise<CID[]> =>
      (await running.pinBook.list()).map(pin => parseCid(pin.cid))
    const sweep = this.#sweeping
      .then(() => body(running, pinned))
      .finally(() => running.calls.delete(sweep))
    running.calls.add(sweep)
    this.#sweeping = sweep.catch(() => undefined)
    return sweep
  }

  /** Runs a call with its own patience and hold. `text` is the CID it is about. */
  async #call<T>(
    text: string | null,
    wait: Wait,
    body: (operation: Operation, cid: CID) => Promise<T>
  ): Promise<T> {
    // A call without a CID gets none to look at: its body takes one parameter.
    const cid = text === null ? null : parseCid(text)
    const { operation, close, running } = this.#open(cid, wait)
    const call = body(operation, cid as CID)
    running.calls.add(call)
    try {
      return await call
    } catch (error) {
      // A library's own words for "aborted" give way to the reason of the abort.
      if (!(error instanceof SwarmError)) operation.signal.throwIfAborted()
      throw error
    } finally {
      running.calls.delete(call)
      close()
    }
  }

  #open(
    cid: CID | null,
    wait: Wait
  ): { operation: Operation; close: () => void; running: RunningStore } {
    const running = this.#parts()
    const timeoutMs = wholeNumber('timeoutMs', wait.timeoutMs ?? FETCH_PATIENCE_MS)
    const signals =
      wait.signal === undefined ? [running.stopping.signal] : [running.stopping.signal, wait.signal]
    const operation = new Operation(running, { root: cid, timeoutMs, signals })
    return { operation, close: () => operation.close(), running }
  }

  /** Pins a DAG that is on disk and announces it. Without a name it is only announced. */
  async #keep(cid: CID, pinName: string | null): Promise<PinInfo> {
    const { pinBook, provides } = this.#parts()
    const createdAt = this.#nowMs()
    const info = pinName === null ? null : await pinBook.add(cid, pinName, createdAt)
    provides?.add(cid)
    return info ?? { cid: cid.toString(), recursive: true, name: '', createdAt }
  }

  async #importFolder(fs: ReturnType<typeof unixfs>, folder: string, meter: Meter): Promise<CID> {
    const { logger } = this.#init
    async function* candidates(): AsyncGenerator<{
      path: string
      content?: AsyncIterable<Uint8Array>
    }> {
      for await (const { path, source } of localEntries(folder, logger)) {
        yield source === null ? { path } : { path, content: fileBytes(source, path, meter) }
      }
    }
    let root: CID | undefined
    for await (const entry of fs.addAll(candidates(), { wrapWithDirectory: true })) root = entry.cid
    return root ?? fs.addDirectory()
  }

  /** Whether every block is on this disk. Leaves are looked up by name, not read. */
  async #isComplete(root: CID): Promise<boolean> {
    const { blocks } = this.#parts()
    let complete = true
    const load = async (cid: CID): Promise<Uint8Array | undefined> => {
      if (cid.code === raw.code) {
        complete &&= await blocks.has(cid)
        return undefined
      }
      const bytes = await blocks.read(cid)
      complete &&= bytes !== undefined
      return bytes
    }
    for await (const _ of walkDag([root], load)) if (!complete) return false
    return complete
  }
}

function wholeNumber(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new BadRangeError(`${what} must be a whole number from 0, not ${value}`, { what })
}
