// Goal: remembering changes no answer, and is bounded. Method: a counting verifier behind it, and every change of a good triple.
import assert from 'node:assert/strict'
import {
  nodeSigner,
  nodeVerifiers,
  rememberingVerifiers
} from '../../../../src/adapters/ed25519/index.ts'

function counting(max?: number) {
  const { verify, verifyAside } = nodeVerifiers()
  const counts = { calls: 0 }
  const count =
    <A extends unknown[], R>(look: (...triple: A) => R) =>
    (...triple: A): R => {
      counts.calls += 1
      return look(...triple)
    }
  const verifiers = rememberingVerifiers(
    { verify: count(verify), verifyAside: count(verifyAside) },
    max === undefined ? {} : { max }
  )
  return { counts, verifiers, verify: verifiers.verify }
}

const signer = nodeSigner(new Uint8Array(32).fill(7))
const BYTES = Uint8Array.of(1, 2, 3)

describe('adapters/ed25519: the remembering verifier', () => {
  it('looks at a good signature once, and at a bad one each time', () => {
    const { counts, verify } = counting()
    const good = signer.sign(BYTES)
    assert.deepEqual(
      [1, 2, 3].map(() => verify(signer.did, BYTES, good)),
      [true, true, true]
    )
    assert.equal(counts.calls, 1)
    const bad = good.slice()
    bad[40] = (bad[40] as number) ^ 1
    assert.deepEqual(
      [1, 2].map(() => verify(signer.did, BYTES, bad)),
      [false, false]
    )
    assert.equal(counts.calls, 3)
  })

  it('takes a signature for no other signer, no other bytes and no other cut of the same bytes', () => {
    const { verify } = counting()
    const good = signer.sign(BYTES)
    assert(verify(signer.did, BYTES, good))
    const other = nodeSigner(new Uint8Array(32).fill(8))
    assert(!verify(other.did, BYTES, good))
    assert(!verify(signer.did, Uint8Array.of(1, 2, 3, 0), good))
    assert(!verify(signer.did, BYTES.subarray(1), Uint8Array.of(...good, 1)))
  })

  it('knows by one way what it has looked at by the other, and gives the same answers by both', async () => {
    const { counts, verifiers } = counting()
    const good = signer.sign(BYTES)
    const bad = signer.sign(Uint8Array.of(4))
    assert.equal(await verifiers.verifyAside(signer.did, BYTES, good), true)
    assert.equal(verifiers.verify(signer.did, BYTES, good), true)
    assert.equal(counts.calls, 1)
    assert.equal(await verifiers.verifyAside(signer.did, BYTES, bad), false)
    assert.equal(verifiers.verify(signer.did, BYTES, bad), false)
    assert.equal(counts.calls, 3)
  })

  it('forgets the one that was met longest ago', () => {
    const { counts, verify } = counting(2)
    const all = [1, 2, 3].map(value => {
      const bytes = Uint8Array.of(value)
      return { bytes, sig: signer.sign(bytes) }
    })
    for (const { bytes, sig } of all) verify(signer.did, bytes, sig)
    assert.equal(counts.calls, 3)
    const [first, , third] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]]
    verify(signer.did, third.bytes, third.sig)
    assert.equal(counts.calls, 3)
    verify(signer.did, first.bytes, first.sig)
    assert.equal(counts.calls, 4)
  })
})
