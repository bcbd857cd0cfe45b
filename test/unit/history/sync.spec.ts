/**
 * Goal: peers can neither make a newcomer forget how far it had loaded a log, nor spoil what honest ones give it. Method: peers of one process that add lines to
 * notes, go back to old ones, and lie about leaves.
 */
import { strict as assert } from 'node:assert'
import { utf8 } from '../../../src/core/base/index.ts'
import {
  checkNote,
  cosignature,
  cosignedBytes,
  formatCheckpoint,
  formatNote,
  NOTE_SIGNATURES_MAX,
  type NoteSignature,
  originSignature,
  parseNote,
  type SignedNote
} from '../../../src/core/checkpoint/index.ts'
import type { CertificateFile } from '../../../src/core/roster/index.ts'
import { answerPeer } from '../../../src/history/index.ts'
import { decodeAnswer, decodeQuestion, encodeAnswer } from '../../../src/history/messages.ts'
import { askPeer } from '../../../src/history/peers.ts'
import {
  appendEnds,
  authorAndWitnesses,
  certificateFiles,
  HistoryRoom,
  historyNode,
  newcomerOf,
  replaceAnswers,
  verifyBoth,
  waiting
} from '../../support/history-room.ts'

/** When witnesses signed, in seconds since 1970. */
const SECONDS = 1_800_000_000

/** Lines of keys that nobody knows. */
const junk = (count: number): NoteSignature[] =>
  Array.from({ length: count }, (_, at) => ({
    name: `nobody-${at}`,
    keyId: new Uint8Array(4),
    bytes: new Uint8Array(72)
  }))

/** From now on this peer answers with these notes, and as before what else it is asked. */
function offer(room: HistoryRoom, did: string, notes: readonly SignedNote[]): void {
  replaceAnswers(room, did, async question =>
    typeOf(question) === 'notes'
      ? encodeAnswer({ type: 'notes', notes: notes.map(formatNote) })
      : null
  )
}

function typeOf(question: Uint8Array): string | null {
  const asked = decodeQuestion(question)
  return asked.ok ? asked.value.type : null
}

