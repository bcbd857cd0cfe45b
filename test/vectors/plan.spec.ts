// protocols/plan/vectors: changes, and the view, graph and digest that every implementation must derive.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { decode as decodeDagJson } from '@ipld/dag-json'
import { toHex } from '../../src/core/base/index.ts'
import { type PlanChange, planDigest, planGraph, planView } from '../../src/core/plan/index.ts'

type PlanVector = {
  readonly name: string
  readonly changes: readonly PlanChange[]
  readonly view: unknown
  readonly graph: unknown
  readonly digest: string
}

const file = new URL('../../protocols/plan/vectors/plan.json', import.meta.url)
const vectors = decodeDagJson<readonly PlanVector[]>(readFileSync(file))

describe('vectors/plan', () => {
  it('has vectors', () => assert.ok(vectors.length > 0))

  for (const { name, changes, view, graph, digest } of vectors) {
    it(`derives the same from ${name}, in any order`, () => {
      for (const order of [changes, [...changes].reverse()]) {
        assert.deepEqual(planView(order), view)
        assert.deepEqual(planGraph(planView(order)), graph)
        assert.equal(toHex(planDigest(order)), digest)
      }
    })
  }
})
