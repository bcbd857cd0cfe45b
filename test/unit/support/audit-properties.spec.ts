// Goal: each check of the fault tests can fail. Method: a good record of the virtual world, changed in one place for each check.
import assert from 'node:assert/strict'
import type { CID } from '../../../src/core/codec/index.ts'
import type { Admitted, Fence, Outcome } from '../../../src/core/envelope/index.ts'
import { flawed } from '../../../src/replay/flaw.ts'
import {
  type Account,
  accountOf,
  checkAccounts,
  checkDecides,
  checkEnds,
  checkFences,
  checkOutcomes,
  checkReplays,
  checkVerdicts,
  staleCommits
} from '../../support/audit-properties.ts'
import { finishedThread } from '../../support/finished-thread.ts'

const { cluster, thread } = finishedThread()
const good: readonly Account[] = cluster.nodes.map(node => ({
  node: `node-${node.index}`,
  ...accountOf(node.swarm.record(thread)?.items ?? []),
  replay: { ok: true, complete: true, finalizeBytesEqual: true, problems: [] }
}))
const [account] = good as [Account]

describe('support/audit-properties', () => {
  it('finds nothing wrong with what went well', () => {
    assert.deepEqual(checkAccounts(good), [])
    assert.equal(account.ends[0]?.envelope.payload.outcome.result, 'FINAL')
    assert.deepEqual(staleCommits(account), [])
  })

  it('sees a second decision for a slot and epoch (P1)', () => {
    const [decide] = account.decides
    assert.ok(decide)
    const { decision } = decide.envelope.payload
    const other = withPayload(decide, { decision: { ...decision, index: decision.index + 1 } })
    assert.match(checkDecides([...good, { ...account, decides: [other] }]).join(), /^P1: /u)
    const nextEpoch = withPayload(decide, { decision: { ...decision, epoch: 1 } })
    assert.deepEqual(checkDecides([...good, { ...account, decides: [nextEpoch] }]), [])
  })

  it('sees an outcome that differs at one node (P2)', () => {
    const other = withOutcome({ reason: 'another reason' })
    assert.match(checkOutcomes([...good, other]).join(), /^P2: .* another outcome/u)
  })

  it('sees a record that does not replay, or is not complete (P2)', () => {
    const { replay } = account
    const { flaw } = flawed('X', 'wrong')
    const broken = { ...replay, ok: false, problems: [{ line: 3, ...flaw }] }
    for (const wrong of [
      broken,
      { ...replay, finalizeBytesEqual: false },
      { ...replay, complete: false }
    ])
      assert.match(checkReplays([{ ...account, replay: wrong }]).join(), /^P2: /u)
    assert.deepEqual(checkReplays([{ ...account, ends: [], replay: broken }]), [])
  })

  it('sees a result that is final without verdicts, or void without reasons (P3)', () => {
    const silent = { ...account, entries: without('ATTEST') }
    assert.match(checkVerdicts([silent]).join(), /^P3: .* FINAL .* by 0 verdict/u)
    assert.match(checkVerdicts([withOutcome({ result: 'INVALID' })]).join(), /^P3: .* INVALID/u)
  })

  it('sees verdicts of those who have a part in the work (P3)', () => {
    const worker = account.decides[0]?.envelope.payload.decision.worker as string
    const entries = account.entries.map(entry =>
      entry.admitted?.envelope.verb === 'ATTEST'
        ? { ...entry, admitted: withField(entry.admitted, { sender: worker }) }
        : entry
    )
    assert.match(checkVerdicts([{ ...account, entries }]).join(), /^P3: /u)
  })

  it('sees two final results of one deterministic task (P3)', () => {
    const other = withOutcome({ outputs: [account.need.cid as CID] })
    assert.match(checkVerdicts([account, other]).join(), /^P3: .* another final result/u)
  })

  it('sees an outcome that rests on a COMMIT after its lease (P4)', () => {
    const until = account.need.envelope.payload.windows.leaseTtlMs
    const late = account.entries.map(entry =>
      entry.admitted?.envelope.verb === 'COMMIT' ? { ...entry, stamp: entry.stamp + until } : entry
    )
    const found = { ...account, entries: late }
    assert.match(checkFences([found]).join(), /^P4: .* expired fence/u)
    assert.equal(staleCommits(found).length, 1)
  })

  it('sees an outcome that rests on a COMMIT with the fence of another lease (P4)', () => {
    const fence: Fence = [0, 1, 1]
    const entries = account.entries.map(entry =>
      entry.admitted?.envelope.verb === 'COMMIT'
        ? { ...entry, admitted: withField(entry.admitted, { fence }) }
        : entry
    )
    assert.match(checkFences([{ ...account, entries }]).join(), /^P4: .* expired fence/u)
    assert.match(checkFences([withOutcome({ fence })]).join(), /^P4: .* another fence/u)
    assert.match(checkFences([{ ...account, entries: without('COMMIT') }]).join(), /lacks/u)
  })

  it('counts an envelope once that a new leader has logged again', () => {
    const claim = account.entries.find(({ admitted }) => admitted?.envelope.verb === 'CLAIM')
    const { leaseTtlMs } = account.need.envelope.payload.windows
    assert.ok(claim)
    // The lease runs out; the old CLAIM comes again; a new one gets the lease; its COMMIT is good.
    const at = (
      index: number,
      stamp: number,
      admitted: Admitted | null
    ): Account['entries'][0] => ({
      ...claim,
      index,
      stamp,
      admitted
    })
    const lost = claim.stamp + leaseTtlMs
    const second = { ...withField(claim.admitted as Admitted, {}), id: 'another' }
    const entries = account.entries.flatMap(entry =>
      entry.admitted?.envelope.verb === 'COMMIT'
        ? [
            at(entry.index, lost, null),
            at(entry.index + 1, lost + 1, claim.admitted),
            at(entry.index + 2, lost + 2, second),
            at(
              entry.index + 3,
              lost + 3,
              withField(entry.admitted, { fence: [0, claim.term, entry.index + 2] })
            )
          ]
        : entry.index < claim.index || entry === claim
          ? [entry]
          : []
    )
    assert.deepEqual(staleCommits({ ...account, entries }), [])
  })

  it('sees a fence that does not rise (P4)', () => {
    const claim = account.entries.find(({ admitted }) => admitted?.envelope.verb === 'CLAIM')
    assert.ok(claim)
    const far = account.need.envelope.payload.windows.leaseTtlMs
    const again = {
      ...claim,
      admitted: { ...withField(claim.admitted as Admitted, {}), id: 'another' },
      term: claim.term - 1,
      index: claim.index,
      stamp: claim.stamp + 2 * far
    }
    const tick = { ...again, admitted: null, stamp: claim.stamp + far }
    const entries = [...without('COMMIT'), tick, again]
    assert.match(checkFences([{ ...account, ends: [], entries }]).join(), /does not rise/u)
  })

  it('sees a thread that has not ended (P6)', () => {
    const view = cluster.view(cluster.nodes[0] as (typeof cluster.nodes)[0], thread)
    assert.deepEqual(checkEnds([{ node: 'a', view }]), [])
    assert.match(checkEnds([{ node: 'a', view: { ...view, phase: 'VERIFIED' } }]).join(), /^P6: /u)
    assert.match(checkEnds([{ node: 'a', view: { ...view, reason: '' } }]).join(), /^P6: /u)
  })
})

function without(verb: string): Account['entries'] {
  return account.entries.filter(({ admitted }) => admitted?.envelope.verb !== verb)
}

function withOutcome(change: Partial<Outcome>): Account {
  const [end] = account.ends
  assert.ok(end)
  const { outcome } = end.envelope.payload
  return { ...account, ends: [withPayload(end, { outcome: { ...outcome, ...change } })] }
}

function withPayload<A extends Admitted>(admitted: A, change: object): A {
  const { payload } = admitted.envelope
  return withField(admitted, { payload: { ...payload, ...change } })
}

function withField<A extends Admitted>(admitted: A, change: object): A {
  return { ...admitted, envelope: { ...admitted.envelope, ...change } }
}
