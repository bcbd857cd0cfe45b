// protocols/plan/vectors/document.json: envelopes, and the Automerge changes and heads that every implementation must derive. Stock Automerge
// takes the changes and has the same heads.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as A from '@automerge/automerge'
import { PlanDocument } from '../../src/adapters/automerge/plan-document.ts'
import { fromHex, toHex } from '../../src/core/base/index.ts'
import { parseEnvelope } from '../../src/core/envelope/index.ts'
import { planEntryOf } from '../../src/core/plan/index.ts'

type DocumentVector = {
  readonly name: string
  readonly thread: string
  readonly envelopes: readonly string[]
  readonly changes: readonly string[]
  readonly heads: readonly string[]
}

const file = new URL('../../protocols/plan/vectors/document.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as DocumentVector[]

describe('vectors/plan-document', () => {
  it('has vectors', () => assert.ok(vectors.length > 0))

  for (const { name, thread, envelopes, changes, heads } of vectors) {
    it(`derives the same from ${name}, in any order`, () => {
      const entries = envelopes.map(hex => {
        const parsed = parseEnvelope(fromHex(hex))
        assert.ok(parsed.ok)
        const entry = planEntryOf(thread, parsed.value)
        assert.ok(entry !== null)
        return entry
      })
      for (const order of [entries, [...entries].reverse()]) {
        const document = new PlanDocument(thread)
        document.apply(order)
        assert.deepEqual(document.heads(), heads)
        const found = [...document.changes().keys()].map(hash => toHex(document.bytesOf(hash)))
        assert.deepEqual(found.sort(), [...changes].sort())
      }
    })

    it(`gives stock Automerge the heads of ${name}`, () => {
      const [doc] = A.applyChanges(A.init(), changes.map(fromHex) as A.Change[])
      assert.deepEqual([...A.getHeads(doc)].sort(), heads)
    })
  }
})
