/**
 * Writes protocols/plan/vectors/plan.json. Run it with `node test/support/make-plan-vectors.ts` after a deliberate change of the protocol
 * and review the difference.
 */
import { writeFileSync } from 'node:fs'
import { encode } from '@ipld/dag-json'
import { toHex } from '../../src/core/base/index.ts'
import { cidOf } from '../../src/core/codec/index.ts'
import type { Fact } from '../../src/core/envelope/index.ts'
import { type PlanChange, planState, viewDigest } from '../../src/core/plan/index.ts'
import {
  addTask,
  chainOf,
  change,
  decision,
  link,
  note,
  offer,
  opening,
  REQUESTER,
  STRANGER,
  state,
  WORKER
} from './plan-changes.ts'

const artifact = cidOf(new Uint8Array([7]), 0x55)
const produces: Fact = { kind: 'PRODUCES', task: 'count', artifact }
const requires: Fact = { kind: 'REQUIRES', task: 'count', artifact }
const need = opening(addTask('main'), state('main', 'DRAFT'))
const [first, second, third] = chainOf(STRANGER, [
  [addTask('a')],
  [addTask('b'), link('a', 'b')],
  [addTask('c'), link('b', 'c')]
]) as [PlanChange, PlanChange, PlanChange]
const bid = offer('bid-1', WORKER, addTask('count'), addTask('merge'), link('count', 'merge'))
const lost = offer('bid-2', STRANGER, addTask('count', 'text/other'), addTask('old'))
const [done] = chainOf(WORKER, [[produces, state('count', 'FINAL')]]) as [PlanChange]

const CASES: Readonly<Record<string, readonly PlanChange[]>> = {
  nothing: [],
  'one fact of each kind': [
    opening(addTask('count', 'text/count', ['text/count']), requires, produces),
    change('e1', 3, state('count', 'VERIFIED'), link('main', 'count'), note('count', '漢字 1'))
  ],
  'a stranger says less than the requester': [
    need,
    ...chainOf(STRANGER, [
      [addTask('main', 'text/other'), state('main', 'FINAL'), note('main', 'x')]
    ]),
    ...chainOf(REQUESTER, [[note('main', 'y')]])
  ],
  'a chain': [need, first, second, third],
  'a chain with a gap': [need, first, third],
  'a chain that names another before it': [
    need,
    first,
    { ...second, chain: { session: 0, seq: 2, previous: 'elsewhere' } },
    third
  ],
  'a fork, and a session after it': [
    need,
    first,
    second,
    third,
    { ...second, envelope: 'another second', facts: [addTask('x')] },
    ...chainOf(STRANGER, [[addTask('after')]], { session: 1 })
  ],
  'circles, in source order': [
    need,
    ...chainOf(STRANGER, [[link('a', 'b'), link('b', 'c'), link('c', 'a'), link('c', 'c')]]),
    ...chainOf(REQUESTER, [[link('b', 'a')]])
  ],
  'a proposal that nobody decided': [need, bid],
  'a decided proposal, and what its worker says': [need, bid, done, decision('bid-1')],
  'two decided proposals': [need, bid, lost, done, decision('bid-1', 1), decision('bid-2', 0)],
  'an end': [
    need,
    bid,
    decision('bid-1'),
    {
      ...change(
        'finalize',
        50,
        { kind: 'PRODUCES', task: 'main', artifact },
        state('main', 'FINAL')
      ),
      sender: STRANGER,
      act: { kind: 'end', proposal: 'bid-1', commit: 'commit-1' }
    }
  ]
}

const vectors = Object.entries(CASES).map(([name, changes]) => {
  const plan = planState(changes)
  const view = plan.view()
  const digest = toHex(viewDigest(view))
  return { name, changes, view, graph: plan.graph(), heads: plan.heads(), digest }
})
const text = JSON.stringify(JSON.parse(new TextDecoder().decode(encode(vectors))), null, 1)
writeFileSync(new URL('../../protocols/plan/vectors/plan.json', import.meta.url), `${text}\n`)
