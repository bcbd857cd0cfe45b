/**
 * Goal: who verifies a record is told of each sender that did not raise its Lamport value, and of nobody else. Method: the record of a sound thread, whose end is
 * said again by its requester, with its own key and another value.
 */
import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import { useNodeSha256 } from '../../../src/adapters/sha256/index.ts'
import { equals } from '../../../src/core/base/index.ts'
import {
  type Admitted,
  type Draft,
  type Envelope,
  parseEnvelope
} from '../../../src/core/envelope/index.ts'
import type { RecordItem } from '../../../src/core/swarm/index.ts'
import { checkRecord, type Report } from '../../../src/replay/check-record.ts'
import { writeRecord } from '../../../src/replay/index.ts'
import { LamportOrder } from '../../../src/replay/lamport-order.ts'
import { finishedThread } from '../../support/finished-thread.ts'
import { NO_POLICIES } from '../../support/record-header.ts'
import { testVerify } from '../../support/swarm-cluster.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('replay: the order of Lamport values', () => {
  before(() => useNodeSha256())
  const folder = temporaryFolder()
  const { cluster, node, thread } = finishedThread()
  const record = node.swarm.record(thread)
  assert(record !== undefined)
  const said = record.items.flatMap(item => {
    const parsed = item.type === 'envelope' ? parseEnvelope(item.bytes) : null
    return parsed?.ok === true ? [parsed.value] : []
  })
  const of = (verb: Envelope['verb']): Admitted =>
    said.find(({ envelope }) => envelope.verb === verb) as Admitted
  const end = of('FINALIZE')

  /** The end as the requester says it with this value, and where it stands. */
  async function checked(lamport: number, replay: boolean): Promise<Report> {
    const again = cluster.seal(node.keys, end.envelope as unknown as Draft, lamport)
    const items = (record?.items ?? []).map(
      (item): RecordItem =>
        item.type === 'envelope' && equals(item.bytes, end.bytes)
          ? { ...item, bytes: again.bytes }
          : item
    )
    const path = join(folder.path, 'record.jsonl')
    await writeRecord(path, { thread, ...NO_POLICIES, ...record, items, complete: true }, node.keys)
    return checkRecord(path, { verify: testVerify, policies: false, replay })
  }

  const about = ({ event, code, field, expected, found }: Report['problems'][number]) => ({
    verb: event?.split(' ')[0],
    code,
    field,
    expected,
    found
  })

  it('is kept by every node of a sound thread', async () => {
    for (const { swarm, keys, index } of cluster.nodes) {
      const path = join(folder.path, `${index}.jsonl`)
      const own = swarm.record(thread)
      assert(own !== undefined)
      await writeRecord(path, { thread, ...NO_POLICIES, ...own }, keys)
      const report = await checkRecord(path, { verify: testVerify, policies: false, replay: false })
      assert.deepEqual([report.problems, report.disorder], [[], undefined])
    }
  })

  it('is broken by an envelope that has no more than another of its sender to which it refers', async () => {
    const { lamport } = of('NEED').envelope
    for (const wrong of [lamport, lamport - 1]) {
      const report = await checked(wrong, false)
      const [problem] = report.problems
      assert(problem !== undefined && !report.ok)
      assert.deepEqual(about(problem), {
        verb: 'FINALIZE',
        code: 'REPLAY_LAMPORT',
        field: 'lamport',
        expected: `more than ${lamport}`,
        found: String(wrong)
      })
      assert.equal(problem.sender, node.did)
      assert.equal(problem.line, report.lines - 2, 'the line before the end')
    }
  })

  it('is broken by a second envelope of a sender with the value of another', async () => {
    const { lamport, sender } = of('FORM').envelope
    assert.equal(sender, node.did)
    const [problem] = (await checked(lamport, false)).problems
    assert(problem !== undefined)
    assert.equal(about(problem).expected, `another value than ${lamport}`)
  })

  it('is not broken by what says nothing of before and after', async () => {
    const { lamport } = of('NEED').envelope
    const free = Array.from({ length: 100 }, (_, at) => lamport + 1 + at).find(
      value =>
        !said.some(({ envelope }) => envelope.sender === node.did && envelope.lamport === value)
    )
    assert(free !== undefined)
    assert((await checked(free, false)).ok)
  })

  it('is told by a replay, whose outcome does not rest on it', async () => {
    const report = await checked(0, true)
    assert(report.ok && report.finalizeBytesEqual)
    assert.deepEqual(
      report.disorder?.map(({ code }) => code),
      ['REPLAY_LAMPORT']
    )
  })

  it('remembers as many senders and envelopes as a thread may have, and no more', () => {
    const order = new LamportOrder()
    const of = (sender: number, lamport: number): Admitted => {
      const id = `${sender} ${lamport}`
      const said = { sender: String(sender), lamport, thread: null, refs: [], payload: {} }
      return { id, envelope: { ...end.envelope, ...said } } as unknown as Admitted
    }
    const isSeen = (sender: number, lamport: number): boolean => {
      const second = of(sender, lamport)
      return order.take({ ...second, id: 'another' }) !== null
    }
    for (let sender = 0; sender <= 10_000; sender++) assert.equal(order.take(of(sender, 1)), null)
    assert.deepEqual([isSeen(1, 1), isSeen(0, 1)], [true, false])
    for (let lamport = 2; lamport < 90_000; lamport++) order.take(of(5, lamport))
    assert.deepEqual([isSeen(5, 89_000), isSeen(5, 2)], [true, false])
  })
})
