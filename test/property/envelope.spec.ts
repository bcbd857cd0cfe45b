// Damaged envelopes: the door's stages never throw, and what they take encodes to the bytes that came.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cidOf, encode } from '../../src/core/codec/index.ts'
import {
  ENVELOPE_REFUSALS,
  parseEnvelope,
  signingBytes,
  VERBS
} from '../../src/core/envelope/index.ts'
import { verifyReference } from '../../src/core/identity/index.ts'
import { evaluationDigest, messageInput } from '../../src/core/policy/index.ts'
import { sampleEnvelope } from '../support/sample-envelopes.ts'

const samples = VERBS.map(verb => sampleEnvelope(verb))
const originals = new Set(samples.map(sample => sample.id))

const injured = fc
  .tuple(
    fc.constantFrom(...samples),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 })
  )
  .map(([{ bytes }, injuries]) => {
    const copy = Uint8Array.from(bytes)
    for (const [at, byte] of injuries) copy[at % copy.length] = byte
    return copy
  })

describe('property: envelope', () => {
  it('refuses damage by a known code, or takes it as another envelope whose signature does not hold', () => {
    const seen = { taken: 0, refused: 0 }
    fc.assert(
      fc.property(injured, bytes => {
        const parsed = parseEnvelope(bytes)
        seen[parsed.ok ? 'taken' : 'refused']++
        if (!parsed.ok) {
          assert.ok(parsed.refusal.code in ENVELOPE_REFUSALS, parsed.refusal.code)
          return
        }
        const { envelope, id } = parsed.value
        assert.deepEqual(encode(envelope), bytes)
        assert.equal(id, cidOf(bytes).toString())
        const decision = { allow: true, reasons: [], gas: 0 }
        evaluationDigest({
          input: messageInput(envelope),
          decision,
          capsule: '',
          engine: envelope.policyEngine
        })
        if (seen.taken % 20 !== 0 || originals.has(id)) return
        assert.equal(verifyReference(envelope.sender, signingBytes(envelope), envelope.sig), false)
      }),
      { numRuns: 4000 }
    )
    assert.ok(seen.taken > 200 && seen.refused > 200, `too one-sided: ${JSON.stringify(seen)}`)
  })
})
