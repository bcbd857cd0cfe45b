/**
 * Goal: a node that wants its log witnessed takes no more of a witness's time, network and memory than is set aside for it, and loses nothing by coming in turns.
 * Method: a log that gives one leaf an answer, under limits of a few bytes and a clock of the test.
 */
import { strict as assert } from 'node:assert'
import { WitnessedLog } from '../../../src/core/history/index.ts'
import { BlockTree, leafHash } from '../../../src/core/merkle/index.ts'
import { type FetchLimits, LeafFetcher } from '../../../src/history/leaf-fetcher.ts'
import { type CertifiedLeaf, decodeQuestion, encodeAnswer } from '../../../src/history/messages.ts'
import {
  appendEnds,
  authorAndWitnesses,
  certificateFiles,
  verifyBoth,
  waiting
} from '../../support/history-room.ts'

const WIDE: FetchLimits = { request: 1e9, hour: 1e9, all: 1e9, share: 0, fetched: 1e9 }

describe('history: fetching leaves to witness', function () {
  this.timeout(60_000)
  let leaves: readonly CertifiedLeaf[]

  before(async () => {
    const { author } = await authorAndWitnesses()
    await appendEnds(author, 3)
    await author.checkpointer.run()
    leaves = await author.own.leaves(0, true)
    assert.equal(leaves.length, certificateFiles(3).length)
  })

  const bytesOf = ({ leaf, certificate }: CertifiedLeaf): number =>
    leaf.length + (certificate?.length ?? 0)

  /** A fetcher, the leaves it asked for, and what happens before each answer. */
  function world(limits: Partial<FetchLimits> = {}) {
    const asked: number[] = []
    const clock = { now: 1_800_000_000_000, deadline: (): void => undefined }
    const events = { before: (_from: number): void => undefined }
    const given = [...leaves]
    const fetcher = new LeafFetcher({
      exchange: {
        ask: async (_did, bytes, signal = waiting) => {
          const question = decodeQuestion(bytes)
          assert(question.ok && question.value.type === 'leaves')
          const { from } = question.value
          events.before(from)
          signal.throwIfAborted()
          asked.push(from)
          return encodeAnswer({ type: 'leaves', leaves: given.slice(from, from + 1) })
        },
        onAsk: () => undefined
      },
      verify: verifyBoth,
      clock: {
        nowMs: () => clock.now,
        after: (_ms, callback) => {
          clock.deadline = callback
          return () => undefined
        }
      },
      limits: { ...WIDE, ...limits }
    })
    const fetch = async (
      origin = 'log',
      signal = waiting,
      { held = 0, isReserved = false } = {}
    ): Promise<string | number> => {
      const tree = new BlockTree()
      for (const { leaf } of leaves.slice(0, held)) tree.append(leafHash(leaf))
      const log = new WitnessedLog({ origin, tree, note: null })
      const got = await fetcher.fetch(origin, log, { size: 3, signal, isReserved })
      return got.ok ? got.value.length : got.refusal.code
    }
    return { asked, clock, events, given, fetch }
  }

  it('brings all leaves that are new', async () => {
    const { asked, fetch } = world()
    assert.equal(await fetch(), 3)
    assert.deepEqual(asked, [0, 1, 2])
  })

  it('stops when the time is over, and goes on there when it is asked again', async () => {
    const { asked, clock, events, fetch } = world()
    events.before = from => (from === 1 ? clock.deadline() : undefined)
    assert.equal(await fetch(), 'WITNESS_BUSY')
    events.before = () => undefined
    assert.equal(await fetch(), 3)
    assert.deepEqual(asked, [0, 1, 2])
  })

  it('stops when a request has had its bytes, and what came waits for half an hour', async () => {
    const { asked, clock, fetch } = world({ request: 1 })
    assert.equal(await fetch(), 'WITNESS_BUSY')
    assert.equal(await fetch(), 'WITNESS_BUSY')
    clock.now += 30 * 60_000 + 1
    assert.equal(await fetch(), 'WITNESS_BUSY')
    assert.deepEqual(asked, [0, 1, 0])
  })

  it('asks a peer nothing more that has had its bytes of the hour', async () => {
    const [first] = leaves
    assert(first !== undefined)
    const { asked, clock, fetch } = world({ hour: bytesOf(first) })
    assert.equal(await fetch(), 'WITNESS_BUSY')
    assert.equal(await fetch(), 'WITNESS_BUSY')
    assert.deepEqual(asked, [0])
    assert.equal(await fetch('another log'), 'WITNESS_BUSY', 'which has its own hour')
    assert.deepEqual(asked, [0, 0])
    clock.now += 3_600_000
    await fetch()
    assert.deepEqual(asked.length, 3)
  })

  it('asks all peers together for so much in an hour, but for its part of each whose log is held', async () => {
    const [first] = leaves
    assert(first !== undefined)
    const { asked, clock, fetch } = world({ all: bytesOf(first), share: bytesOf(first) })
    clock.now += 3_600_000
    assert.equal(await fetch('one'), 'WITNESS_BUSY')
    assert.equal(await fetch('two'), 'WITNESS_BUSY')
    assert.deepEqual(asked.splice(0), [0], 'of one')
    assert.equal(await fetch('three', waiting, { held: 1 }), 'WITNESS_BUSY')
    assert.deepEqual(asked.splice(0), [1], 'and no more than its part')
    assert.equal(await fetch('four', waiting, { isReserved: true }), 3)
    clock.now += 3_600_000
    asked.splice(0)
    await fetch('two')
    assert.deepEqual(asked, [0])
  })

  it('keeps no more leaves in memory than it may', async () => {
    const [first] = leaves
    assert(first !== undefined)
    const fetched = 2 * first.leaf.length
    const { asked, fetch } = world({ request: 1, fetched })
    for (const log of ['one', 'two', 'three']) assert.equal(await fetch(log), 'WITNESS_BUSY')
    assert.equal(await fetch('one'), 'WITNESS_BUSY')
    assert.deepEqual(asked, [0, 0, 0, 0], 'what waited longest is gone')
    assert.equal(await world({ fetched: 1 }).fetch(), 'WITNESS_FULL')
  })

  it('stops when nobody waits any more', async () => {
    const { asked, events, fetch } = world()
    const gone = new AbortController()
    events.before = from => (from === 1 ? gone.abort() : undefined)
    await assert.rejects(fetch('log', gone.signal), { name: 'AbortError' })
    assert.deepEqual(asked, [0])
  })

  it('keeps nothing of a log that gives a false leaf, or none', async () => {
    const { asked, given, fetch } = world()
    const [one, two] = given as [CertifiedLeaf, CertifiedLeaf]
    given[1] = { leaf: two.leaf, certificate: one.certificate }
    assert.equal(await fetch(), 'CHECKPOINT_LEAVES')
    given.length = 1
    assert.equal(await fetch(), 'CHECKPOINT_LEAVES')
    assert.deepEqual(asked, [0, 1, 0, 1])
  })
})
