// What counts as an answer of a policy.
import assert from 'node:assert/strict'
import { MALFORMED, parseAnswer } from '../../../../src/adapters/opa/answer.ts'
import { textAt } from '../../../../src/adapters/opa/instance.ts'

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
      answer({ allow: false, reasons: ['half of \ud83d'] }),
      answer([]),
      [{ result: { allow: true, reasons: [] }, more: 1 }],
      [[{ result: { allow: true, reasons: [] } }]],
      [{ result: { allow: true, reasons: [] } }, { result: { allow: true, reasons: [] } }]
    ]
    for (const raw of bad) assert.equal(parseAnswer(raw), MALFORMED, JSON.stringify(raw))
  })

  it('is UTF-8 and nothing that resembles it', () => {
    const read = (...bytes: number[]) => textAt(Uint8Array.of(...bytes, 0), 0)
    assert.equal(read(0x5b, 0xf0, 0x9f, 0x98, 0x80, 0x5d), '[\u{1f600}]')
    assert.equal(read(0xef, 0xbb, 0xbf, 0x5b, 0x5d), '\ufeff[]')
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0xbd], [0xf0, 0x9f]])
      assert.equal(read(...bytes), null, String(bytes))
  })
})
