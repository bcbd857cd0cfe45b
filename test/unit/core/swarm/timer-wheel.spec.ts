/**
 * Goal: no deadline is early, late or lost, however far away it is and however time moves. Method: the wheel beside a plain map that is searched through,
 * driven by the same arbitrary commands.
 */
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { Schedule } from '../../../../src/core/swarm/schedule.ts'
import { TimerWheel } from '../../../../src/core/swarm/timer-wheel.ts'

const START_MS = 1_800_000_000_000

type Command =
  | { readonly type: 'set'; readonly item: number; readonly delayMs: number }
  | { readonly type: 'remove'; readonly item: number }
  | { readonly type: 'advance'; readonly ms: number }

/** From less than a slot to more than the whole wheel. */
const span = fc.oneof(
  fc.nat(100),
  fc.nat(5_000),
  fc.nat(300_000),
  fc.nat(40_000_000),
  fc.nat(2_000_000_000),
  fc.integer({ min: 0, max: 90_000_000_000 })
)
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ type: fc.constant('set' as const), item: fc.nat(20), delayMs: span }),
  fc.record({ type: fc.constant('remove' as const), item: fc.nat(20) }),
  fc.record({ type: fc.constant('advance' as const), ms: span }),
  fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: -5_000, max: 60 }) })
)

describe('core/swarm/timer-wheel', () => {
  it('hands out what a search through all deadlines finds due, in the same call', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), commands => {
        const wheel = new TimerWheel<number>()
        const naive = new Map<number, number>()
        let nowMs = START_MS
        for (const next of commands) {
          if (next.type === 'set') {
            wheel.set(next.item, nowMs + next.delayMs)
            naive.set(next.item, nowMs + next.delayMs)
          } else if (next.type === 'remove') {
            wheel.remove(next.item)
            naive.delete(next.item)
          } else {
            nowMs += next.ms
            const expected = [...naive].filter(([, at]) => at <= nowMs).map(([item]) => item)
            for (const item of expected) naive.delete(item)
            assert.deepEqual(wheel.advance(nowMs).sort(byNumber), expected.sort(byNumber))
          }
          assert.equal(wheel.size, naive.size)
          assert(wheel.next() <= Math.min(Number.POSITIVE_INFINITY, ...naive.values()))
        }
      }),
      { numRuns: 500 }
    )
  })

  it('names the next deadline exactly when it is near, and reaches a far one in few steps', () => {
    const wheel = new TimerWheel<string>()
    wheel.advance(START_MS)
    wheel.set('near', START_MS + 70)
    assert.equal(wheel.next(), START_MS + 70)
    wheel.set('far', START_MS + 86_400_000)
    wheel.remove('near')
    let steps = 0
    for (let due: string[] = []; due.length === 0; steps++) due = wheel.advance(wheel.next())
    assert(steps < 10, `${steps} steps`)
    assert.equal(wheel.next(), Number.POSITIVE_INFINITY)
  })
})

describe('core/swarm/schedule', () => {
  it('hands out the active in every tick, the waiting at their time, oldest first', () => {
    const schedule = new Schedule<string>()
    const dueAt = new Map([
      ['first', START_MS + 500],
      ['second', 0],
      ['third', Number.POSITIVE_INFINITY],
      ['fourth', START_MS + 100]
    ])
    for (const item of dueAt.keys()) schedule.add(item)
    const settle = (nowMs: number): void => schedule.settle(nowMs, item => dueAt.get(item) ?? 0)
    settle(START_MS)
    assert.deepEqual(schedule.counts(), { active: 1, waiting: 2 })
    assert.deepEqual(schedule.take(START_MS), ['second'])
    dueAt.set('second', Number.POSITIVE_INFINITY)
    settle(START_MS)
    assert.equal(schedule.isActive(), false)
    assert.deepEqual(schedule.take(START_MS + 99), [])
    assert.deepEqual(schedule.take(START_MS + 500), ['first', 'fourth'])
  })

  it('asks again only what was touched, and forgets what was removed', () => {
    const schedule = new Schedule<string>()
    const asked: string[] = []
    const settle = (): void =>
      schedule.settle(START_MS, item => {
        asked.push(item)
        return START_MS + 100
      })
    for (const item of ['a', 'b', 'c']) schedule.add(item)
    settle()
    asked.length = 0
    schedule.touch('b')
    schedule.touch('unknown')
    schedule.remove('c')
    settle()
    assert.deepEqual(asked, ['b'])
    assert.deepEqual(schedule.take(START_MS + 100), ['a', 'b'])
  })
})

function byNumber(a: number, b: number): number {
  return a - b
}
