// Goal: a late fork of a long session costs a bounded moment, whatever its facts are about and however many others say the same. Method: the
// most facts that sessions may have, and CPU time.
import assert from 'node:assert/strict'
import type { Fact } from '../../../../src/core/envelope/index.ts'
import {
  type PlanChange,
  PlanState,
  planState,
  SESSION_FACTS_MAX
} from '../../../../src/core/plan/index.ts'
import {
  chainOf,
  decision,
  link,
  note,
  offer,
  opening,
  STRANGER,
  WORKER
} from '../../../support/plan-changes.ts'

const FACTS = 128
const SENDER = 'did:key:zSender'
const SESSIONS = 5
const FORKED = 3
const SESSION_UPDATES = SESSION_FACTS_MAX / FACTS
/** A step may take so long. Of several the best is taken: a collection of garbage does not come in each. */
const STEP_MS = 50

const kinds: Record<string, (at: number) => Fact> = {
  'one note': () => ({ kind: 'ANNOTATE', task: 'a', key: 'k', value: '' }),
  'one link': () => ({ kind: 'LINK', parent: 'a', child: 'b' }),
  'many links': at => ({ kind: 'LINK', parent: `a-${at}`, child: `b-${at}` })
}

describe('core/plan: late forks of long sessions', function () {
  this.timeout(60_000)
  for (const [name, factOf] of Object.entries(kinds))
    for (const order of ['rising', 'falling'])
      it(`take back ${name}, said with ${order} clock values`, () => {
        const state = new PlanState()
        const lamportOf = (seq: number): number => (order === 'rising' ? seq : 1_000 - seq)
        for (let session = 0; session < SESSIONS; session++)
          for (let seq = 1; seq <= SESSION_UPDATES; seq++)
            state.apply(update(session, seq, lamportOf(seq), factOf))
        assert.equal(state.counted().length, SESSIONS * SESSION_UPDATES)
        const taken: number[] = []
        for (let session = 0; session < FORKED; session++) {
          const before = process.threadCpuUsage()
          state.apply({ ...update(session, 1, 1, factOf), envelope: `rival ${session}` })
          const { user, system } = process.threadCpuUsage(before)
          taken.push((user + system) / 1000)
        }
        assert.equal(state.counted().length, (SESSIONS - FORKED) * SESSION_UPDATES)
        assert.ok(Math.min(...taken) < STEP_MS, `${taken} ms for a step`)
      })

  it('are restated after a decision, which takes no longer, with the standing of their sender', () => {
    const state = new PlanState()
    state.apply(opening())
    for (let session = 0; session < SESSIONS; session++)
      for (let seq = 1; seq <= SESSION_UPDATES; seq++)
        state.apply(update(session, seq, seq, () => note(`a-${seq}`, 'said')))
    const taken: number[] = []
    for (let epoch = 0; epoch < 3; epoch++) {
      const proposal = `bid-${epoch}`
      state.apply(offer(proposal, epoch % 2 === 0 ? SENDER : STRANGER))
      const before = process.threadCpuUsage()
      state.apply(decision(proposal, epoch))
      const { user, system } = process.threadCpuUsage(before)
      taken.push((user + system) / 1000)
    }
    assert.ok(Math.min(...taken) < STEP_MS, `${taken} ms for a step`)
    state.apply({ ...update(0, 1, 1, () => note('a', '')), envelope: 'rival' })
    for (const one of chainOf(STRANGER, [[note('a-7', 'later')]]))
      state.apply({ ...one, lamport: 1e6 })
    // Of requester and worker goes first what they said, also by a smaller clock value.
    assert.equal(state.task('a-7')?.annotations[0]?.value, 'said')
    assert.equal(state.task('a-7')?.annotations[0]?.sender, SENDER)
  })

  it('show the same as if the session had never counted, also where its sender is decided meanwhile', () => {
    const facts = (seq: number): Fact[] =>
      Array.from({ length: FACTS }, (_, at) =>
        at % 2 === 0 ? note('a', `${seq}`) : link(`a-${at}`, `b-${seq}`)
      )
    const updates = Array.from({ length: 30 }, (_, at) => facts(at))
    const worker = chainOf(WORKER, updates)
    const [rival] = chainOf(WORKER, updates, { name: 'rival' }) as [PlanChange]
    const other = chainOf(STRANGER, updates.slice(0, 3))
    const decided = [offer('bid', WORKER, note('a', 'mine')), decision('bid')]
    const list = [opening(), ...other, ...worker, rival, ...decided]
    const state = new PlanState()
    for (const change of list) state.apply(change)
    const never = planState([...decided, ...other, opening()]).view()
    assert.deepEqual({ ...state.view(), forks: [] }, never)
    assert.deepEqual(state.view(), planState(list.toReversed()).view())
  })
})

function update(
  session: number,
  seq: number,
  lamport: number,
  factOf: (at: number) => Fact
): PlanChange {
  const idAt = (at: number): string => `update ${session} ${at}`
  const facts = Array.from({ length: FACTS }, (_, at) =>
    factOf(session * SESSION_FACTS_MAX + seq * FACTS + at)
  )
  const previous = seq === 1 ? null : idAt(seq - 1)
  const sender = SENDER
  const chain = { session, seq, previous }
  return { envelope: idAt(seq), sender, lamport, size: 5_000, facts, chain, act: null }
}
