/**
 * Goal: no log that somebody wrote takes the place of others, and none closes anything for longer than a thread can bind. Method: authors, witnesses and strangers of one
 * process, and a newcomer that loads what they offer.
 */
import { strict as assert } from 'node:assert'
import { nodeSigner } from '../../../src/adapters/ed25519/index.ts'
import { utf8 } from '../../../src/core/base/index.ts'
import {
  cosignature,
  cosignedBytes,
  formatCheckpoint,
  formatNote,
  formatOrigin,
  originSignature
} from '../../../src/core/checkpoint/index.ts'
import { encodeLeaf, type Leaf, leafOf } from '../../../src/core/history/index.ts'
import { leafHash, MerkleTree } from '../../../src/core/merkle/index.ts'
import { SYNC_LOGS_MAX } from '../../../src/history/limits.ts'
import { decodeAnswer, decodeQuestion, encodeAnswer } from '../../../src/history/messages.ts'
import {
  appendEnds,
  authorAndWitnesses,
  certificateFiles,
  HistoryRoom,
  historyNode,
  NETWORK,
  newcomerOf,
  verifyBoth,
  waiting
} from '../../support/history-room.ts'
import { soloEnd } from '../../support/solo-end.ts'

const NOW_MS = 1_800_000_000_000
const DAY_MS = 86_400_000
const signer = (key: number) => nodeSigner(new Uint8Array(32).fill(key))

/** What a peer answers that offers logs of its own making, by so many of its keys, under witnesses of its own. */
function fabricated(keys: readonly number[], leaves: readonly Uint8Array[]) {
  const tree = new MerkleTree()
  for (const leaf of leaves) tree.append(leafHash(leaf))
  const notes = keys.map(key => {
    const { did, sign } = signer(key)
    const origin = formatOrigin(NETWORK, did)
    const size = BigInt(leaves.length)
    const text = formatCheckpoint({ origin, size, root: tree.root(), extensions: [] })
    const cosignatures = [251, 252]
      .map(signer)
      .map(witness =>
        cosignature(witness.did, NOW_MS / 1000, witness.sign(cosignedBytes(text, NOW_MS / 1000)))
      )
    const own = originSignature(origin, did, sign(utf8(text)))
    return { origin, note: formatNote({ text, signatures: [own, ...cosignatures] }) }
  })
  notes.sort((a, b) => (a.origin < b.origin ? -1 : 1))
  return async (_from: string, bytes: Uint8Array): Promise<Uint8Array> => {
    const question = decodeQuestion(bytes)
    assert(question.ok)
    const asked = question.value
    if (asked.type === 'leaves')
      return encodeAnswer({
        type: 'leaves',
        leaves: leaves.slice(asked.from).map(leaf => ({ leaf, certificate: null }))
      })
    if (asked.type === 'notes') {
      const page = notes.filter(({ origin }) => origin > (asked.after ?? '')).slice(0, 16)
      return encodeAnswer({ type: 'notes', notes: page.map(({ note }) => note) })
    }
    throw new DOMException('not answered', 'AbortError')
  }
}

function leavesOf(count: number): Uint8Array[] {
  return certificateFiles(count).map(file => {
    const leaf = leafOf(file, verifyBoth)
    assert(leaf.ok)
    return encodeLeaf(leaf.value)
  })
}

