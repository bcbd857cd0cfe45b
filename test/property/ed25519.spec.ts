// Two implementations of one rule (R3) on random and damaged signatures: they never differ.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { nodeSigner, nodeVerifiers } from '../../src/adapters/ed25519/index.ts'
import { formatDid, parseDid, verifyReference } from '../../src/core/identity/index.ts'

const { verify: fast, verifyAside } = nodeVerifiers({ keysMax: 8 })
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** Flips one bit of a copy. */
function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = (bit >> 3) % copy.length
  copy[at] = (copy[at] as number) ^ (1 << (bit & 7))
  return copy
}

function same(did: string, message: Uint8Array, signature: Uint8Array): boolean {
  const reference = verifyReference(did, message, signature)
  assert.equal(fast(did, message, signature), reference)
  return reference
}

describe('property: ed25519', () => {
  it('agree on signatures, whole and damaged, in other threads', async () => {
    await fc.assert(
      fc.asyncProperty(
        bytes32,
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(511),
        async (seed, message, bit) => {
          const { did, sign } = nodeSigner(seed)
          for (const signature of [sign(message), flip(sign(message), bit)])
            assert.equal(await verifyAside(did, message, signature), same(did, message, signature))
        }
      ),
      { numRuns: 40 }
    )
  }).timeout(20_000)

  it('agree on signatures, whole and damaged', () => {
    fc.assert(
      fc.property(
        bytes32,
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(511),
        fc.nat(255),
        (seed, message, bit, keyBit) => {
          const signer = nodeSigner(seed)
          const signature = signer.sign(message)
          assert.ok(same(signer.did, message, signature))
          assert.ok(!same(signer.did, message, flip(signature, bit)))
          const key = parseDid(signer.did)
          assert.ok(key.ok)
          assert.ok(!same(formatDid(flip(key.value, keyBit)), message, signature))
          assert.ok(!same(signer.did, Uint8Array.from([...message, 0]), signature))
        }
      ),
      { numRuns: 120 }
    )
  }).timeout(20_000)

  it('agree on arbitrary keys and signatures', () => {
    fc.assert(
      fc.property(bytes32, fc.uint8Array({ minLength: 64, maxLength: 64 }), (key, signature) => {
        same(formatDid(key), new Uint8Array(), signature)
      }),
      { numRuns: 300 }
    )
  }).timeout(20_000)
})
