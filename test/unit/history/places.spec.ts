/**
 * Goal: a witness that has no place left takes a further log for one that is idle, never unsays what it cosigned of that one, and tells whoever asks of all that it
 * holds. Method: as many authors as a witness takes, and more, under a clock of the test.
 */
import { strict as assert } from 'node:assert'
import { nodeSigner } from '../../../src/adapters/ed25519/index.ts'
import {
  checkFork,
  decodeFork,
  formatNote,
  formatOrigin,
  parseNote
} from '../../../src/core/checkpoint/index.ts'
import type { CertificateFile } from '../../../src/core/roster/index.ts'
import { answerPeer, type WitnessedLimits } from '../../../src/history/index.ts'
import { ORIGINS_MAX } from '../../../src/history/limits.ts'
import { notesOf } from '../../../src/history/peers.ts'
import {
  appendEnds,
  certificateFiles,
  type HistoryNode,
  HistoryRoom,
  historyNode,
  MemoryKeyValues,
  NETWORK,
  verifyBoth,
  waiting
} from '../../support/history-room.ts'

const DAY_MS = 86_400_000
const WITNESS = 200
const LATE = 201
const RESERVED = 202

describe('history: places at a witness', function () {
  this.timeout(60_000)

  /** A witness of as many logs as it takes, each of `count` leaves; the first one's last checkpoint is the oldest. */
  async function world(count = 1) {
    const room = new HistoryRoom()
    const clock = { nowMs: 1_800_000_000_000 }
    const nowMs = (): number => clock.nowMs
    const reservedDid = nodeSigner(new Uint8Array(32).fill(RESERVED)).did
    const reserved = new Set([formatOrigin(NETWORK, reservedDid)])
    const witness = await historyNode(room, WITNESS, { nowMs, reserved })
    const author = async (key: number, leaves: number): Promise<HistoryNode> => {
      const made = await historyNode(room, key, { nowMs, witnesses: () => [witness.did] })
      await appendEnds(made, leaves)
      await made.checkpointer.run()
      return made
    }
    const authors: HistoryNode[] = []
    for (let key = 1; key <= ORIGINS_MAX; key++) {
      authors.push(await author(key, count))
      clock.nowMs += 1_000
    }
    const [first] = authors
    assert(first !== undefined)
    const asks = async ({ did, own }: HistoryNode): Promise<string> => {
      assert(own.note !== null)
      const answer = await witness.witness.cosign(did, formatNote(own.note), waiting)
      return answer.type === 'declined' ? answer.code : answer.type
    }
    return { room, clock, witness, author, authors, first, asks }
  }

  it('are taken by nobody else while each is in use, and the operator is told', async () => {
    const { witness, author, asks } = await world()
    const late = await author(LATE, 1)
    assert.equal(await asks(late), 'WITNESS_FULL')
    const warned = witness.logger.lines.filter(({ level }) => level === 'warn')
    assert.equal(warned.length, 1, 'once')
    assert.match(warned[0]?.message ?? '', /history\.witnessFor/u)
    assert.equal(await asks(await author(RESERVED, 1)), 'cosigned')
  })

  it('go to others when they are idle, without leave to roll back or to fork', async () => {
    const { room, clock, witness, author, first, asks } = await world(2)
    const old = first.own.note
    assert(old !== null)
    clock.nowMs += 30 * DAY_MS
    assert.equal(await asks(await author(LATE, 1)), 'cosigned')
    assert.equal(await witness.witnessed.note(first.origin), null)
    const ofFirst = [...witness.store.map.keys()].filter(key => key.includes(first.origin))
    assert.deepEqual(ofFirst, [`witnessed/past/${first.origin}`], 'the log that was idle longest')

    const other = await historyNode(new HistoryRoom(), 1, { nowMs: () => clock.nowMs })
    await appendEnds(other, 1)
    await other.checkpointer.run()
    room.answers.set(first.did, (from, question) =>
      answerPeer({ ...other, witness: null }, from, question, waiting)
    )
    assert.equal(await asks(other), 'CHECKPOINT_ROLLBACK')
    for (const at of [2, 1]) await other.own.append(certificateFiles(3)[at] as CertificateFile)
    await other.checkpointer.run()
    assert.equal(await asks(other), 'CHECKPOINT_FORK')
    const [fork] = await witness.witnessed.forks()
    const decoded = decodeFork(fork?.bytes ?? new Uint8Array())
    assert(decoded.ok)
    const convicted = checkFork(decoded.value, verifyBoth)
    assert(convicted.ok && convicted.value.did === first.did)
  })

  it('are not taken by a log that does not hold', async () => {
    const { clock, witness, author, first, asks } = await world()
    clock.nowMs += 30 * DAY_MS
    const late = await author(LATE, 0)
    assert((await late.own.append(certificateFiles(1)[0] as CertificateFile)).ok)
    late.store.map.set('own/certificate/000000000000', new Uint8Array(9))
    await late.checkpointer.run()
    assert.notEqual(await asks(late), 'cosigned')
    assert(await witness.witnessed.note(first.origin), 'it has its place still')
  })

  it('are had again by a log that goes on from what it was', async () => {
    const { clock, witness, author, first, asks } = await world(2)
    clock.nowMs += 30 * DAY_MS
    await author(LATE, 1)
    assert.equal(await asks(first), 'cosigned', 'as it was')
    await appendEnds(first, 3)
    await first.checkpointer.run()
    assert.equal((await witness.witnessed.get(first.origin))?.size, 3)
    assert.equal(
      [...witness.store.map.keys()].filter(key => key.startsWith('witnessed/past/')).length,
      1,
      'of the one that gave its own for it'
    )
  })

  it('have a part of the room each, and what is left of all of it', async () => {
    const room = new HistoryRoom()
    const reservedDid = nodeSigner(new Uint8Array(32).fill(RESERVED)).did
    const reserved = new Set([formatOrigin(NETWORK, reservedDid)])
    const store = new MemoryKeyValues()
    const witnessWith = (limits: Partial<WitnessedLimits>) =>
      historyNode(room, WITNESS, { reserved, store, limits })
    let witness = await witnessWith({})
    const author = async (key: number, leaves: number): Promise<HistoryNode> => {
      const made = await historyNode(room, key, { witnesses: () => [witness.did] })
      await appendEnds(made, leaves)
      await made.checkpointer.run()
      return made
    }
    const cosigned = ({ checkpointer }: HistoryNode): boolean => checkpointer.witnesses().size > 0
    const first = await author(1, 2)
    assert(cosigned(first))
    const sizes = (await first.own.leaves(0, false)).map(({ leaf }) => leaf.length)
    const [bytes = 0] = sizes
    const count = store.map.get(`witnessed/bytes/${first.origin}/`)
    assert.equal(
      new TextDecoder().decode(count),
      String((sizes[0] as number) + (sizes[1] as number))
    )
    witness = await witnessWith({ bytes: 4 * bytes + 9, share: bytes + 9 })
    assert(cosigned(await author(2, 2)), 'there is room for all')
    assert(cosigned(await author(3, 1)), 'it has its part')
    assert.equal(cosigned(await author(4, 2)), false)
    assert(cosigned(await author(RESERVED, 3)))
  })

  it('are all told, page by page', async () => {
    const { room, witness } = await world()
    const origins: string[] = []
    for await (const notes of notesOf(room.exchangeOf('newcomer'), witness.did, null))
      for (const bytes of notes) {
        const note = parseNote(bytes)
        assert(note.ok)
        origins.push(note.value.text.split('\n')[0] as string)
      }
    assert.deepEqual([origins.length, new Set(origins).size], [ORIGINS_MAX, ORIGINS_MAX])
  })
})
