// Goal: the quick look at the payload of an UPDATE_PLAN gives the schema's answer. Method: a payload with every kind of fact, of which each field is
// replaced by values of every kind, left out, or joined by another.
import { strict as assert } from 'node:assert'
import { inspect } from 'node:util'
import { cidOf } from '../../../../src/core/codec/index.ts'
import { payloadOf } from '../../../../src/core/envelope/parse.ts'
import { isPlainUpdate } from '../../../../src/core/envelope/plain-update.ts'

type Fields = Record<string, unknown>

const link = cidOf(Uint8Array.of(1))
const FACTS: readonly Fields[] = [
  { kind: 'ADD_TASK', task: 'a', type: 'text/upper', requires: ['gpu'], produces: [] },
  { kind: 'REQUIRES', task: 'a', artifact: link },
  { kind: 'PRODUCES', task: 'a', artifact: link },
  { kind: 'STATE', task: 'a', state: 'VERIFIED' },
  { kind: 'LINK', parent: 'a', child: 'b' },
  { kind: 'ANNOTATE', task: 'a', key: 'note', value: 'what people read' }
]
const PAYLOAD: Fields = { session: 0, seq: 2, previous: link, facts: FACTS }
const VALUES: readonly unknown[] = [
  ...[undefined, null, true, 0, 1, 2, 15, 16, 17, 16_384, 16_385, -1, 1.5, 2 ** 53, 5n, link, {}],
  ...['', 'a', 'A', 'a b', 'a/b', 'a\n', '-a', 'a'.repeat(128), 'a'.repeat(129), 'DRAFT', 'LINK'],
  ...['a'.repeat(4096), 'a'.repeat(4097), '\ufeffa', '\ud800', 'toString', '__proto__', FACTS[0]],
  ...[[], ['a'], ['A'], [1], [null], [link], [{}], new Uint8Array(3), [FACTS[4], FACTS[5]]],
  ...[256, 257].map(count => new Array(count).fill('a')),
  ...[128, 129].map(count => new Array(count).fill(FACTS[3]))
]

describe('core/envelope/plain-update', () => {
  it('agrees with the schema on any value of any field', () => {
    let passed = 0
    for (const payload of [PAYLOAD, { ...PAYLOAD, seq: 1, previous: null }])
      for (const changed of variants(payload)) passed += agree(changed)
    assert(passed > 10)
  })

  it('agrees with the schema on any value of any field of every fact', () => {
    let passed = 0
    for (const fact of FACTS)
      for (const changed of variants(fact)) passed += agree({ ...PAYLOAD, facts: [changed] })
    assert(passed > 30)
  })

  it('agrees with the schema on what is no map', () => {
    for (const value of VALUES) {
      agree(value)
      agree({ ...PAYLOAD, facts: [FACTS[1], value] })
    }
  })
})

/** With each field replaced by each value, each left out, and one more. */
function variants(fields: Fields): Fields[] {
  const changed = [...Object.keys(fields), 'another'].flatMap(field =>
    VALUES.map(value => ({ ...fields, [field]: value }))
  )
  // An encoding has no undefined.
  for (const one of changed)
    for (const key of Object.keys(one)) if (one[key] === undefined) delete one[key]
  return changed
}

/** 1 when both pass it. */
function agree(payload: unknown): number {
  const checked = payloadOf('UPDATE_PLAN', payload)
  const isPlain = isPlainUpdate(payload)
  assert.equal(isPlain, checked.ok, inspect(payload).slice(0, 300))
  if (checked.ok) assert.deepEqual(payload, checked.value)
  return isPlain ? 1 : 0
}
