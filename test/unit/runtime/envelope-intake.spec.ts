// Goal: what peers show of a fork counts whenever it was said, and nothing else of direct messages does. Method: a door that writes down how
// envelopes came.
import assert from 'node:assert/strict'
import { useNodeSha256 } from '../../../src/adapters/sha256/index.ts'
import { idOf } from '../../../src/core/codec/index.ts'
import type { Admitted } from '../../../src/core/envelope/index.ts'
import { Counters } from '../../../src/runtime/counters.ts'
import type { Origin } from '../../../src/runtime/door.ts'
import { EnvelopeIntake } from '../../../src/runtime/envelope-intake.ts'
import { PeerPace } from '../../../src/runtime/index.ts'
import { PLAN_NEED, planChain } from '../../support/plan-chains.ts'
import { SIGNERS } from '../../support/sample-drafts.ts'
import { ManualClock, until } from '../../support/virtual-world.ts'

useNodeSha256()
type Signer = (typeof SIGNERS)[number]
const [one, two] = planChain({ count: 2 }) as [Admitted, Admitted]
const [rival] = planChain({ count: 1, salt: 'rival' }) as [Admitted]
const [other] = planChain({ count: 1, signer: SIGNERS[1] as Signer }) as [Admitted]

describe('runtime/envelope-intake', () => {
  const start = (pace = new PeerPace()) => {
    const clock = new ManualClock()
    const came: [id: string, origin: Origin][] = []
    const door = {
      admit: async (bytes: Uint8Array, _from: string, origin: Origin) => {
        came.push([idOf(bytes), origin])
        return { verdict: 'accept' as const }
      }
    }
    const dropped = new Counters()
    const intake = new EnvelopeIntake({ door, pace, clock, dropped })
    const take = async (items: readonly Admitted[]): Promise<Origin[]> => {
      const before = came.length
      intake.take(
        'peer',
        items.map(({ bytes }) => bytes)
      )
      await until(() => came.length === before + items.length)
      return came.slice(before).map(([, origin]) => origin)
    }
    return { take, intake, clock, came, dropped }
  }

  it('takes two updates at one place as links of plans', async () => {
    const { take, came } = start()
    assert.deepEqual(await take([one, rival]), ['plan', 'plan'])
    assert.deepEqual(
      came.map(([id]) => id),
      [one.id, rival.id]
    )
  })

  it('takes everything else as any envelope of a peer', async () => {
    const { take } = start()
    for (const items of [
      [one],
      [one, one],
      [one, two],
      [one, other],
      [PLAN_NEED, one],
      [one, rival, two]
    ])
      assert.deepEqual(new Set(await take(items)), new Set(['peer']))
  })

  it('takes forks as any envelopes from a peer that has brought more than anybody needs', async () => {
    const pace = new PeerPace()
    const { take, clock } = start(pace)
    pace.spend('peer', 20_000, clock.nowMs())
    assert.deepEqual(await take([one, rival]), ['peer', 'peer'])
  })

  it('brings a few at a time to the door, of each peer one after the other', async () => {
    const { intake, came } = start()
    let before = 0
    let most = 0
    const look = (): void => {
      most = Math.max(most, came.length - before)
      before = came.length
      if (came.length < 2_001) setImmediate(look)
    }
    setImmediate(look)
    intake.take('loud', new Array<Uint8Array>(2_000).fill(one.bytes))
    intake.take('other', [two.bytes])
    await until(() => came.some(([id]) => id === two.id))
    assert.ok(came.length < 200, `${came.length} before it`)
    await until(() => came.length === 2_001)
    assert.ok(most <= 40, `${most} in one turn`)
  })

  it('drops and counts what a peer sends beyond its part of the room', async () => {
    const { intake, came, dropped } = start()
    intake.take('loud', new Array<Uint8Array>(20_000).fill(one.bytes))
    intake.take('other', [two.bytes])
    await until(() => came.some(([id]) => id === two.id))
    const count = dropped.toObject()['envelope-queue-full'] ?? 0
    await until(() => came.length === 20_001 - count)
    assert.ok(count > 10_000)
  })
})
