import type { GraphWalkerFactory, Helia } from '@helia/interface'
import * as raw from 'multiformats/codecs/raw'
import { compareText } from '../../core/base/index.ts'
import type { CID } from '../../core/codec/index.ts'
import type { PinInfo } from '../../ports/index.ts'
import { decodedBlock } from './cid.ts'
import { walkDag } from './dag-walk.ts'
import { NotPinnedError } from './errors.ts'
import type { VerifiedBlocks } from './verified-blocks.ts'

const NO_BYTES = new Uint8Array(0)

/**
 * Helia's pins, with a name and a time. Changes run one after the other: Helia counts pins per block by reading and writing back, so
 * two at once would lose counts. A missing block is skipped: Helia would ask the network for it, also when unpinning.
 */
export class PinBook {
  readonly #helia: Helia
  readonly #walker: GraphWalkerFactory
  #last: Promise<unknown> = Promise.resolve()

  constructor(helia: Helia, blocks: VerifiedBlocks) {
    this.#helia = helia
    // Pins look at CIDs only, so a leaf need not be read, just be there.
    const load = async (cid: CID): Promise<Uint8Array | undefined> => {
      if (cid.code !== raw.code) return blocks.read(cid)
      return (await blocks.has(cid)) ? NO_BYTES : undefined
    }
    this.#walker = () => ({
      async *walk<T>(root: CID) {
        for await (const { cid, bytes } of walkDag([root], load)) {
          if (bytes !== undefined)
            yield { block: decodedBlock<T>(cid, bytes), depth: 0, path: [cid] }
        }
      }
    })
  }

  /** Pins a DAG that is on disk. Pinned already: takes the new name and keeps the first time. */
  add(cid: CID, name: string, nowMs: number): Promise<PinInfo> {
    return this.#inTurn(async () => {
      try {
        await drain(
          this.#helia.pins.add(cid, { walker: this.#walker, metadata: { name, createdAt: nowMs } })
        )
        return pinInfo(cid, { name, createdAt: nowMs })
      } catch (error) {
        if ((error as Error).name !== 'AlreadyPinnedError') throw error
        const { metadata } = await this.#helia.pins.get(cid)
        await this.#helia.pins.setMetadata(cid, { ...metadata, name })
        return pinInfo(cid, { ...metadata, name })
      }
    })
  }

  remove(cid: CID): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await drain(this.#helia.pins.rm(cid, { walker: this.#walker }))
      } catch (cause) {
        if ((cause as Error).name !== 'NotFoundError') throw cause
        throw new NotPinnedError(`${cid} is not pinned`, { cid: cid.toString() }, { cause })
      }
    })
  }

  /** Oldest first. */
  async list(): Promise<PinInfo[]> {
    const pins: PinInfo[] = []
    for await (const { cid, metadata } of this.#helia.pins.ls()) pins.push(pinInfo(cid, metadata))
    return pins.sort((a, b) => a.createdAt - b.createdAt || compareText(a.cid, b.cid))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    // The next turn waits for the end, not the success, of this one.
    this.#last = turn.catch(() => {})
    return turn
  }
}

function pinInfo(cid: CID, metadata: Readonly<Record<string, string | number | boolean>>): PinInfo {
  const { name, createdAt } = metadata as { name?: string; createdAt?: number }
  return { cid: cid.toString(), recursive: true, name: name ?? '', createdAt: createdAt ?? 0 }
}

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}
