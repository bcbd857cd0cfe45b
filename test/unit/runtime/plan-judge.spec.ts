// Goal: the envelopes of plan sync come to the door a few in each turn of the event loop, and again where it had no room. Method: a door that notes at
// which turn each came.
import assert from 'node:assert/strict'
import { refuse } from '../../../src/core/base/index.ts'
import type { Admission } from '../../../src/runtime/index.ts'
import { PlanJudge } from '../../../src/runtime/plan-judge.ts'
import { ManualClock, until } from '../../support/virtual-world.ts'

const ACCEPT: Admission = { verdict: 'accept' }

function world(answer: (bytes: Uint8Array) => Admission) {
  const clock = new ManualClock()
  const turns: number[][] = []
  let turn: number[] | null = null
  const state = { isWanted: true }
  const judge = new PlanJudge({
    clock,
    isWanted: () => state.isWanted,
    door: {
      admit: async bytes => {
        if (turn === null) {
          turn = []
          turns.push(turn)
          // What comes in one turn comes before its microtasks.
          queueMicrotask(() => {
            turn = null
          })
        }
        turn.push(bytes.length)
        return answer(bytes)
      }
    }
  })
  return { clock, turns, state, judge }
}

const envelopes = (...sizes: number[]): Uint8Array[] => sizes.map(size => new Uint8Array(size))

describe('runtime/plan-judge', () => {
  it('brings eight envelopes to the door in a turn, and 64 KiB at most', async () => {
    const { turns, judge } = world(() => ACCEPT)
    const many = new Array<number>(10).fill(100)
    assert.equal(await judge.judge('peer', envelopes(...many, 65_500, 65_536, 1, 2)), null)
    assert.deepEqual(turns, [many.slice(0, 8), many.slice(8), [65_500], [65_536], [1, 2]])
    assert.equal(judge.brought, 14)
    assert.equal(await judge.judge('peer', []), null)
  })

  it('tells the code of a rejection', async () => {
    const rejected: Admission = { verdict: 'reject', ...refuse('BAD_SIGNATURE', 'no') }
    const { judge } = world(bytes => (bytes.length === 2 ? rejected : ACCEPT))
    assert.equal(await judge.judge('peer', envelopes(1, 2, 3)), 'BAD_SIGNATURE')
    assert.equal(judge.brought, 2)
  })

  it('comes again where the door had no room, and only as long as the peer is wanted', async () => {
    const busy: Admission = { verdict: 'ignore', ...refuse('DOOR_BUSY', 'later') }
    const { turns, clock, state, judge } = world(() => (turns.length < 3 ? busy : ACCEPT))
    const judged = judge.judge('peer', envelopes(1))
    for (const count of [1, 2]) {
      await until(() => turns.length === count)
      clock.advance(250)
    }
    assert.equal(await judged, null)
    assert.deepEqual([turns.length, judge.brought], [3, 1])
    state.isWanted = false
    assert.equal(await judge.judge('peer', envelopes(1)), null)
    assert.deepEqual([turns.length, judge.brought], [3, 1])
  })
})
