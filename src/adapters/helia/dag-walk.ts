import type { CID } from '../../core/codec/index.ts'
import { blockKey, linksOf } from './cid.ts'
import { TooLargeError } from './errors.ts'
import { BLOCK_READ_CONCURRENCY, DAG_BLOCKS_MAX } from './limits.ts'

export type VisitedBlock = { readonly cid: CID; readonly bytes: Uint8Array | undefined }

/** Bytes of a block; undefined when the walk shall not look below it. */
export type LoadBlock = (cid: CID) => Promise<Uint8Array | undefined>

/**
 * Every block below the roots once, breadth first, in an order that depends on the DAG alone. Blocks are loaded ahead, some at once.
 *
 * The walkers of the libraries visit a block as often as something links to it: thirty small blocks of a hostile DAG that each link twice to the
 * next would take a thousand million visits.
 */
export async function* walkDag(
  roots: readonly CID[],
  load: LoadBlock
): AsyncGenerator<VisitedBlock> {
  const seen = new Set<string>()
  let waiting: CID[] = []
  let next = 0
  const loading: { cid: CID; bytes: Promise<Uint8Array | undefined> }[] = []
  const add = (cid: CID): void => {
    const key = `${cid.code}:${blockKey(cid)}`
    if (seen.has(key)) return
    if (seen.size >= DAG_BLOCKS_MAX) {
      throw new TooLargeError(`the DAG of ${roots[0]} has more than ${DAG_BLOCKS_MAX} blocks`, {
        cid: `${roots[0]}`
      })
    }
    seen.add(key)
    waiting.push(cid)
  }
  for (const root of roots) add(root)
  while (next < waiting.length || loading.length > 0) {
    while (next < waiting.length && loading.length < BLOCK_READ_CONCURRENCY) {
      const cid = waiting[next++] as CID
      const bytes = load(cid)
      // It is awaited below, unless an earlier block fails first.
      bytes.catch(() => {})
      loading.push({ cid, bytes })
    }
    if (next > 4096) {
      waiting = waiting.slice(next)
      next = 0
    }
    const head = loading.shift() as { cid: CID; bytes: Promise<Uint8Array | undefined> }
    const bytes = await head.bytes
    if (bytes !== undefined) for (const link of linksOf(head.cid, bytes)) add(link)
    yield { cid: head.cid, bytes }
  }
}
