// protocols/plan/vectors: changes, and the view, graph, heads and digest that every implementation must derive.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { decode as decodeDagJson } from '@ipld/dag-json'
import { toHex } from '../../src/core/base/index.ts'
import { type PlanChange, planState, viewDigest } from '../../src/core/plan/index.ts'

type PlanVector = {
  readonly name: string
  readonly changes: readonly PlanChange[]
  readonly view: unknown
  readonly graph: unknown
  readonly heads: readonly string[]
  readonly digest: string
}

const file = new URL('../../protocols/plan/vectors/plan.json', import.meta.url)
const vectors = decodeDagJson<readonly PlanVector[]>(readFileSync(file))

describe('vectors/plan', () => {
  it('has vectors', () => assert.ok(vectors.length > 0))

  for (const { name, changes, view, graph, heads, digest } of vectors) {
    it(`derives the same from ${name}, in any order`, () => {
      for (const order of [changes, [...changes].reverse()]) {
        const plan = planState(order)
        assert.deepEqual(plan.view(), view)
        assert.deepEqual(plan.graph(), graph)
        assert.deepEqual(plan.heads(), heads)
        assert.equal(toHex(viewDigest(plan.view())), digest)
      }
    })
  }
})
