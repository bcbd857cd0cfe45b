/**
 * Goal: a newcomer loads what still binds, however long the log before it is, on the word of witnesses that looked at every leaf that is left out. Method: a log
 * of which two leaves are past and one is not; authors and peers that lie about it.
 */
import { strict as assert } from 'node:assert'
import { utf8 } from '../../../src/core/base/index.ts'
import {
  formatCheckpoint,
  formatNote,
  originSignature,
  parseCheckpoint
} from '../../../src/core/checkpoint/index.ts'
import { type Leaf, leafStandsUntil, standingOf } from '../../../src/core/history/index.ts'
import type { CertificateFile } from '../../../src/core/roster/index.ts'
import { decodeQuestion, encodeAnswer } from '../../../src/history/messages.ts'
import { finishedThread } from '../../support/finished-thread.ts'
import {
  certificateFiles,
  type HistoryNode,
  HistoryRoom,
  historyNode,
  newcomerOf,
  replaceAnswers,
  waiting
} from '../../support/history-room.ts'

const DAY_MS = 86_400_000

/** The end of a thread whose NEED is good for ten days more than those of `certificateFiles`. */
function lateFile(): CertificateFile {
  const { expiresAt } = finishedThread().cluster.need().payload
  const made = finishedThread(3, 'late', { expiresAt: expiresAt + 10 * DAY_MS })
  const file = made.node.swarm.certificate(made.thread, 'outcome')
  assert(file !== undefined)
  return file
}

