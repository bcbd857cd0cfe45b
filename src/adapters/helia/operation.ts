import { setTimeout as pause } from 'node:timers/promises'
import type { Helia } from '@helia/interface'
import { concat } from '../../core/base/index.ts'
import type { CID } from '../../core/codec/index.ts'
import { ArtifactNotFoundError, ArtifactStoreFailedError } from './errors.ts'
import type { Hold, Holds } from './holds.ts'
import { BLOCK_RETRIES, REWANT_PAUSE_MS } from './limits.ts'
import { Patience } from './patience.ts'
import type { VerifiedBlocks } from './verified-blocks.ts'

export type OperationComponents = {
  readonly helia: Helia
  readonly blocks: VerifiedBlocks
  readonly holds: Holds
}

export type OperationInit = {
  /** What the call is about: kept from garbage collection, named in errors. */
  readonly root: CID | null
  readonly timeoutMs: number
  readonly signals: readonly AbortSignal[]
}

/** The part of a blockstore that UnixFS reads and writes through. */
export type BlockView = {
  get(cid: CID): AsyncGenerator<Uint8Array>
  put(cid: CID, bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<CID>
  has(cid: CID): Promise<boolean>
}

/** One call in flight: its patience, and the hold that keeps what it uses from garbage collection. The opener closes it. */
export class Operation {
  readonly #components: OperationComponents
  readonly #root: CID | null
  readonly #hold: Hold
  readonly #patience: Patience

  constructor(components: OperationComponents, init: OperationInit) {
    this.#components = components
    this.#root = init.root
    this.#hold = components.holds.open(init.root)
    this.#patience = new Patience({
      timeoutMs: init.timeoutMs,
      signals: init.signals,
      giveUp: waitedMs => notFound(init.root, null, waitedMs)
    })
  }

  get signal(): AbortSignal {
    return this.#patience.signal
  }

  /** A block from disk or from peers, its hash checked. */
  async load(cid: CID): Promise<Uint8Array> {
    const { helia, holds } = this.#components
    await holds.touch(this.#hold, cid)
    for (let failures = 0; ; ) {
      let attemptEnded = false
      try {
        return await this.#patience.attempt(async signal => {
          signal.addEventListener(
            'abort',
            () => {
              attemptEnded = true
            },
            { once: true }
          )
          return collect(helia.blockstore.get(cid, { signal }))
        })
      } catch (cause) {
        this.signal.throwIfAborted()
        if (!attemptEnded) failures += 1
        if (failures > BLOCK_RETRIES) throw this.#loadError(cid, cause as Error)
        await pause(REWANT_PAUSE_MS)
      }
    }
  }

  /** A block to disk. The caller vouches that the bytes fit the CID. */
  async store(cid: CID, bytes: Uint8Array): Promise<void> {
    const { helia, blocks, holds } = this.#components
    this.signal.throwIfAborted()
    await holds.touch(this.#hold, cid)
    // Helia skips a block that is there by name; reading it first makes sure that it is there in truth.
    if ((await blocks.read(cid)) !== undefined) return
    try {
      await helia.blockstore.put(cid, bytes)
    } catch (cause) {
      throw storeFailed(cid, cause as Error)
    }
  }

  /** The same two ways as a blockstore. */
  view(): BlockView {
    const operation = this
    return {
      async *get(cid) {
        yield await operation.load(cid)
      },
      async put(cid, bytes) {
        await operation.store(cid, bytes instanceof Uint8Array ? bytes : await collect(bytes))
        return cid
      },
      has: cid => operation.#components.blocks.has(cid)
    }
  }

  close(): void {
    this.#patience.close(new DOMException('the call has ended', 'AbortError'))
    this.#components.holds.close(this.#hold)
  }

  #loadError(cid: CID, cause: Error): Error {
    if (cause.name === 'PutFailedError') return storeFailed(cid, cause)
    return notFound(this.#root, cid, this.#patience.waitedMs, cause)
  }
}

async function collect(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : concat(chunks)
}

function notFound(
  root: CID | null,
  block: CID | null,
  waitedMs: number,
  cause?: Error
): ArtifactNotFoundError {
  const cid = `${root ?? block}`
  const part = block === null || cid === `${block}` ? '' : ` (its block ${block} is missing)`
  return new ArtifactNotFoundError(
    `nobody delivered ${cid}${part}; waited ${waitedMs} ms. Check that a node that has it is connected, or wait longer`,
    { cid, block: block?.toString() ?? null, waitedMs },
    { cause }
  )
}

function storeFailed(cid: CID, cause: Error): ArtifactStoreFailedError {
  return new ArtifactStoreFailedError(
    `the block ${cid} cannot be written: ${cause.message}. Check free space and permissions of the store's directory`,
    { block: cid.toString() },
    { cause }
  )
}