describe('history: loading many logs', function () {
  this.timeout(60_000)

  /** Two logs, both with the same two witnesses: of two ends, and of four. */
  async function twoLogs() {
    const world = await authorAndWitnesses()
    const { room, one, two } = world
    const other = await historyNode(room, 4, { witnesses: () => [one.did, two.did] })
    await appendEnds(world.author, 2)
    await appendEnds(other, 4)
    for (const node of [world.author, other]) await node.checkpointer.run()
    return { ...world, other }
  }

  it('takes all that are stable, the larger first, and says which', async () => {
    const { room, author, one, two, other } = await twoLogs()
    for (const full of [false, true]) {
      const peers = [author.did, other.did, one.did, two.did]
      const { sync, loaded } = newcomerOf(room, peers)
      const { origin, logs, failed } = await sync.run({ full })
      assert.equal(origin, other.origin)
      assert.deepEqual(
        logs.map(log => log.origin),
        [other.origin, author.origin]
      )
      assert.deepEqual(
        logs.map(({ size }) => size),
        [4, 2]
      )
      assert.deepEqual(failed, [])
      assert.deepEqual(
        loaded.map(({ length }) => length),
        [4, 2]
      )
    }
    const { sync } = newcomerOf(room, [author.did, other.did])
    const named = await sync.run({ origin: author.origin })
    assert.deepEqual(
      named.logs.map(({ origin }) => origin),
      [author.origin]
    )
  })

  it('takes the others when one is not to be had, and says so', async () => {
    const { room, author, one, other } = await twoLogs()
    room.answers.set('thief', fabricated([9], leavesOf(1)))
    const offers = room.answers.get('thief') as NonNullable<ReturnType<typeof room.answers.get>>
    room.answers.set('thief', async (from, question, signal) => {
      const asked = decodeQuestion(question)
      if (asked.ok && asked.value.type === 'leaves') throw new DOMException('gone', 'AbortError')
      return offers(from, question, signal)
    })
    const { sync, logger } = newcomerOf(room, ['thief', author.did, other.did, one.did])
    const { logs, failed } = await sync.run()
    assert.deepEqual(
      logs.map(({ origin }) => origin),
      [other.origin, author.origin]
    )
    assert.deepEqual(
      failed.map(({ origin }) => origin),
      [formatOrigin(NETWORK, signer(9).did)]
    )
    assert.match(failed[0]?.reason ?? '', /no peer delivers leaf 0/u)
    assert.equal(logger.lines.length, 1)
  })

  it('puts logs of trusted nodes first, then those that peers have witnessed', async () => {
    const { room, author, one, two, other } = await twoLogs()
    const strangers = [9, 10, 11].map(key => formatOrigin(NETWORK, signer(key).did))
    room.answers.set('liar', fabricated([9, 10, 11], leavesOf(5)))
    const peers = ['liar', author.did, other.did, one.did, two.did]
    const byPeers = await newcomerOf(room, peers).sync.run()
    const origins = byPeers.logs.map(({ origin }) => origin)
    assert.deepEqual(origins.slice(0, 2), [other.origin, author.origin])
    assert.deepEqual(origins.slice(2).sort(), strangers.sort())
    const trusted = [author.did, one.did, two.did]
    const trusting = await newcomerOf(room, peers, { trusted }).sync.run()
    assert.deepEqual(
      trusting.logs.map(({ origin }) => origin),
      [author.origin, other.origin]
    )
  })

  it('takes no more logs in one run than so many, and names the others', async () => {
    const room = new HistoryRoom()
    const keys = Array.from({ length: SYNC_LOGS_MAX + 2 }, (_, at) => at + 20)
    room.answers.set('liar', fabricated(keys, leavesOf(1)))
    const { sync, loaded } = newcomerOf(room, ['liar'])
    const { logs, failed } = await sync.run()
    assert.deepEqual([logs.length, failed.length, loaded.length], [SYNC_LOGS_MAX, 2, SYNC_LOGS_MAX])
    assert.match(failed[0]?.reason ?? '', /sync --from DID/u)
  })

  it('takes of one log only so much, unless it is asked for, and begins no more than so much', async () => {
    const { room, author, other } = await twoLogs()
    const bytes = leavesOf(2).reduce((sum, { length }) => sum + length, 0)
    const peers = [author.did, other.did]
    const wide = { logs: 9, log: 1_000_000, bytes: 1_000_000 }
    const { sync, store } = newcomerOf(room, peers, { limits: { ...wide, log: bytes } })
    const { logs, failed } = await sync.run()
    assert.deepEqual(
      logs.map(({ origin }) => origin),
      [author.origin]
    )
    assert.deepEqual(
      failed.map(({ origin }) => origin),
      [other.origin]
    )
    assert.ok(![...store.map.keys()].some(key => key.includes(other.origin)), 'nothing stays')
    assert.equal((await sync.run({ origin: other.origin })).size, 4)
    const short = newcomerOf(room, peers, { limits: { ...wide, bytes: bytes } })
    assert.deepEqual(
      (await short.sync.run()).logs.map(({ size }) => size),
      [4]
    )
  })

  it('checks the certificate of an end once, in however many logs it is', async () => {
    const { room, author, other } = await twoLogs()
    const honest = room.answers.get(author.did) as NonNullable<ReturnType<typeof room.answers.get>>
    room.answers.set(author.did, async (from, question, signal) => {
      const answer = decodeAnswer(await honest(from, question, signal))
      assert(answer.ok)
      if (answer.value.type !== 'leaves') return encodeAnswer(answer.value)
      const leaves = answer.value.leaves.map(({ leaf }) => ({ leaf, certificate: null }))
      return encodeAnswer({ type: 'leaves', leaves })
    })
    const peers = [author.did, other.did]
    const both = await newcomerOf(room, peers).sync.run({ full: true })
    assert.deepEqual(
      both.logs.map(({ size }) => size),
      [4, 2]
    )
    const alone = newcomerOf(room, [author.did]).sync.run({ full: true })
    await assert.rejects(alone, { code: 'SYNC_FAILED', message: /without its certificate/u })
  })

  it('takes no leaf that stands longer than a thread can, into its own log, as a witness, or as a newcomer', async () => {
    const file = soloEnd({ outcome: { stamp: NOW_MS + 100 * DAY_MS } })
    const { room, author, one } = await authorAndWitnesses()
    const own = await author.own.append(file)
    assert.equal(!own.ok && own.refusal.code, 'LEAF_AHEAD')
    assert.equal(author.own.size, 0)
    const stranger = await historyNode(room, 5, { nowMs: () => NOW_MS + 90 * DAY_MS })
    assert((await stranger.own.append(file)).ok)
    await stranger.checkpointer.run()
    const note = formatNote(stranger.own.note as NonNullable<typeof stranger.own.note>)
    const answer = await one.witness.cosign(stranger.did, note, waiting)
    assert.equal(answer.type === 'declined' && answer.code, 'LEAF_AHEAD')
    const late = leafOf(file, verifyBoth)
    assert(late.ok)
    room.answers.set('liar', fabricated([9], [encodeLeaf(late.value satisfies Leaf)]))
    const { sync, loaded } = newcomerOf(room, ['liar'])
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /would stand for longer/u })
    await assert.rejects(newcomerOf(room, [stranger.did]).sync.run({ full: true }), {
      code: 'SYNC_FAILED',
      message: /would stand for longer/u
    })
    assert.deepEqual(loaded, [])
  })

  it('takes nothing of a log whose certified ends are of threads that nobody follows', async () => {
    const { room, author } = await authorAndWitnesses()
    const file = soloEnd({ need: { epoch: 300 } })
    const own = await author.own.append(file)
    assert.equal(!own.ok && own.refusal.code, 'NEED_EPOCH')
    const made = leafOf(soloEnd({}), verifyBoth)
    assert(made.ok)
    for (const change of [{ epoch: 300 }, { slot: 'x'.repeat(9_000) }]) {
      room.answers.set('liar', fabricated([9], [encodeLeaf({ ...made.value, ...change })]))
      const { sync, loaded } = newcomerOf(room, ['liar'])
      await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /malformed/u })
      assert.deepEqual(loaded, [])
    }
  })
})
