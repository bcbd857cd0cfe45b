import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { PolicyInput } from '../../src/core/policy/index.ts'

const vectors: { input: PolicyInput }[] = JSON.parse(
  readFileSync(new URL('../../policies/base/vectors.json', import.meta.url), 'utf8')
)

/** Questions for the base capsule: those of its vectors, some of their parts replaced by any JSON. */
export const question: fc.Arbitrary<PolicyInput> = fc
  .constantFrom(...vectors.map(({ input }) => input))
  .chain(input => {
    const keys = Object.keys(input)
    const payload = typeof input['payload'] === 'object' ? (input['payload'] ?? {}) : {}
    const partOf = (names: readonly string[]) =>
      names.length === 0
        ? fc.constant({})
        : fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 3 })
    return fc
      .tuple(partOf(keys), partOf(Object.keys(payload)))
      .map(
        ([parts, inner]) =>
          ({ ...input, payload: { ...payload, ...inner }, ...parts }) as unknown as PolicyInput
      )
  })
