import * as raw from 'multiformats/codecs/raw'
import type { CID } from '../../core/codec/index.ts'
import type { GcResult } from '../../ports/index.ts'
import { blockKey } from './cid.ts'
import { walkDag } from './dag-walk.ts'
import type { Holds } from './holds.ts'
import type { VerifiedBlocks } from './verified-blocks.ts'

/**
 * Mark and sweep: what is reachable from a pin, or used by a call in flight, stays.
 *
 * Helia's own collection is not used: it takes a lock that waits for every fetch in flight while new calls wait behind it, it knows nothing of a folder
 * that is half added, and it trusts counters that a killed process can leave wrong. The pins' roots alone decide here.
 */
export async function collectGarbage(
  blocks: VerifiedBlocks,
  holds: Holds,
  pinned: () => Promise<CID[]>
): Promise<GcResult> {
  holds.beginSweep()
  try {
    await blocks.removeStale()
    const live = await reachable(blocks, [...(await pinned()), ...holds.roots()])
    const result = { removed: 0, bytes: 0, kept: 0 }
    for await (const { cid, key, bytes } of blocks.list()) {
      const removed = !live.has(key) && (await holds.removeUnheld(key, () => blocks.delete(cid)))
      if (!removed) result.kept += 1
      else {
        result.removed += 1
        result.bytes += bytes
      }
    }
    return result
  } finally {
    holds.endSweep()
  }
}

/** As `collectGarbage`, for these blocks alone. */
export async function discardBlocks(
  blocks: VerifiedBlocks,
  holds: Holds,
  pinned: () => Promise<CID[]>,
  cids: readonly CID[]
): Promise<void> {
  holds.beginSweep()
  try {
    const live = await reachable(blocks, [...(await pinned()), ...holds.roots()])
    for (const cid of cids) {
      const key = blockKey(cid)
      if (!live.has(key)) await holds.removeUnheld(key, () => blocks.delete(cid))
    }
  } finally {
    holds.endSweep()
  }
}

async function reachable(blocks: VerifiedBlocks, roots: readonly CID[]): Promise<Set<string>> {
  const live = new Set<string>()
  // A raw leaf has no links; reading it would only cost time.
  const load = (cid: CID): Promise<Uint8Array | undefined> =>
    cid.code === raw.code ? Promise.resolve(undefined) : blocks.read(cid)
  for await (const { cid } of walkDag(roots, load)) live.add(blockKey(cid))
  return live
}
