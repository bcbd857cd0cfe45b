// Our set-up and evaluation of a policy beside OPA's own JavaScript SDK, which shares no code with them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as sdk from '@open-policy-agent/opa-wasm'
import { openWasm } from '../../../../src/adapters/opa/index.ts'
import type { PolicyInput } from '../../../../src/core/policy/index.ts'

const base = new URL('../../../../policies/base/', import.meta.url)
// The package's ESM entry has no named `loadPolicySync`, against its types.
const { loadPolicySync } = (sdk as unknown as { default: typeof sdk }).default
const read = (name: string): Buffer => readFileSync(new URL(name, base))

type Answer = { readonly allow: boolean; readonly reasons: readonly string[] }

describe('adapters/opa beside the SDK of OPA', () => {
  it('decides every vector of the base capsule alike', () => {
    const wasm = read('capsule.wasm')
    const { entrypoint, limits } = JSON.parse(read('policy.json').toString())
    const vectors: { name: string; input: PolicyInput }[] = JSON.parse(
      read('vectors.json').toString()
    )
    const ours = openWasm(wasm, { entrypoint, limits })
    assert.ok(ours.ok)
    const theirs = loadPolicySync(wasm)
    theirs.setData({})
    assert.ok(vectors.length >= 10)
    for (const { name, input } of vectors) {
      const [{ result }] = theirs.evaluate(input, entrypoint) as [{ result: Answer }]
      const { allow, reasons } = ours.value(input)
      assert.deepEqual({ allow, reasons }, { allow: result.allow, reasons: result.reasons }, name)
    }
  })
})
