/**
 * Goal: what anybody may ask of a log that is witnessed costs a few reads, however large it is and however many there are, and is answered from disk as from memory.
 * Method: a log of several blocks in a store that counts what is read of it; stores of an older version, which have the leaves alone.
 */
import { strict as assert } from 'node:assert'
import { utf8 } from '../../../src/core/base/index.ts'
import {
  formatCheckpoint,
  formatNote,
  parseNote,
  type SignedNote
} from '../../../src/core/checkpoint/index.ts'
import { BLOCK_LEAVES, leafHash, MerkleTree } from '../../../src/core/merkle/index.ts'
import { WitnessedLogs } from '../../../src/history/index.ts'
import type { KeyValues } from '../../../src/ports/index.ts'
import { MemoryKeyValues } from '../../support/history-room.ts'

const ORIGIN = 'can-swarm/test/somebody'
const LEAVES = Array.from({ length: 4 * BLOCK_LEAVES + 9 }, (_, at) => utf8(`leaf ${at}`))
const SIZES = [0, 1, 255, 256, 257, 700, 768, 1_024, 1_033]

/** Counts the values that are read. */
class CountedKeyValues extends MemoryKeyValues {
  reads = 0

  override async get(key: string): Promise<Uint8Array | undefined> {
    this.reads++
    return super.get(key)
  }

  override async *range(options: Parameters<KeyValues['range']>[0]) {
    for await (const entry of super.range(options)) {
      this.reads++
      yield entry
    }
  }
}

describe('history: trees of witnessed logs', () => {
  const tree = new MerkleTree()
  for (const leaf of LEAVES) tree.append(leafHash(leaf))

  function noteOf(size: number): SignedNote {
    const root = tree.root(size)
    const text = formatCheckpoint({ origin: ORIGIN, size: BigInt(size), root, extensions: [] })
    const bytes = new Uint8Array(64)
    const signatures = [{ name: ORIGIN, keyId: new Uint8Array(4), bytes }]
    const note = parseNote(formatNote({ text, signatures }))
    assert(note.ok)
    return note.value
  }

  /** A store with the log, which has grown three times. */
  async function grown(): Promise<CountedKeyValues> {
    const store = new CountedKeyValues()
    const logs = new WitnessedLogs(store)
    let from = 0
    for (const size of [100, 600, LEAVES.length]) {
      const log = await logs.get(ORIGIN)
      assert(await logs.grow(log, noteOf(size), LEAVES.slice(from, size)))
      from = size
    }
    return store
  }

  async function assertAnswers(logs: WitnessedLogs): Promise<void> {
    for (const size of SIZES) {
      assert.deepEqual(await logs.peaks(ORIGIN, size), tree.peaks(size))
      for (const from of SIZES.filter(one => one <= size))
        assert.deepEqual(
          await logs.consistency(ORIGIN, from, size),
          tree.consistencyProof(from, size)
        )
    }
    assert.equal(await logs.peaks(ORIGIN, LEAVES.length + 1), null)
  }

  it('answer after a restart, by a few reads', async () => {
    const store = await grown()
    await assertAnswers(new WitnessedLogs(store))
    store.reads = 0
    const logs = new WitnessedLogs(store)
    assert.deepEqual(await logs.consistency(ORIGIN, 257, 700), tree.consistencyProof(257, 700))
    assert(store.reads <= 10, `${store.reads} values were read`)
  })

  it('are made of the leaves where those alone are there, once', async () => {
    const store = await grown()
    for (const key of [...store.map.keys()])
      if (/^witnessed\/(?:block|root)\//u.test(key)) store.map.delete(key)
    const logs = new WitnessedLogs(store)
    const answers = await Promise.all(SIZES.map(size => logs.peaks(ORIGIN, size)))
    assert.deepEqual(
      answers,
      SIZES.map(size => tree.peaks(size))
    )
    store.reads = 0
    await assertAnswers(new WitnessedLogs(store))
    assert(store.reads < LEAVES.length, `${store.reads} values were read`)
  })

  it('are not made of leaves that are not all there', async () => {
    const store = await grown()
    for (const key of [...store.map.keys()])
      if (/^witnessed\/block-root\//u.test(key)) store.map.delete(key)
    store.map.delete(`witnessed/leaf/${ORIGIN}/000000000700`)
    const logs = new WitnessedLogs(store)
    await assert.rejects(logs.peaks(ORIGIN, 3), { code: 'HISTORY_DAMAGED' })
    store.map.set(`witnessed/leaf/${ORIGIN}/000000000700`, LEAVES[700] as Uint8Array)
    await assertAnswers(logs)
  })

  it('go with the log', async () => {
    const store = await grown()
    assert(await new WitnessedLogs(store).retire(ORIGIN))
    assert.deepEqual([...store.map.keys()], [`witnessed/past/${ORIGIN}`])
  })
})
