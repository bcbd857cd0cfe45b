// did:key has one text for one key.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { base58btc } from 'multiformats/bases/base58'
import { didFromPublicKey, formatDid, parseDid } from '../../../../src/core/identity/index.ts'

// Example of the did:key specification (Ed25519).
const DID = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

function refused(did: string): boolean {
  const parsed = parseDid(did)
  return !parsed.ok && parsed.refusal.code === 'BAD_DID'
}

describe('core/identity/did', () => {
  it('parses the example of the specification', () => {
    const parsed = parseDid(DID)
    assert.ok(parsed.ok)
    assert.equal(parsed.value.length, 32)
    assert.equal(formatDid(parsed.value), DID)
    assert.equal(didFromPublicKey(parsed.value), DID)
  })

  it('round-trips every 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), key => {
        assert.deepEqual(parseDid(formatDid(key)), { ok: true, value: key })
      })
    )
  })

  it('refuses every other text', () => {
    const other = (bytes: number[]): string => `did:key:${base58btc.encode(Uint8Array.from(bytes))}`
    const texts = [
      '',
      'did:key:',
      DID.slice(0, -1),
      `${DID}1`,
      ` ${DID}`,
      DID.replace('did:key', 'did:web'),
      DID.replace('z6Mk', 'Z6Mk'),
      DID.replace('z6Mk', 'z16Mk').slice(0, -1),
      DID.replace('doK', 'dO0'),
      `${DID.slice(0, 20)}é${DID.slice(21)}`,
      `did:key:m${Buffer.from([0xed, 1, ...new Array(32).fill(1)]).toString('base64')}`,
      other([0xed, 1, ...new Array(31).fill(255)]),
      other([0xec, 1, ...new Array(32).fill(1)]),
      other([0xe7, 1, ...new Array(33).fill(1)])
    ]
    for (const text of texts) assert.ok(refused(text), text)
  })
})
