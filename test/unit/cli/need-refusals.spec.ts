// Goal: a NEED that others refuse ends the wait for it, one that some refuse does not. Method: a session that answers as told.
import assert from 'node:assert/strict'
import type { RefusedEvent } from '../../../src/cli/follow.ts'
import { NeedRefusals } from '../../../src/cli/need-refusals.ts'
import type { Session } from '../../../src/cli/session.ts'
import { CID_A, CID_B } from '../../support/fake-handlers.ts'

type Answers = { readonly peers: readonly string[]; readonly group?: object | null }

const refused = (by: string, envelope = CID_B): RefusedEvent => ({
  type: 'refused',
  thread: CID_B,
  envelope,
  verb: 'NEED',
  by,
  code: 'POLICY_DENIED',
  reasons: ['need-budget: "9"'],
  atMs: 1
})

function refusals({ peers, group = null }: Answers, patienceMs = 1): NeedRefusals {
  const call = async (method: string): Promise<unknown> =>
    method === 'peers.list' ? peers.map(did => ({ did })) : { group, phase: 'OPEN' }
  return new NeedRefusals({ call } as unknown as Session, CID_B, patienceMs)
}

const never = (): Promise<void> => new Promise(() => undefined)

describe('cli/need-refusals', () => {
  it('ends at once when all refuse', async () => {
    const all = refusals({ peers: ['b', 'c'] }, 60_000)
    const race = all.race(never())
    await all.take(refused('b'))
    await all.take(refused('c'))
    await assert.rejects(race, error => {
      assert.match(
        String(error),
        /2 of 2 connected nodes refuse .*need-budget: "9" \[POLICY_DENIED\]/u
      )
      return (error as { code?: string }).code === 'NEED_REFUSED'
    })
  })

  it('ends after a while when half refuse and nobody takes it up', async () => {
    const half = refusals({ peers: ['b', 'c'] })
    const race = half.race(never())
    await half.take(refused('b'))
    await assert.rejects(race, { code: 'NEED_REFUSED' })
  })

  const goingOn: [string, Answers, RefusedEvent][] = [
    ['fewer than half refuse', { peers: ['b', 'c', 'd'] }, refused('b')],
    ['others have taken it up', { peers: ['b'], group: {} }, refused('b')],
    ['something else is refused', { peers: ['b'] }, refused('b', CID_A)]
  ]
  for (const [what, answers, event] of goingOn)
    it(`goes on when ${what}`, async () => {
      const some = refusals(answers)
      const following = Promise.withResolvers<void>()
      const race = some.race(following.promise)
      await some.take(event)
      setTimeout(following.resolve, 50)
      await race
    })
})
