/**
 * Goal: logs of ended threads are signed once, witnessed only when recomputed, and loaded only on enough good words. Method: nodes of one
 * process with real certificates, that lie, are cut, are restored from old copies, and hide what came.
 */
import { strict as assert } from 'node:assert'
import { toHex, utf8 } from '../../../src/core/base/index.ts'
import {
  checkFork,
  checkNote,
  decodeFork,
  formatCheckpoint,
  formatNote,
  originSignature,
  parseNote
} from '../../../src/core/checkpoint/index.ts'
import { leafHash, MerkleTree } from '../../../src/core/merkle/index.ts'
import { Announcements, answerPeer, WitnessedLogs } from '../../../src/history/index.ts'
import { decodeAnswer, encodeAnswer } from '../../../src/history/messages.ts'
import {
  appendEnds,
  authorAndWitnesses,
  certificateFiles,
  type HistoryNode,
  HistoryRoom,
  historyNode,
  MemoryKeyValues,
  NETWORK,
  newcomerOf,
  openLog,
  verifyBoth,
  waiting
} from '../../support/history-room.ts'
import { recordingLogger } from '../../support/recording-logger.ts'

describe('history', function () {
  this.timeout(60_000)
  const files = () => certificateFiles(3)

  const appendAll = (node: HistoryNode, count = 3): Promise<void> => appendEnds(node, count)
  const world = authorAndWitnesses
  const newcomer = newcomerOf

  /** A checkpoint signed by the author over these leaves, whatever its log says. */
  function signedBy(
    { origin, signer, did, own }: HistoryNode,
    leaves: readonly Uint8Array[]
  ): Uint8Array {
    const tree = new MerkleTree()
    for (const leaf of leaves) tree.append(leafHash(leaf))
    const text = formatCheckpoint({
      origin,
      size: BigInt(tree.size),
      root: tree.root(),
      // As the checkpoint before.
      extensions: own.note?.text.split('\n').slice(3, -1) ?? []
    })
    const signature = originSignature(origin, did, signer.sign(utf8(text)))
    return formatNote({ text, signatures: [signature] })
  }

  it('keeps each thread once, and is the same log after a restart', async () => {
    const { author } = await world()
    await appendAll(author)
    const [first] = files()
    assert(first !== undefined)
    const again = await author.own.append(first)
    assert(again.ok && !again.value)
    await author.checkpointer.run()
    const restored = await openLog(author.store)
    assert.equal(restored.size, 3)
    assert.deepEqual(restored.root(), author.own.root())
    assert.equal(restored.signedSize, 3)
  })

  it('does not start on a log that lost or changed what was signed', async () => {
    const { author } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const last = 'own/leaf/000000000002'
    const leaf = author.store.map.get(last)
    assert(leaf !== undefined)
    author.store.map.delete(last)
    await assert.rejects(openLog(author.store), { code: 'HISTORY_DAMAGED' })
    author.store.map.set(
      last,
      Uint8Array.from(leaf, (byte, i) => (i === 9 ? byte ^ 1 : byte))
    )
    await assert.rejects(openLog(author.store), { code: 'HISTORY_DAMAGED' })
  })

  it('is witnessed as it grows, by nodes that recomputed it', async () => {
    const { author, one } = await world()
    for (const count of [1, 2, 3]) {
      await appendAll(author, count)
      await author.checkpointer.run()
      assert.equal(author.checkpointer.stableSize(), count)
      assert.equal((await one.witnessed.get(author.origin))?.size, count)
    }
  })

  it('asks a witness that was away again, and only that one', async () => {
    const { room, author, two } = await world()
    await appendAll(author)
    const answer = room.answers.get(two.did)
    assert(answer !== undefined)
    room.answers.delete(two.did)
    await author.checkpointer.run()
    assert.equal(author.checkpointer.stableSize(), 0)
    room.answers.set(two.did, answer)
    await author.checkpointer.run()
    assert.equal(author.checkpointer.stableSize(), 3)
  })

  it('keeps of what a witness answers its cosignature only, and starts again with that', async () => {
    const { room, author, one } = await world()
    await appendAll(author, 1)
    const honest = room.answers.get(one.did)
    assert(honest !== undefined)
    room.answers.set(one.did, async (from, question) => {
      const bytes = await honest(from, question, waiting)
      const answer = decodeAnswer(bytes)
      if (!answer.ok || answer.value.type !== 'cosigned') return bytes
      const note = parseNote(answer.value.note)
      assert(note.ok)
      const [first, ...rest] = note.value.signatures
      assert(first !== undefined)
      const junk = { name: one.did, keyId: new Uint8Array(4), bytes: new Uint8Array(23_000) }
      const filled = { text: note.value.text, signatures: [first, junk, ...rest] }
      return encodeAnswer({ type: 'cosigned', note: formatNote(filled) })
    })
    await author.checkpointer.run()
    assert.equal(author.checkpointer.stableSize(), 1)
    assert.equal(author.own.note?.signatures.length, 3)
    assert.equal((await openLog(author.store)).stableSize, 1)
  })

  it('is kept by a witness under the signature of its origin, whatever lines are before it', async () => {
    const { author, one } = await world()
    await appendAll(author, 1)
    const leaf = author.store.map.get('own/leaf/000000000000')
    assert(leaf !== undefined)
    const signed = parseNote(signedBy(author, [leaf]))
    assert(signed.ok)
    const { text, signatures } = signed.value
    const junk = { name: author.origin, keyId: new Uint8Array(4), bytes: new Uint8Array(64) }
    await author.own.keepNote(signed.value)
    const note = formatNote({ text, signatures: [junk, ...signatures] })
    const answer = await one.witness.cosign(author.did, note, waiting)
    assert.equal(answer.type, 'cosigned')
    const kept = await one.witnessed.note(author.origin)
    assert(kept !== null)
    const checked = checkNote(kept, verifyBoth)
    assert(checked.ok && checked.value.witnesses.has(one.did))
  })

  it('is not cosigned when a leaf is not what its certificate says', async () => {
    const { author } = await world()
    await appendAll(author)
    const key = 'own/certificate/000000000001'
    author.store.map.set(key, author.store.map.get('own/certificate/000000000000') as Uint8Array)
    await author.checkpointer.run()
    assert.equal(author.checkpointer.witnesses().size, 0)
  })

  it('is not cosigned for somebody else', async () => {
    const { author, one, two } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const { note } = author.own
    assert(note !== null)
    const { askPeer } = await import('../../../src/history/peers.ts')
    const answer = await askPeer(two.exchange, one.did, { type: 'cosign', note: formatNote(note) })
    assert.equal(answer.type === 'declined' && answer.code, 'CHECKPOINT_ORIGIN')
  })

  it('convicts an author that signs a second log, by what its witness keeps', async () => {
    const { author, one } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const { askPeer } = await import('../../../src/history/peers.ts')
    const note = signedBy(author, [utf8('another'), utf8('log')])
    const answer = await askPeer(author.exchange, one.did, { type: 'cosign', note })
    assert.equal(answer.type === 'declined' && answer.code, 'CHECKPOINT_FORK')
    const [fork] = await one.witnessed.forks()
    assert(fork !== undefined)
    const decoded = decodeFork(fork.bytes)
    assert(decoded.ok)
    const convicted = checkFork(decoded.value, verifyBoth)
    assert(convicted.ok && convicted.value.did === author.did)
    const honest = formatNote(author.own.note as NonNullable<typeof author.own.note>)
    const after = await one.witness.cosign(author.did, honest, waiting)
    assert.equal(after.type === 'declined' && after.code, 'CHECKPOINT_FORK')
  })

  /** Another log of the same key: its second leaf is the author's third. */
  async function forkOf(author: HistoryNode): Promise<Uint8Array> {
    const other = await historyNode(new HistoryRoom(), 1)
    const [first, , third] = files()
    for (const file of [first, third])
      assert(file !== undefined && (await other.own.append(file)).ok)
    await other.checkpointer.run()
    const { note } = other.own
    assert(note !== null && other.origin === author.origin)
    author.exchange.onAsk((from, question) =>
      answerPeer({ ...other, witness: null }, from, question, waiting)
    )
    return formatNote(note)
  }

  it('is cosigned once, also when others ask for its peaks right after a restart', async () => {
    const { room, author, one } = await world()
    await appendAll(author, 1)
    await author.checkpointer.run()
    const { witness, witnessed } = await historyNode(room, 2, { store: one.store })
    await appendAll(author, 2)
    const note = signedBy(author, [
      author.store.map.get('own/leaf/000000000000') as Uint8Array,
      author.store.map.get('own/leaf/000000000001') as Uint8Array
    ])
    const signed = parseNote(note)
    assert(signed.ok)
    await author.own.keepNote(signed.value)
    const both = [
      witness.cosign(author.did, note, waiting),
      witnessed.peaks(author.origin, 1)
    ] as const
    assert.equal((await Promise.all(both))[0].type, 'cosigned')
    assert.equal((await witnessed.get(author.origin))?.size, 2)
    const answer = await witness.cosign(author.did, await forkOf(author), waiting)
    assert.equal(answer.type === 'declined' && answer.code, 'CHECKPOINT_FORK')
  })

  it('does not grow where it left memory while it was in use', async () => {
    const { author, one } = await world()
    await appendAll(author, 1)
    await author.checkpointer.run()
    const old = await new WitnessedLogs(one.store).get(author.origin)
    await appendAll(author, 2)
    await author.checkpointer.run()
    const { note } = author.own
    assert(old !== null && note !== null)
    const before = new Map(one.store.map)
    assert.equal(await one.witnessed.grow(old, note, [utf8('leaf')]), false)
    assert.deepEqual(one.store.map, before)
    assert.equal((await one.witnessed.get(author.origin))?.size, 2)
  })

  it('takes no place at a witness while it is empty', async () => {
    const { author, one } = await world()
    const answer = await one.witness.cosign(author.did, signedBy(author, []), waiting)
    assert.equal(answer.type === 'declined' && answer.code, 'CHECKPOINT_LEAVES')
    assert.equal(await one.witnessed.note(author.origin), null)
  })

  it('offers its last stable checkpoint while the newest waits for witnesses', async () => {
    const { room, author, one, two } = await world()
    await appendAll(author, 2)
    await author.checkpointer.run()
    for (const { did } of [one, two]) room.answers.delete(did)
    await appendAll(author, 3)
    await author.checkpointer.run()
    assert.deepEqual([author.own.signedSize, author.checkpointer.stableSize()], [3, 2])
    const restored = await openLog(author.store)
    assert.equal(restored.stableSize, 2)
    const { sync } = newcomer(room, [author.did])
    const { size, trust } = await sync.run()
    assert.deepEqual({ size, trust }, { size: 2, trust: 'checkpoint' })
  })

  it('is compared with what is announced, and a second log is found out', async () => {
    const { room, author, one } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const logger = recordingLogger()
    const announcements = new Announcements({
      exchange: room.exchangeOf(one.did),
      verify: verifyBoth,
      logger,
      network: NETWORK,
      witness: one.witness,
      peers: () => []
    })
    const announced = { sender: author.did, treeSize: 3, root: toHex(author.own.root()) }
    await announcements.take(announced)
    assert.deepEqual(
      announcements.notes().map(({ text }) => text),
      [author.own.note?.text]
    )
    await announcements.take(announced)
    assert.equal((await one.witnessed.forks()).length, 0)
    const note = signedBy(author, [utf8('a'), utf8('b'), utf8('c')])
    room.answers.set(author.did, async () => encodeAnswer({ type: 'notes', notes: [note] }))
    await announcements.take({ ...announced, treeSize: 4 })
    const [fork] = await one.witnessed.forks()
    const decoded = decodeFork(fork?.bytes ?? new Uint8Array())
    assert(decoded.ok && checkFork(decoded.value, verifyBoth).ok)
    room.answers.delete(author.did)
    await announcements.take({ ...announced, treeSize: 5 })
    assert.equal(announcements.notes().length, 1)
  })

  it('is found out when it shows two witnesses two logs, and each of them what it wants to see', async () => {
    const { room, author, one, two } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const old = one.store.map.get(`witnessed/note/${author.origin}`) as Uint8Array
    const lie = signedBy(author, [utf8('a'), utf8('b')])
    two.store.map.set(`witnessed/note/${author.origin}`, lie)
    room.answers.set(author.did, async () => encodeAnswer({ type: 'notes', notes: [old] }))
    const announcements = new Announcements({
      exchange: room.exchangeOf(one.did),
      verify: verifyBoth,
      logger: recordingLogger(),
      network: NETWORK,
      witness: one.witness,
      peers: () => [author.did, 'nobody', two.did]
    })
    const announced = { sender: author.did, root: toHex(author.own.root()) }
    await announcements.take({ ...announced, treeSize: 3 })
    assert.equal((await one.witnessed.forks()).length, 1)
    two.store.map.set(`witnessed/note/${author.origin}`, signedBy(author, [utf8('c')]))
    await announcements.take({ ...announced, treeSize: 4 })
    assert.equal((await one.witnessed.forks()).length, 1, 'one is enough')
  })

  it('signs nothing more after it was restored from an older copy', async () => {
    const { room, author, one } = await world()
    await appendAll(author, 2)
    await author.checkpointer.run()
    const copy = new MemoryKeyValues()
    for (const [key, value] of author.store.map) copy.map.set(key, value)
    await appendAll(author, 3)
    await author.checkpointer.run()
    const restored = await historyNode(room, 1, { store: copy, witnesses: () => [one.did] })
    await restored.own.append(files()[2] as never)
    await restored.checkpointer.run()
    assert.match(restored.checkpointer.stopped ?? '', /3 leaves/u)
    assert.equal(restored.own.signedSize, 2)
  })

  it('is loaded by a newcomer on the word of enough witnesses, from whoever has it', async () => {
    const { room, author, one, two } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const { sync, loaded } = newcomer(room, [author.did, one.did, two.did])
    const result = await sync.run()
    assert.equal(result.trust, 'checkpoint')
    assert.deepEqual([...result.witnesses].sort(), [one.did, two.did].sort())
    assert.equal(result.size, 3)
    const threads = loaded[0]?.map(leaf => leaf.result)
    assert.deepEqual(threads, ['FINAL', 'FINAL', 'FINAL'])
    const trusting = newcomer(room, [author.did], { trusted: [one.did, two.did] })
    assert.equal((await trusting.sync.run()).trust, 'checkpoint')
  })

  it('is loaded on the word of its witnesses while its own node is away', async () => {
    const { room, author, one, two } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    room.answers.delete(author.did)
    const { sync, loaded } = newcomer(room, [one.did, two.did])
    const { trust, size } = await sync.run()
    assert.deepEqual([trust, size, loaded[0]?.length], ['checkpoint', 3, 3])
    // One of them alone is not enough, and has no certificates.
    const alone = newcomer(room, [one.did])
    await assert.rejects(alone.sync.run(), { code: 'SYNC_FAILED', message: /not there/u })
  })

  it('is not loaded by its own node unless that asks for it', async () => {
    const { room, author, one, two } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const peers = [one.did, two.did]
    const { sync } = newcomer(room, peers, { own: author.origin })
    await assert.rejects(sync.run(), { message: /of another node/u })
    // A node that lost its disk and kept its key may ask for it.
    assert.equal((await sync.run({ origin: author.origin })).origin, author.origin)
    assert((await one.own.append(files()[0] as ReturnType<typeof files>[0])).ok)
    await one.checkpointer.run()
    assert.equal((await sync.run()).origin, one.origin)
  })

  it('falls back to every certificate when too few witnesses are trusted', async () => {
    const { room, author, one } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const { sync, loaded } = newcomer(room, [author.did], { trusted: [one.did] })
    const result = await sync.run()
    assert.equal(result.trust, 'full')
    assert.equal(loaded[0]?.length, 3)
  })

  it('checks every certificate when asked to, also of leaves that it once took on trust', async () => {
    const { room, author } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const { sync } = newcomer(room, [author.did])
    assert.equal((await sync.run()).trust, 'checkpoint')
    const key = 'own/certificate/000000000001'
    author.store.map.set(key, author.store.map.get('own/certificate/000000000000') as Uint8Array)
    await assert.rejects(sync.run({ full: true }), { message: /not what its certificate says/u })
  })

  it('goes on after a cut with what it has', async () => {
    const { room, author } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const { sync, store, loaded } = newcomer(room, [author.did])
    const answer = room.answers.get(author.did)
    assert(answer !== undefined)
    let asked = 0
    room.answers.set(author.did, (from, question) => {
      if (++asked > 2) return Promise.reject(new DOMException('cut', 'AbortError'))
      return answer(from, question, waiting)
    })
    store.writesLeft = 1
    await assert.rejects(sync.run())
    store.writesLeft = Number.POSITIVE_INFINITY
    assert.equal([...store.map.keys()].filter(key => key.startsWith('sync/leaf/')).length, 3)
    asked = 1
    const result = await sync.run()
    assert.equal(result.loaded, 0, 'no leaf is fetched twice')
    assert.equal(loaded.at(-1)?.length, 3)
  })

  it('takes no older checkpoint than it had, and no leaves that do not lead to the root', async () => {
    const { room, author } = await world()
    await appendAll(author, 2)
    await author.checkpointer.run()
    const answer = room.answers.get(author.did)
    assert(answer !== undefined && author.own.note !== null)
    const old = formatNote(author.own.note)
    await appendAll(author, 3)
    await author.checkpointer.run()
    const { sync, loaded } = newcomer(room, [author.did])
    await sync.run()
    const { decodeQuestion } = await import('../../../src/history/messages.ts')
    room.answers.set(author.did, async (from, question) => {
      const asked = decodeQuestion(question)
      if (asked.ok && asked.value.type === 'notes')
        return encodeAnswer({ type: 'notes', notes: [old] })
      return answer(from, question, waiting)
    })
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /behind, or hide/u })
    assert.equal(loaded.length, 1)
    const other = newcomer(room, [author.did])
    room.answers.set(author.did, async (from, question) => {
      const given = await answer(from, question, waiting)
      const asked = decodeQuestion(question)
      if (!asked.ok || asked.value.type !== 'leaves') return given
      const leaf = author.store.map.get('own/leaf/000000000000') as Uint8Array
      const item = { leaf, certificate: null }
      return encodeAnswer({ type: 'leaves', leaves: [item, item, item] })
    })
    await assert.rejects(other.sync.run(), { code: 'SYNC_FAILED', message: /lead to the root/u })
    assert.equal(other.loaded.length, 0)
    assert.equal([...other.store.map.keys()].length, 0)
  })

  it('takes no other log of the size that it had, however well it is signed', async () => {
    const { room, author } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const { sync, loaded, store, forks } = newcomer(room, [author.did])
    await sync.run()
    const before = new Map(store.map)
    const leaves = (await author.own.leaves(0, false)).map(({ leaf }) => leaf)
    const note = signedBy(author, leaves.toReversed())
    room.answers.set(author.did, async () => encodeAnswer({ type: 'notes', notes: [note] }))
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /two logs/u })
    const [fork] = forks
    assert(fork !== undefined && checkFork(fork, verifyBoth).ok, 'and keeps the proof')
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /evidence ls/u })
    assert.equal(loaded.length, 1)
    assert.deepEqual(store.map, before)
  })

  it('is loaded from nobody when two peers show two logs of it, which convict their node', async () => {
    const { room, author, one, two } = await world()
    await appendAll(author)
    await author.checkpointer.run()
    const leaves = (await author.own.leaves(0, false)).map(({ leaf }) => leaf)
    const note = signedBy(author, leaves.toReversed())
    room.answers.set('liar', async () => encodeAnswer({ type: 'notes', notes: [note] }))
    const { sync, loaded, forks } = newcomer(room, [author.did, one.did, two.did, 'liar'])
    await assert.rejects(sync.run(), { code: 'SYNC_FAILED', message: /evidence ls/u })
    assert.equal(loaded.length, 0)
    const [fork] = forks
    assert(fork !== undefined)
    const convicted = checkFork(fork, verifyBoth)
    assert(convicted.ok && convicted.value.did === author.did)
  })

  it('says what to do when there is nobody, or nothing', async () => {
    const { room, author } = await world()
    await assert.rejects(newcomer(room, []).sync.run(), { message: /join one first/u })
    await assert.rejects(newcomer(room, [author.did]).sync.run(), { message: /has a checkpoint/u })
  })
})
