import { type Leaf, leafStandsUntil } from '../core/history/index.ts'
import type { KnownEnds, Tombstone } from '../core/swarm/index.ts'
import { SyncFailedError } from '../history/index.ts'
import type { Archive } from '../ports/index.ts'
import { type Driver, encodeArchived } from '../runtime/index.ts'

/** Ends that the core is told of at once: some ten milliseconds, so that the node serves in between. */
const LEAVES_AT_ONCE = 4_096

/**
 * Leaves become tombstones in the core, and lines in the archive's list. Rejects with SyncFailedError when there was no room for all, since the slots of the others would
 * stay open while the user takes them for closed; with AbortError when the node stops.
 */
export async function loadLeaves(
  parts: { readonly driver: Pick<Driver, 'command'>; readonly archive: Archive },
  leaves: readonly Leaf[],
  origin: string
): Promise<void> {
  for (let at = 0; at < leaves.length; at += LEAVES_AT_ONCE) {
    const left = await loadSome(parts, leaves.slice(at, at + LEAVES_AT_ONCE), origin)
    if (left === 0) continue
    throw new SyncFailedError(
      `there was no room for all ends in ${origin}: slots of at least ${left} of its threads are still open here; those of other logs have to pass first, so name the nodes that you trust in "history.trusted" before you load anything`,
      { origin }
    )
  }
}

async function loadSome(
  { driver, archive }: Parameters<typeof loadLeaves>[0],
  leaves: readonly Leaf[],
  origin: string
): Promise<number> {
  const news = await newIn(archive, leaves)
  const told = await driver.command({ type: 'know-ends', ends: leaves.map(tombstoneOf) })
  if (!told.ok && told.refusal.code === 'END_SHAPE')
    throw new SyncFailedError(told.refusal.message, { origin })
  if (!told.ok) throw new DOMException(told.refusal.message, 'AbortError')
  await archive.put(news.map(leaf => encodeArchived({ summary: summaryOf(leaf), records: [] })))
  return (told.value as KnownEnds).left
}

/** Those without a line. A newcomer's archive has none. */
async function newIn(archive: Archive, leaves: readonly Leaf[]): Promise<readonly Leaf[]> {
  if (archive.count() === 0) return leaves
  const lines = await Promise.all(leaves.map(({ need }) => archive.line(need.toString())))
  return leaves.filter((_, at) => lines[at] === undefined)
}

function summaryOf(leaf: Leaf): Parameters<typeof encodeArchived>[0]['summary'] {
  const { need, slot, task, result, reason, requester, expiresAt, stamp } = leaf
  const thread = need.toString()
  const line = { thread, slot, task, phase: result, reason, requester, expiresAt, openedAt: stamp }
  return { ...line, void: null }
}

function tombstoneOf(leaf: Leaf): Tombstone {
  const { need, requester, slot, epoch, proposal, result } = leaf
  return {
    thread: need.toString(),
    slot: `${requester}/${slot}`,
    epoch,
    decision: proposal?.toString() ?? null,
    phase: result,
    until: leafStandsUntil(leaf)
  }
}
