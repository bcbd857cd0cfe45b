// Goal: the document holds exactly the updates that count in the derived plan, whatever order they came in, forks and gaps among them.
import assert from 'node:assert/strict'
import * as A from '@automerge/automerge'
import fc from 'fast-check'
import { genesisChange } from '../../../../src/adapters/automerge/change-chunk.ts'
import { PlanDocument } from '../../../../src/adapters/automerge/plan-document.ts'
import { useNodeSha256 } from '../../../../src/adapters/sha256/index.ts'
import type { Admitted } from '../../../../src/core/envelope/index.ts'
import { planChangeOf } from '../../../../src/core/need/index.ts'
import { PlanState } from '../../../../src/core/plan/index.ts'
import type { Signer } from '../../../../src/ports/index.ts'
import { entryOf, PLAN_NEED, PLAN_THREAD, planChain } from '../../../support/plan-chains.ts'
import { SIGNERS } from '../../../support/sample-drafts.ts'

useNodeSha256()
const [first, second] = SIGNERS as [Signer, Signer]
const chain = planChain({ signer: first, count: 7 })
const fork = planChain({
  signer: first,
  count: 3,
  salt: 'fork',
  after: chain[2] as Admitted<'UPDATE_PLAN'>
})
const other = planChain({ signer: second, count: 5, session: 2 })
const pool: readonly Admitted[] = [...chain, ...fork, ...other]

describe('adapters/automerge/plan-document', () => {
  it('holds what counts in the derived plan', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...pool]), fc.nat({ max: 4 }), (list, size) => {
        const state = new PlanState()
        for (const admitted of list) {
          const change = planChangeOf(admitted, PLAN_NEED)
          assert.ok(change !== null)
          state.apply(change)
        }
        const document = documentOf(list, size + 1)
        assert.deepEqual(document.envelopes().sort(), [...state.counted()].sort())
        assert.deepEqual(document.heads(), documentOf([...list].reverse(), 3).heads())
        assert.deepEqual(A.getHeads(A.load(document.save())).sort(), headsInAutomerge(document))
      }),
      { numRuns: 60 }
    )
  })
})

/** A document of these envelopes, given in groups. */
function documentOf(list: readonly Admitted[], group: number): PlanDocument {
  const document = new PlanDocument(PLAN_THREAD)
  for (let at = 0; at < list.length; at += group)
    document.apply(list.slice(at, at + group).map(entryOf))
  return document
}

/** Automerge names the genesis change where there is nothing else. */
function headsInAutomerge(document: PlanDocument): string[] {
  const heads = document.heads()
  return heads.length > 0 ? heads : [genesisChange(PLAN_THREAD).hash]
}
