import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeSigner, nodeVerifier } from '../../src/adapters/ed25519/index.ts'
import { levelArchive, levelKeyValues } from '../../src/adapters/level/index.ts'
import { walJournal } from '../../src/adapters/wal/index.ts'
import { utf8 } from '../../src/core/base/index.ts'
import {
  cosignature,
  cosignedBytes,
  formatCheckpoint,
  formatNote,
  formatOrigin,
  originSignature
} from '../../src/core/checkpoint/index.ts'
import { cidOf, hash } from '../../src/core/codec/index.ts'
import { encodeLeaf, type Leaf } from '../../src/core/history/index.ts'
import { leafHash, MerkleTree } from '../../src/core/merkle/index.ts'
import { ColdStore, coldFolder, HistorySync } from '../../src/history/index.ts'
import { LEAVES_PER_ANSWER_MAX } from '../../src/history/limits.ts'
import { decodeQuestion, encodeAnswer } from '../../src/history/messages.ts'
import { loadLeaves } from '../../src/node/load-leaves.ts'
import { encodeArchived } from '../../src/runtime/index.ts'
import { MemoryKeyValues } from '../support/history-room.ts'
import type { LongThread } from '../support/long-thread.ts'
import { newcomerCore } from '../support/newcomer-core.ts'
import { recordingLogger } from '../support/recording-logger.ts'
import { silent } from '../support/virtual-world.ts'

/** Events of an ordinary thread of five nodes: fewer make more leaves, which is harder for the fast way. */
export const EVENTS_PER_THREAD = 25
const NETWORK = 'bench'
/** When the newcomer comes: the threads have ended, and still stand. */
const NOW_MS = 1_799_900_000_000
const signer = (key: number) => nodeSigner(new Uint8Array(32).fill(key))

/** ms in which a newcomer has what a checkpoint with two witnesses covers, as the node does: leaves, tombstones in its journal, and lines of its archive, all on disk: threads of `EVENTS_PER_THREAD` events. */
export async function fastSyncMs(events: number, folder: string): Promise<number> {
  const leaves = leavesOf(Math.ceil(events / EVENTS_PER_THREAD))
  const author = signer(1)
  const answer = authorOf(leaves)
  const path = join(folder, 'newcomer')
  const store = await levelKeyValues({ path: join(path, 'history') })
  const archive = await levelArchive({ path: join(path, 'archive') })
  const journal = await walJournal({ path: join(path, 'journal.wal'), logger: silent })
  const { driver, swarm } = await newcomerCore({ journal, archive, nowMs: NOW_MS })
  try {
    const sync = new HistorySync({
      store,
      exchange: { ask: async (_, question) => answer(question), onAsk: () => undefined },
      verify: nodeVerifier(),
      logger: recordingLogger(),
      nowMs: () => NOW_MS,
      own: '',
      network: NETWORK,
      quorum: 2,
      trusted: new Set(),
      peers: () => [author.did],
      isConvicted: async () => false,
      keepFork: async () => undefined,
      load: (loaded, { origin }) => loadLeaves({ driver, archive }, loaded, origin)
    })
    const start = performance.now()
    const { trust, loaded } = await sync.run()
    const ms = performance.now() - start
    if (trust !== 'checkpoint' || loaded !== leaves.length || swarm.tombstoneCount() !== loaded)
      throw new RangeError(`${loaded} of ${leaves.length} threads, by ${trust}`)
    return ms
  } finally {
    await driver.stop()
    for (const disk of [journal, store, archive]) await disk.close()
    await rm(path, { recursive: true })
  }
}

/** Bytes of a thread in a cold file: what the archive has of it, and its log. */
export async function coldBytes(
  { thread, items }: LongThread,
  log: Uint8Array,
  folder: string
): Promise<{ hot: number; cold: number }> {
  const envelopes = items.flatMap(item => (item.type === 'envelope' ? [item] : []))
  const entries = items.flatMap(item => (item.type === 'entry' ? [item.entry] : []))
  const archived = encodeArchived({
    summary: {
      thread,
      slot: 'long',
      task: 'long',
      phase: 'EXPIRED',
      reason: '',
      requester: signer(1).did,
      expiresAt: 0,
      openedAt: 0,
      void: null
    },
    records: [...envelopes, { type: 'learned', thread, group: thread, entries }]
  })
  const path = join(folder, 'cold')
  const store = await ColdStore.open(coldFolder(path), new MemoryKeyValues())
  const { name } = await store.add([
    { ...archived, logs: [{ name: `${thread}.jsonl`, bytes: log }] }
  ])
  const { size } = await stat(join(path, name))
  const hot = archived.records.reduce((sum, { length }) => sum + length, log.length)
  return { hot, cold: size }
}

function leavesOf(count: number): Uint8Array[] {
  const requester = signer(4).did
  return Array.from({ length: count }, (_, index) => {
    const need = cidOf(utf8(`need ${index}`))
    const leaf: Leaf = {
      need,
      requester,
      slot: `slot-${index}`,
      task: 'text/shorten-to-a-tenth-of-its-length',
      epoch: 0,
      result: 'FINAL',
      reason: '',
      proposal: cidOf(utf8(`proposal ${index}`)),
      outcome: hash(utf8(String(index))),
      expiresAt: 1_800_000_000_000,
      notAfter: 1_800_000_000_000,
      stamp: 1_700_000_000_000 + index
    }
    return encodeLeaf(leaf)
  })
}

/** A node that answers with a checkpoint of two witnesses, and the leaves under it. */
function authorOf(leaves: readonly Uint8Array[]): (question: Uint8Array) => Uint8Array {
  const author = signer(1)
  const origin = formatOrigin(NETWORK, author.did)
  const tree = new MerkleTree()
  for (const leaf of leaves) tree.append(leafHash(leaf))
  const size = BigInt(leaves.length)
  const text = formatCheckpoint({ origin, size, root: tree.root(), extensions: [] })
  const seconds = 1_700_000_000
  const witnesses = [signer(2), signer(3)].map(({ did, sign }) =>
    cosignature(did, seconds, sign(cosignedBytes(text, seconds)))
  )
  const own = originSignature(origin, author.did, author.sign(utf8(text)))
  const note = formatNote({ text, signatures: [own, ...witnesses] })
  return bytes => {
    const question = decodeQuestion(bytes)
    if (question.ok && question.value.type === 'notes')
      return encodeAnswer({ type: 'notes', notes: [note] })
    if (question.ok && question.value.type === 'consistency') {
      const { from, size: to } = question.value
      return encodeAnswer({ type: 'consistency', proof: tree.consistencyProof(from, to) })
    }
    if (!question.ok || question.value.type !== 'leaves') throw new RangeError('no such question')
    const { from } = question.value
    const part = leaves.slice(from, from + LEAVES_PER_ANSWER_MAX)
    return encodeAnswer({
      type: 'leaves',
      leaves: part.map(leaf => ({ leaf, certificate: null }))
    })
  }
}
