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

  it('writes lists of small maps as their items, in order or not', () => {
    const facts = [{ key: 'k', kind: 'ANNOTATE', value: 'x"\u2028\ud800' }, 1, 'a', null, {}]
    const others = [
      { b: 1, a: 2 },
      { a: [] },
      { a: { c: 1, b: 2 } },
      [{ b: 1, a: 2 }],
      { 2: 1, 10: 2 }
    ]
    const parts = [...facts, ...others].map(item =>
      policyText({ gate: 'message', x: item })?.slice('{"gate":"message","x":'.length, -1)
    )
    for (const list of [facts, others, [...facts, ...others]]) {
      const at = [...facts, ...others].indexOf(list[0] as never)
      const expected = `{"gate":"message","x":[${parts.slice(at, at + list.length).join()}]}`
      assert.equal(policyText({ gate: 'message', x: list }), expected)
    }
    assert.equal(parts.at(-1), '{"10":2,"2":1}')
  })

  it('gives nothing for a map in a list where there is room for the list alone', () => {
    const listed = (item: PolicyInput[string]): PolicyInput[string] =>
      Array.from({ length: POLICY_DEPTH_MAX - 2 }).reduce<PolicyInput[string]>(
        list => [list],
        [item]
      )
    assert.notEqual(policyText({ gate: 'message', x: listed(1) }), null)
    assert.equal(policyText({ gate: 'message', x: listed({ a: 1 }) }), null)
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
