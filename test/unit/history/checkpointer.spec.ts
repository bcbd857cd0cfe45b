/**
 * Goal: a node signs no second log under its key while a peer remembers the first, and neither peers that decline nor ones that are busy keep its log from being
 * witnessed. Method: authors that were restored from old copies, among peers that are away, lie, decline or take their time, under a clock of the test.
 */
import { strict as assert } from 'node:assert'
import { decodeQuestion, encodeAnswer } from '../../../src/history/messages.ts'
import {
  appendEnds,
  BYSTANDER,
  certificateFiles,
  type HistoryNode,
  HistoryRoom,
  historyNode,
  MemoryKeyValues
} from '../../support/history-room.ts'

type Cosign = () => string | null

describe('history: signing checkpoints', function () {
  this.timeout(60_000)

  /** An author of one leaf in the copy of its store, and of a second one in what its witness holds. */
  async function world() {
    const room = new HistoryRoom()
    const one = await historyNode(room, 2)
    const author = await historyNode(room, 1, { witnesses: () => [one.did] })
    await appendEnds(author, 1)
    await author.checkpointer.run()
    const copy = new MemoryKeyValues()
    for (const [key, value] of author.store.map) copy.map.set(key, value)
    await appendEnds(author, 2)
    await author.checkpointer.run()
    return { room, one, copy }
  }

  /** The author again, from its old copy, with another second leaf. */
  async function restored(room: HistoryRoom, store: MemoryKeyValues, peers: readonly string[]) {
    const node = await historyNode(room, 1, { store, witnesses: () => peers })
    const third = certificateFiles(3)[2]
    assert(third !== undefined && (await node.own.append(third)).ok)
    return node
  }

  const errorsOf = ({ logger }: HistoryNode): string[] =>
    logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message)

  it('waits for a peer that says what it holds of the log', async () => {
    const { room, one, copy } = await world()
    const peers: string[] = []
    const node = await restored(room, copy, peers)
    await node.checkpointer.run()
    peers.push('away')
    await node.checkpointer.run()
    assert.equal(node.own.signedSize, 1)
    assert.match(node.checkpointer.stopped ?? '', /waits for a peer/u)
    peers.push(one.did)
    await node.checkpointer.run()
    assert.equal(node.own.signedSize, 1)
    assert.match(node.checkpointer.stopped ?? '', /2 leaves/u)
    assert.match(errorsOf(node)[0] ?? '', /restore history/u)
  })

  it('goes on once a peer has said that it holds nothing else', async () => {
    const { room, copy } = await world()
    const peers: string[] = []
    const node = await restored(room, copy, peers)
    await node.checkpointer.run()
    peers.push(BYSTANDER)
    await node.checkpointer.run()
    assert.deepEqual([node.own.signedSize, node.checkpointer.stopped], [2, null])
  })

  it('stops for a checkpoint of its own size that is of another log', async () => {
    const { room, one, copy } = await world()
    const forked = await restored(room, copy, [BYSTANDER])
    await forked.checkpointer.run()
    const again = await historyNode(room, 1, { store: copy, witnesses: () => [one.did] })
    await again.checkpointer.run()
    assert.match(again.checkpointer.stopped ?? '', /2 leaves that is not of this log/u)
    assert.equal(errorsOf(again).length, 1)
  })

  it('stops when a witness that declines shows why', async () => {
    const { room, one, copy } = await world()
    const peers = [BYSTANDER]
    const node = await restored(room, copy, peers)
    await node.checkpointer.run()
    peers.push(one.did)
    await node.checkpointer.run()
    assert.match(node.checkpointer.stopped ?? '', /2 leaves/u)
    assert.equal(errorsOf(node).length, 1)
  })

  it('stops also for what a witness has let go of', async () => {
    const { room, one, copy } = await world()
    const [origin = ''] = (await one.witnessed.notes()).map(
      bytes => new TextDecoder().decode(bytes).split('\n')[0]
    )
    assert(await one.witnessed.retire(origin))
    const node = await restored(room, copy, [one.did])
    await node.checkpointer.run()
    assert.match(node.checkpointer.stopped ?? '', /2 leaves/u)
  })

  /** An author of one leaf and peers that answer a question to cosign with a code, or, for null, as the witness that they are. */
  async function among(peers: ReadonlyMap<number, Cosign>, trusted: readonly number[] = []) {
    const room = new HistoryRoom()
    const clock = { nowMs: 1_800_000_000_000, waits: [] as number[], fire: () => undefined }
    const asked: number[] = []
    const dids: string[] = []
    const trust = new Set<string>()
    for (const [key, cosign] of peers) {
      const { did } = await historyNode(room, key)
      dids.push(did)
      if (trusted.includes(key)) trust.add(did)
      const honest = room.answers.get(did)
      assert(honest !== undefined)
      room.answers.set(did, async (from, bytes, signal) => {
        const question = decodeQuestion(bytes)
        if (!question.ok || question.value.type !== 'cosign') return honest(from, bytes, signal)
        asked.push(key)
        const code = cosign()
        if (code === null) return honest(from, bytes, signal)
        return encodeAnswer({ type: 'declined', code, message: '', held: 0 })
      })
    }
    const author = await historyNode(room, 1, {
      witnesses: () => dids,
      trusted: trust,
      nowMs: () => clock.nowMs,
      after: (ms, callback) => {
        clock.waits.push(ms)
        clock.fire = callback as () => undefined
        return () => {
          clock.fire = () => undefined
        }
      }
    })
    await appendEnds(author, 1)
    return { author, clock, asked }
  }

  const keys = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 2)
  const declines = (code: string): Cosign => {
    return () => code
  }

  it('asks other peers when the first ones decline', async () => {
    const peers = new Map(keys(10).map(key => [key, declines('WITNESS_FULL')]))
    peers.set(10, () => null).set(11, () => null)
    const { author } = await among(peers)
    for (let run = 0; run < 4; run++) await author.checkpointer.run()
    assert.equal(author.checkpointer.stableSize(), 1)
  })

  it('asks those that are trusted first', async () => {
    const { author, asked } = await among(
      new Map(keys(20).map(key => [key, declines('WITNESS_FULL')])),
      [19, 20]
    )
    for (let run = 0; run < 3; run++) {
      await author.checkpointer.run()
      assert.deepEqual(new Set(asked.splice(0).slice(0, 2)), new Set([19, 20]))
    }
  })

  it('warns once an hour while very many leaves have no witnesses', async () => {
    const { author, clock } = await among(new Map([[2, declines('WITNESS_FULL')]]))
    const sizes = { size: 99_999 }
    Object.defineProperty(author.own, 'size', { get: () => sizes.size })
    Object.defineProperty(author.own, 'signedSize', { get: () => 1_000_000 })
    const runs = async (): Promise<number> => {
      await author.checkpointer.run()
      return author.logger.lines.filter(({ level }) => level === 'warn').length
    }
    assert.equal(await runs(), 0)
    sizes.size++
    assert.deepEqual([await runs(), await runs()], [1, 1])
    clock.nowMs += 3_600_000
    assert.equal(await runs(), 2)
  })

  it('takes no word for a fork that nobody shows', async () => {
    const peers = new Map([[2, declines('CHECKPOINT_FORK')]])
    const { author } = await among(peers)
    await author.checkpointer.run()
    assert.equal(author.checkpointer.stopped, null)
    const [warned] = author.logger.lines.filter(({ level }) => level === 'warn')
    assert.match(warned?.message ?? '', /declines/u)
  })

  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

  it('asks a witness again that is busy: at once where it has worked, ever later where not', async () => {
    const clockOf: { add: (ms: number) => void } = { add: () => undefined }
    const left = { works: 3, refuses: 3 }
    const busy: Cosign = () => {
      if (left.works-- > 0) clockOf.add(20_000)
      else if (left.refuses-- <= 0) return null
      return 'WITNESS_BUSY'
    }
    const { author, clock, asked } = await among(new Map([[2, busy]]))
    clockOf.add = ms => {
      clock.nowMs += ms
    }
    await author.checkpointer.run()
    for (let at = 0; at < 6; at++) {
      clock.fire()
      for (let wait = 0; wait < 20; wait++) await turn()
    }
    assert.deepEqual(clock.waits, [2_000, 2_000, 2_000, 4_000, 8_000, 16_000])
    assert.equal(asked.length, 7)
    assert.equal(author.checkpointer.witnesses().size, 1)
  })

  it('asks a busy witness so often and no more, and not after it is closed', async () => {
    const { author, clock, asked } = await among(new Map([[2, declines('WITNESS_BUSY')]]))
    await author.checkpointer.run()
    for (let at = 0; at < 40; at++) {
      const { fire } = clock
      clock.fire = () => undefined
      fire()
      for (let wait = 0; wait < 10; wait++) await turn()
    }
    assert.equal(asked.length, 31)
    assert.equal(Math.max(...clock.waits), 600_000)
    await author.checkpointer.run()
    author.checkpointer.close()
    clock.fire()
    await turn()
    assert.equal(asked.length, 32)
  })
})
