// The bytes that a policy reads: equal for equal questions.
import assert from 'node:assert/strict'
import {
  POLICY_DEPTH_MAX,
  type PolicyInput,
  policyText
} from '../../../../src/core/policy/index.ts'

const nested = (levels: number): PolicyInput => ({
  gate: 'message',
  x: JSON.parse('['.repeat(levels) + ']'.repeat(levels))
})

describe('core/policy/text', () => {
  it('sorts keys by code unit, at every level, and leaves lists as they are', () => {
    const input: PolicyInput = { gate: 'message', b: { é: 1, z: [2, 1], a: null }, a: 'x"\n' }
    const expected = '{"a":"x\\"\\n","b":{"a":null,"z":[2,1],"é":1},"gate":"message"}'
    assert.equal(policyText(input), expected)
    assert.equal(
      policyText({ a: 'x"\n', b: { a: null, z: [2, 1], é: 1 }, gate: 'message' }),
      expected
    )
  })

  it('reads back as the value that it was', () => {
    const input: PolicyInput = {
      gate: 'commit',
      '': true,
      'a b': [{}, [], 0, -1, 2 ** 53 - 1, '\u{1f600}']
    }
    assert.deepEqual(JSON.parse(policyText(input) ?? ''), input)
  })

  it('gives nothing for what nests too deeply, however deeply', () => {
    assert.notEqual(policyText(nested(POLICY_DEPTH_MAX - 1)), null)
    assert.equal(policyText(nested(POLICY_DEPTH_MAX)), null)
    assert.equal(policyText(nested(10_000)), null)
  })
})
