import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { withBitswap } from '@helia/bitswap'
import type { Helia } from '@helia/interface'
import { withLibp2pLight } from '@helia/libp2p'
import * as dagCbor from '@ipld/dag-cbor'
import { type Libp2p, setMaxListeners } from '@libp2p/interface'
import { LevelDatastore } from 'datastore-level'
import { createHeliaLight } from 'helia'
import type { Logger } from '../../ports/index.ts'
import { ArtifactStoreFailedError, ArtifactStoreStoppedError } from './errors.ts'
import { Holds } from './holds.ts'
import { STOP_GRACE_MS } from './limits.ts'
import { PinBook } from './pin-book.ts'
import { ProvideQueue } from './provide-queue.ts'
import { VerifiedBlocks } from './verified-blocks.ts'

export type HeliaArtifactStoreInit = {
  /** Lent by its owner, started or not yet; never started or stopped here. */
  readonly libp2p: Libp2p
  /** The store's own folder: `blocks/` and `data/`. One process at a time. */
  readonly directory: string
  readonly logger: Logger
  /** `artifacts`: nothing is fetched from others, announced or served. */
  readonly unplug?: ReadonlySet<string>
  /** Wall clock for the time of a pin, in ms. */
  readonly nowMs?: () => number
}

/** What exists between start and stop. */
export type RunningStore = {
  readonly helia: Helia
  readonly blocks: VerifiedBlocks
  readonly holds: Holds
  readonly pinBook: PinBook
  readonly provides: ProvideQueue | null
  /** Aborts every call when the store stops. */
  readonly stopping: AbortController
  readonly calls: Set<Promise<unknown>>
  readonly close: () => Promise<void>
}

/** Opens the databases and composes Helia around the lent libp2p. A fresh Helia each time: its parts do not start twice. */
export async function openStore(init: HeliaArtifactStoreInit): Promise<RunningStore> {
  const datastore = new LevelDatastore(join(init.directory, 'data'))
  const blocks = new VerifiedBlocks(join(init.directory, 'blocks'), cid =>
    init.logger.warn('a block was damaged on disk and has been removed', { block: cid.toString() })
  )
  try {
    await mkdir(init.directory, { recursive: true })
    await blocks.open()
    await datastore.open()
  } catch (cause) {
    throw new ArtifactStoreFailedError(
      `the content store in ${init.directory} cannot be opened: ${(cause as Error).message}. Is another node using it?`,
      { directory: init.directory },
      { cause }
    )
  }
  const plugged = init.unplug?.has('artifacts') !== true
  const helia = composeHelia(init.libp2p, datastore, blocks, plugged)
  await helia.start()
  const stopping = new AbortController()
  setMaxListeners(Number.POSITIVE_INFINITY, stopping.signal)
  const provides = plugged ? new ProvideQueue(helia, init.libp2p, init.logger) : null
  const calls = new Set<Promise<unknown>>()
  const close = async (): Promise<void> => {
    stopping.abort(
      new ArtifactStoreStoppedError(
        'the content store was stopped while the call ran; call again after its start'
      )
    )
    await within(STOP_GRACE_MS, Promise.allSettled([...calls, provides?.stop()]))
    await within(STOP_GRACE_MS, helia.stop())
    await datastore.close()
  }
  return {
    helia,
    blocks,
    holds: new Holds(),
    pinBook: new PinBook(helia, blocks),
    provides,
    stopping,
    calls,
    close
  }
}

function composeHelia(
  libp2p: Libp2p,
  datastore: LevelDatastore,
  blocks: VerifiedBlocks,
  plugged: boolean
): Helia {
  const light = createHeliaLight({
    datastore,
    blockstore: blocks,
    codecs: [dagCbor],
    logger: libp2p.logger
  })
  return plugged ? withBitswap(withLibp2pLight(light, libp2p)) : light
}

/** Waits for work, at most so many ms; what takes longer is left behind, and its failure with it. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work.catch(() => {}), limit])
  clearTimeout(timer)
}
