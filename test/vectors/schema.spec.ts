// The IPLD schema for other languages says the same as the code: the verbs, and the fields of every payload, down to the leaves.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parseEnvelope, payloads, VERBS } from '../../src/core/envelope/index.ts'
import { sampleEnvelope } from '../support/sample-envelopes.ts'

const text = readFileSync(
  new URL('../../protocols/envelope/schema.ipldsch', import.meta.url),
  'utf8'
)
const source = text.replace(/#.*$/gmu, '')

/** Struct -> field -> type as written. */
const structs = new Map<string, Map<string, string>>()
for (const [, name, body] of source.matchAll(/^type (\w+) struct \{(.*?)^\}/gmsu)) {
  const fields = [...(body as string).matchAll(/^ {2}(\w+) (.+?)\s*$/gmu)]
  structs.set(
    name as string,
    new Map(fields.map(([, field, type]) => [field as string, type as string]))
  )
}

/** Enum -> members. */
const enums = new Map<string, string[]>()
for (const [, name, body] of source.matchAll(/^type (\w+) enum \{(.*?)^\}/gmsu)) {
  enums.set(
    name as string,
    [...(body as string).matchAll(/\| (\w+)/gu)].map(match => match[1] as string)
  )
}

type Schema = {
  readonly type: string
  readonly entries?: Readonly<Record<string, Schema>>
  readonly wrapped?: Schema
  readonly item?: Schema
  readonly pipe?: readonly Schema[]
  readonly options?: readonly unknown[]
}

/** The code's schema inside pipes and nulls. */
function core(schema: Schema): Schema {
  if (schema.type === 'nullable') return core(schema.wrapped as Schema)
  const [first] = schema.pipe ?? []
  return first !== undefined && first !== schema && first.type !== schema.type
    ? core(first)
    : schema
}

function compare(name: string, schema: Schema, path: string): number {
  const fields = structs.get(name)
  assert.ok(fields, `${path}: the schema has no struct ${name}`)
  const entries = schema.entries as Readonly<Record<string, Schema>>
  assert.deepEqual([...fields.keys()], Object.keys(entries), path)
  let compared = fields.size
  for (const [field, type] of fields)
    compared += compareField(type, entries[field] as Schema, `${path}.${field}`)
  return compared
}

function compareField(type: string, schema: Schema, path: string): number {
  assert.equal(/^nullable /u.test(type), schema.type === 'nullable', `${path}: nullable`)
  const inner = core(schema)
  assert.equal(type.includes('['), inner.type === 'array', `${path}: list`)
  const item = inner.type === 'array' ? core(inner.item as Schema) : inner
  const named = (/(\w+)\]?$/u.exec(type) as RegExpExecArray)[1] as string
  if (item.type === 'strict_object') return compare(named, item, path)
  if (item.type === 'picklist') assert.deepEqual(enums.get(named), item.options, path)
  return 0
}

describe('vectors: schema', () => {
  it('has the verbs of the code, in the same order', () =>
    assert.deepEqual(enums.get('Verb'), VERBS))

  it('has the fields of the envelope', () => {
    const { envelope } = sampleEnvelope('NEED')
    assert.deepEqual(
      [...(structs.get('Envelope')?.keys() ?? [])].sort(),
      Object.keys(envelope).sort()
    )
    assert.ok(parseEnvelope(sampleEnvelope('NEED').bytes).ok)
  })

  for (const verb of VERBS) {
    it(`has the fields of ${verb}`, () =>
      assert.ok(compare(verb, payloads[verb] as unknown as Schema, verb) > 0))
  }

  it('has the kinds of facts', () => {
    const { item } = core(payloads.UPDATE_PLAN.entries.facts as unknown as Schema)
    const kinds = [...source.matchAll(/\| (Fact\w+) "(\w+)"/gu)]
    const options = (item as Schema).options as Schema[]
    assert.equal(kinds.length, options.length)
    options.forEach((option, i) => {
      const { kind, ...entries } = option.entries as Readonly<Record<string, Schema>>
      assert.equal((kind as unknown as { literal: string }).literal, kinds[i]?.[2])
      compare(kinds[i]?.[1] as string, { type: 'strict_object', entries }, `Fact.${kinds[i]?.[2]}`)
    })
  })
})
