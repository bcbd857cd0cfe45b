// What counts as an answer of a policy.
import assert from 'node:assert/strict'
import { MALFORMED, parseAnswer } from '../../../../src/adapters/opa/answer.ts'

const answer = (result: unknown): unknown => [{ result }]

describe('adapters/opa/answer', () => {
  it('takes a decision and sorts its reasons', () => {
    assert.deepEqual(parseAnswer(answer({ allow: true, reasons: [] })), {
      allow: true,
      reasons: []
    })
    assert.deepEqual(parseAnswer(answer({ allow: false, reasons: ['b', 'a'] })), {
      allow: false,
      reasons: ['a', 'b']
    })
  })

  it('denies on anything else', () => {
    const bad: unknown[] = [
      undefined,
      null,
      [],
      {},
      [{}],
      [{ result: true }],
      answer({}),
      answer({ allow: true }),
      answer({ allow: 1, reasons: [] }),
      answer({ allow: true, reasons: ['but'] }),
      answer({ allow: true, reasons: [], gas: 1 }),
      answer({ allow: false, reasons: [1] }),
      answer({ allow: false, reasons: Array(65).fill('x') }),
      answer({ allow: false, reasons: ['x'.repeat(513)] }),
      [{ result: { allow: true, reasons: [] } }, { result: { allow: true, reasons: [] } }]
    ]
    for (const raw of bad) assert.equal(parseAnswer(raw), MALFORMED, JSON.stringify(raw))
  })
})