describe('history: loading what others know', function () {
  this.timeout(60_000)

  /** A log of two leaves and then of three, and its notes. */
  async function grown() {
    const world = await authorAndWitnesses()
    await appendEnds(world.author, 2)
    await world.author.checkpointer.run()
    const old = world.author.own.note
    await appendEnds(world.author, 3)
    await world.author.checkpointer.run()
    const { note } = world.author.own
    assert(old !== null && note !== null)
    return { ...world, old, note }
  }

  it('knows how far it had come, whatever lines peers add to the checkpoints that they offer', async () => {
    const { room, author, one, old, note } = await grown()
    const { sync, store } = newcomerOf(room, [author.did, one.did, 'liar'])
    const lines = junk(NOTE_SIGNATURES_MAX - note.signatures.length)
    offer(room, 'liar', [{ ...note, signatures: [...note.signatures, ...lines] }])
    assert.equal((await sync.run()).size, 3)
    const kept = parseNote(store.map.get(`sync/note/${author.origin}`) ?? new Uint8Array())
    assert(kept.ok, 'what is kept can be read')
    const checked = checkNote(kept.value, verifyBoth)
    assert(checked.ok)
    assert.deepEqual(kept.value.signatures, checked.value.lines, 'only what counts')
    for (const did of [author.did, one.did, 'liar']) offer(room, did, [old])
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /behind, or hide/u })
  })

  it('counts the witnesses that it trusts, however many others sign before them', async () => {
    const { room, author, one, two, note } = await grown()
    const [own, ...cosignatures] = note.signatures
    assert(own !== undefined)
    offer(room, author.did, [{ ...note, signatures: [own, ...junk(62)] }])
    offer(room, one.did, [{ ...note, signatures: [own, ...cosignatures] }])
    const { sync, store } = newcomerOf(room, [author.did, one.did], {
      trusted: [one.did, two.did]
    })
    assert.deepEqual([...(await sync.run()).witnesses].sort(), [one.did, two.did].sort())
    const strict = newcomerOf(room, [author.did, one.did], { trusted: [one.did] })
    assert.equal((await strict.sync.run()).trust, 'full')
    assert.equal(store.map.has(`sync/note/${author.origin}`), true)
  })

  it('reads what nodes kept that took all lines of all peers', async () => {
    const { room, author, old, note } = await grown()
    const { sync, store } = newcomerOf(room, [author.did])
    const lines = [...junk(70), ...note.signatures, ...junk(300)]
    store.map.set(`sync/note/${author.origin}`, formatNote({ ...note, signatures: lines }))
    offer(room, author.did, [old])
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /behind, or hide/u })
    offer(room, author.did, [note])
    assert.equal((await sync.run()).size, 3)
  })

  it('takes nothing of a log while it cannot tell how far it had come, and says what to do', async () => {
    const { room, author, note } = await grown()
    const { sync, store, loaded } = newcomerOf(room, [author.did])
    const mark = `sync/note/${author.origin}`
    const odd = [
      utf8('not a note'),
      new Uint8Array(0),
      Uint8Array.of(0xff, 0xfe),
      formatNote({ ...note, signatures: junk(1) })
    ]
    for (const kept of odd) {
      store.map.set(mark, kept)
      await assert.rejects(sync.run(), { code: 'SYNC_MARK_DAMAGED', message: /--anew/u })
    }
    assert.equal(loaded.length, 0)
    await assert.rejects(sync.run({ anew: true }), { code: 'SYNC_FAILED', message: /--from/u })
    assert.equal((await sync.run({ origin: author.origin, anew: true })).size, 3)
    assert.equal((await sync.run()).loaded, 0)
  })

  /** Answers of this peer hold one leaf each, which `changed` may replace. Returns what it was asked. */
  function oneByOne(
    room: HistoryRoom,
    did: string,
    changed: (leaf: Uint8Array, at: number) => Uint8Array = leaf => leaf
  ): string[] {
    const asked: string[] = []
    const honest = room.answers.get(did)
    assert(honest !== undefined)
    room.answers.set(did, async (from, bytes) => {
      const question = decodeQuestion(bytes)
      assert(question.ok)
      asked.push(question.value.type)
      const answer = decodeAnswer(await honest(from, bytes, waiting))
      assert(answer.ok)
      if (answer.value.type !== 'leaves' || question.value.type !== 'leaves')
        return encodeAnswer(answer.value)
      const { from: at } = question.value
      const leaves = answer.value.leaves.slice(0, 1)
      return encodeAnswer({
        type: 'leaves',
        leaves: leaves.map(({ leaf }) => ({ leaf: changed(leaf, at), certificate: null }))
      })
    })
    return asked
  }

  it('asks a holder nothing more that gave a false leaf, and takes all from the others', async () => {
    for (const wrong of [0, 1, 2]) {
      const { room, author, one, two } = await grown()
      const other = (await author.own.leaves((wrong + 1) % 3, false))[0]?.leaf
      assert(other !== undefined)
      const asked = oneByOne(room, author.did, (leaf, at) => (at === wrong ? other : leaf))
      oneByOne(room, one.did)
      oneByOne(room, two.did)
      const { sync, loaded, logger } = newcomerOf(room, [author.did, one.did, two.did])
      const { size, loaded: news } = await sync.run()
      assert.deepEqual([size, news, loaded[0]?.length], [3, 3, 3])
      assert.equal(asked.filter(type => type === 'leaves').length, wrong + 1)
      assert.equal(logger.lines.length, 1)
    }
  })

  it('keeps what was proven when all that are left lie, and goes on with it', async () => {
    const { room, author, one, two } = await grown()
    const honest = [author, one, two].map(({ did }) => [did, room.answers.get(did)] as const)
    const first = (await author.own.leaves(0, false))[0]?.leaf as Uint8Array
    for (const { did } of [author, one, two])
      oneByOne(room, did, (leaf, at) => (at > 0 ? first : leaf))
    const { sync, store, loaded } = newcomerOf(room, [author.did, one.did, two.did])
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /leaf 1 of/u })
    const kept = [...store.map.keys()].filter(key => key.startsWith('sync/leaf/'))
    assert.deepEqual([kept.length, loaded.length], [1, 0])
    for (const [did, answer] of honest) if (answer !== undefined) room.answers.set(did, answer)
    assert.equal((await sync.run()).loaded, 2)
  })

  it('begins anew where what is here is of another log', async () => {
    const { room, author, one } = await grown()
    const { sync, store, loaded } = newcomerOf(room, [author.did, one.did])
    const leaf = (await author.own.leaves(2, false))[0]?.leaf as Uint8Array
    store.map.set(`sync/leaf/${author.origin}/000000000000`, leaf)
    assert.equal((await sync.run()).loaded, 3)
    assert.equal(loaded.at(-1)?.length, 3)
  })

  it('takes no log that does not go on from what was loaded of it', async () => {
    const { room, author, one, two, old } = await grown()
    const forked = await historyNode(new HistoryRoom(), 1)
    for (const at of [2, 1, 0])
      assert((await forked.own.append(certificateFiles(3)[at] as CertificateFile)).ok)
    await forked.checkpointer.run()
    const { sync, store, loaded } = newcomerOf(room, [author.did, one.did, two.did])
    for (const { did } of [author, one, two]) offer(room, did, [old])
    assert.equal((await sync.run()).size, 2)
    const before = new Map(store.map)
    const answers = { ...forked, witness: null }
    for (const { did } of [author, one, two])
      room.answers.set(did, (from, question) => answerPeer(answers, from, question, waiting))
    await assert.rejects(sync.run({ full: true }), { code: 'SYNC_FAILED', message: /rewritten/u })
    assert.deepEqual([store.map, loaded.length], [before, 1])
  })

  it('takes nothing of a node that is known to have rewritten its log', async () => {
    const { room, author, one, two } = await grown()
    const peers = [author.did, one.did, two.did]
    const isConvicted = async (origin: string): Promise<boolean> => origin === author.origin
    const { sync, loaded } = newcomerOf(room, peers, { isConvicted })
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /evidence ls/u })
    await appendEnds(one, 1)
    await one.checkpointer.run()
    assert.deepEqual([(await sync.run()).origin, loaded.length], [one.origin, 1])
  })

  it('takes no right root under a wrong size, whoever signed it', async () => {
    const { room, author, one, two } = await grown()
    const root = author.own.root()
    for (const size of [2n, 4n]) {
      const text = formatCheckpoint({ origin: author.origin, size, root, extensions: [] })
      const own = originSignature(author.origin, author.did, author.signer.sign(utf8(text)))
      const cosignatures = [one, two].map(({ did, signer }) =>
        cosignature(did, SECONDS, signer.sign(cosignedBytes(text, SECONDS)))
      )
      const peers = [author.did, one.did, two.did]
      for (const did of peers) offer(room, did, [{ text, signatures: [own, ...cosignatures] }])
      for (const full of [false, true]) {
        const { sync, loaded, store } = newcomerOf(room, peers)
        await assert.rejects(sync.run({ full }), { code: 'SYNC_FAILED', message: /no peer/u })
        assert.deepEqual([loaded.length, store.map.size], [0, 0])
      }
    }
  })

  it('answers questions about more leaves than there are, or none, by nothing', async () => {
    const { room, author, one } = await grown()
    const exchange = room.exchangeOf('newcomer')
    const far = Number.MAX_SAFE_INTEGER
    const about = { type: 'consistency', origin: author.origin } as const
    for (const did of [author.did, one.did]) {
      for (const [from, size] of [
        [0, far],
        [far, far],
        [3, 2],
        [far, 0]
      ] as const)
        assert.equal((await askPeer(exchange, did, { ...about, from, size })).proof, null)
      for (const [from, size] of [
        [0, 0],
        [0, 3],
        [3, 3]
      ] as const)
        assert.deepEqual((await askPeer(exchange, did, { ...about, from, size })).proof, [])
      assert.equal((await askPeer(exchange, did, { ...about, from: 2, size: 3 })).proof?.length, 1)
    }
    const stranger = { ...about, origin: 'can-swarm/test/nobody', from: 0, size: 0 }
    assert.equal((await askPeer(exchange, one.did, stranger)).proof, null)
  })
})