describe('history: what stands', function () {
  this.timeout(60_000)
  const late = lateFile()

  /** An author of two leaves that are past at `nowMs`, and one that is not; two witnesses; and their clock. */
  async function world(leavesMax?: number) {
    const room = new HistoryRoom()
    const clock = { nowMs: 1_800_000_000_000 }
    const nowMs = (): number => clock.nowMs
    const limits = leavesMax === undefined ? {} : { leaves: leavesMax }
    const one = await historyNode(room, 2, { nowMs, limits })
    const two = await historyNode(room, 3, { nowMs, limits })
    const witnesses = (): readonly string[] => [one.did, two.did]
    const author = await historyNode(room, 1, { nowMs, witnesses })
    const leaves: Leaf[] = []
    for (const file of [...certificateFiles(2), late]) assert((await author.own.append(file)).ok)
    for await (const { leaf } of author.own.entries(0, 3)) leaves.push(leaf)
    const ends = leaves.map(leafStandsUntil) as [number, number, number]
    clock.nowMs = Math.max(ends[0], ends[1])
    assert(ends[2] > clock.nowMs)
    return { room, author, one, two, clock, ends }
  }

  const newcomer = newcomerOf

  const slots = (leaves: readonly Leaf[] | undefined) => leaves?.map(({ slot }) => slot)

  function said({ own }: HistoryNode): unknown {
    const checkpoint = parseCheckpoint(own.note?.text ?? '')
    assert(checkpoint.ok)
    const standing = standingOf(checkpoint.value)
    assert(standing.ok)
    return standing.value
  }

  it('is all that a newcomer loads, unless it asks for more', async () => {
    const { room, author, one, two, clock } = await world()
    await author.checkpointer.run()
    assert.deepEqual(said(author), { from: 2, atMs: clock.nowMs })
    const { sync, loaded } = newcomer(room, [one.did, two.did])
    const short = await sync.run()
    assert.deepEqual([short.trust, short.size, short.from, short.loaded], ['checkpoint', 3, 2, 1])
    assert.deepEqual(slots(loaded[0]), ['late'])
    const again = await sync.run()
    assert.deepEqual([again.from, again.loaded], [2, 0])
    const whole = await sync.run({ all: true })
    assert.deepEqual([whole.from, whole.loaded, loaded.at(-1)?.length], [0, 3, 3])
    assert.equal((await newcomer(room, [author.did]).sync.run({ full: true })).loaded, 3)
  })

  it('goes on with the log, and past what is past by then', async () => {
    const { room, author, one, two, clock, ends } = await world()
    await author.checkpointer.run()
    const { sync, loaded } = newcomer(room, [one.did, two.did])
    await sync.run()
    clock.nowMs = ends[2]
    assert((await author.own.append(certificateFiles(4)[3] as CertificateFile)).ok)
    await author.checkpointer.run()
    assert.deepEqual(said(author), { from: 4, atMs: ends[2] })
    const { size, from, loaded: news } = await sync.run()
    assert.deepEqual([size, from, news], [4, 4, 0], 'nothing binds any more')
    assert.deepEqual(loaded.at(-1), [])
  })

  it('is everything while nothing is past', async () => {
    const { room, author, clock, ends } = await world()
    clock.nowMs = Math.min(...ends) - 1
    await author.checkpointer.run()
    const { from, loaded } = await newcomer(room, [author.did]).sync.run()
    assert.deepEqual([from, loaded], [0, 3])
  })

  it('is what a witness has a bound for, however long the log is: of leaves before it, it lets go', async () => {
    const { room, author, one, two, clock } = await world(3)
    await author.checkpointer.run()
    const third = certificateFiles(4)[2] as CertificateFile
    assert((await author.own.append(third)).ok)
    await author.checkpointer.run()
    assert.deepEqual(
      [author.checkpointer.stableSize(), said(author)],
      [4, { from: 2, atMs: clock.nowMs }]
    )
    const kept = [...one.store.map.keys()].filter(key => key.startsWith('witnessed/leaf/'))
    assert.deepEqual(
      kept.map(key => key.slice(-1)),
      ['1', '2', '3']
    )
    assert.deepEqual(
      await one.witnessed.leaves(author.origin, 0),
      [],
      'and gives no others for them'
    )
    room.answers.delete(author.did)
    const { sync, loaded } = newcomer(room, [one.did, two.did])
    assert.deepEqual([(await sync.run()).from, loaded[0]?.length], [2, 2])

    const few = await world(1)
    few.clock.nowMs = Math.min(...few.ends) - 1
    await few.author.checkpointer.run()
    assert.equal(few.author.checkpointer.witnesses().size, 0)
  })

  it('is not cosigned when it leaves out a leaf that binds, is ahead of the clock, goes back, or ends', async () => {
    const { author, one, clock, ends } = await world()
    const asked = async (line: string): Promise<unknown> => {
      const { origin, signer, did, own } = author
      const checkpoint = { origin, size: 3n, root: own.root(), extensions: [line] }
      const text = formatCheckpoint(checkpoint)
      const signature = originSignature(origin, did, signer.sign(utf8(text)))
      await own.keepNote({ text, signatures: [signature] })
      const answer = await one.witness.cosign(
        did,
        formatNote({ text, signatures: [signature] }),
        waiting
      )
      return answer.type === 'declined' ? answer.code : answer.type
    }
    const lies = [
      `standing 3 ${clock.nowMs}`,
      `standing 3 ${ends[2]}`,
      `standing 2 ${clock.nowMs - 1}`,
      `standing 4 ${clock.nowMs}`,
      'standing 2',
      `standing 02 ${clock.nowMs}`
    ]
    assert.equal(await asked('another line'), 'cosigned', 'nothing was said yet')
    for (const line of lies) assert.equal(await asked(line), 'CHECKPOINT_STANDING', line)
    assert.equal(await asked(`standing 2 ${clock.nowMs}`), 'cosigned')
    // The same log once more, which the witness holds: what it says of it is looked at as before.
    for (const line of [...lies, `standing 1 ${clock.nowMs}`, 'standing 0 0'])
      assert.equal(await asked(line), 'CHECKPOINT_STANDING', line)
    assert.equal(await asked('another line'), 'CHECKPOINT_STANDING', 'it is said no more')
    assert.equal(await asked(`standing 2 ${clock.nowMs}`), 'cosigned')
    const note = await one.witnessed.note(author.origin)
    assert.match(note?.text ?? '', /\nstanding 2 /u)
  })

  it('is what the checkpoint says, also when a peer lies about what came before', async () => {
    const { room, author, one, two } = await world()
    await author.checkpointer.run()
    const lie = async (question: Uint8Array): Promise<Uint8Array | null> => {
      const asked = decodeQuestion(question)
      const isPeaks = asked.ok && asked.value.type === 'peaks'
      return isPeaks ? encodeAnswer({ type: 'peaks', peaks: [new Uint8Array(32)] }) : null
    }
    replaceAnswers(room, author.did, lie)
    const { sync, logger } = newcomer(room, [author.did, one.did, two.did])
    assert.deepEqual([(await sync.run()).from, logger.lines.length], [2, 1])
    replaceAnswers(room, one.did, lie)
    replaceAnswers(room, two.did, lie)
    const alone = newcomer(room, [author.did, one.did, two.did])
    await assert.rejects(alone.sync.run(), { code: 'SYNC_FAILED', message: /before leaf 2/u })
    assert.deepEqual([alone.loaded.length, alone.store.map.size], [0, 0])
  })
})
