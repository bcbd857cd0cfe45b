/**
 * Goal: peers can neither make a newcomer forget how far it had loaded a log, nor spoil what honest ones give it. Method: peers of one process that add lines to
 * notes, go back to old ones, and lie about leaves.
 */
import { strict as assert } from 'node:assert'
import { utf8 } from '../../../src/core/base/index.ts'
import {
  checkNote,
  formatNote,
  NOTE_SIGNATURES_MAX,
  type NoteSignature,
  parseNote,
  type SignedNote
} from '../../../src/core/checkpoint/index.ts'
import { decodeQuestion, encodeAnswer } from '../../../src/history/messages.ts'
import {
  appendEnds,
  authorAndWitnesses,
  type HistoryRoom,
  newcomerOf,
  verifyBoth
} from '../../support/history-room.ts'

/** Lines of keys that nobody knows. */
const junk = (count: number): NoteSignature[] =>
  Array.from({ length: count }, (_, at) => ({
    name: `nobody-${at}`,
    keyId: new Uint8Array(4),
    bytes: new Uint8Array(72)
  }))

/** From now on this peer answers with these notes, and as before what else it is asked. */
function offer(room: HistoryRoom, did: string, notes: readonly SignedNote[]): void {
  const before = room.answers.get(did)
  room.answers.set(did, async (from, question) => {
    const asked = decodeQuestion(question)
    if (asked.ok && asked.value.type === 'notes')
      return encodeAnswer({ type: 'notes', notes: notes.map(formatNote) })
    if (before === undefined) throw new DOMException(`${did} is not there`, 'AbortError')
    return before(from, question)
  })
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
})
