/**
 * Writes protocols/plan/vectors/document.json. Run it with `node test/support/make-plan-document-vectors.ts` after a deliberate change of the
 * protocol and review the difference.
 */
import { writeFileSync } from 'node:fs'
import { PlanDocument } from '../../src/adapters/automerge/plan-document.ts'
import type { Admitted } from '../../src/core/envelope/index.ts'
import { entryOf, PLAN_NEED, PLAN_THREAD, planChain } from './plan-chains.ts'
import { SIGNERS } from './sample-drafts.ts'

const FILE = new URL('../../protocols/plan/vectors/document.json', import.meta.url)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const chain = planChain({ count: 4 })
const second = SIGNERS[1]
const other = planChain({ count: 2, session: 1, ...(second && { signer: second }) })
const fork = planChain({ count: 1, salt: 'fork', ...(chain[1] && { after: chain[1] }) })

const cases: readonly (readonly [name: string, envelopes: readonly Admitted[]])[] = [
  ['a NEED', [PLAN_NEED]],
  ['a NEED and two chains', [PLAN_NEED, ...chain, ...other]],
  ['a chain with a gap', [PLAN_NEED, ...chain.slice(0, 2), ...chain.slice(3)]],
  ['a chain that forks at its third place', [PLAN_NEED, ...chain, ...fork]]
]

const vectors = cases.map(([name, envelopes]) => {
  const document = new PlanDocument(PLAN_THREAD)
  document.apply(envelopes.map(entryOf))
  return {
    name,
    thread: PLAN_THREAD,
    envelopes: envelopes.map(({ bytes }) => hex(bytes)),
    changes: [...document.changes().keys()].map(hash => hex(document.bytesOf(hash))),
    heads: document.heads()
  }
})
writeFileSync(FILE, `${JSON.stringify(vectors, null, 1)}\n`)
