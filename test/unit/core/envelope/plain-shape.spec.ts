// Goal: the quick look at an envelope's fields gives the schema's answer. Method: the fields of every verb, each replaced by values of every kind.
import { strict as assert } from 'node:assert'
import { cidOf } from '../../../../src/core/codec/index.ts'
import { VERBS } from '../../../../src/core/envelope/index.ts'
import { parseFields } from '../../../../src/core/envelope/parse.ts'
import { hasPlainShape } from '../../../../src/core/envelope/plain-shape.ts'
import { sampleEnvelope } from '../../../support/sample-envelopes.ts'

const link = cidOf(Uint8Array.of(1))
const did = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
const VALUES: readonly unknown[] = [
  ...[undefined, null, true, 0, 1, 2, -1, 1.5, 2 ** 53, 5n, '', 'text', did, `${did}a`, `${did}\n`],
  ...['a'.repeat(4096), 'a'.repeat(4097), '\ufeffa', '\ud800', link, [link], [link, null], []],
  ...[16, 32, 64, 65].map(size => new Uint8Array(size)),
  ...[256, 257].map(count => new Array(count).fill(link)),
  ...[[1, 2], [1, 2, 3], [1, 2, -3], [1, 2, 3, 4], ['1', 2, 3], { a: 1 }],
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
]

describe('core/envelope/plain-shape', () => {
  it('passes every verb', () => {
    for (const verb of VERBS) assert(hasPlainShape({ ...sampleEnvelope(verb).envelope }), verb)
  })

  it('agrees with the schema on any value of any field', () => {
    let passed = 0
    for (const verb of VERBS) {
      const fields: Record<string, unknown> = { ...sampleEnvelope(verb).envelope }
      for (const field of [...Object.keys(fields), 'another'])
        for (const value of VALUES) {
          const changed = { ...fields, [field]: value }
          // An encoding has no undefined: a payload of it is none.
          if (value === undefined) delete changed[field]
          const isPlain = hasPlainShape(changed)
          assert.equal(isPlain, parseFields(changed).ok, `${verb} ${field} ${String(value)}`)
          if (isPlain) passed += 1
        }
    }
    assert(passed > 100)
  })
})
