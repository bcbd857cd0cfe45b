// protocols/record/vectors/sealed.json: the key agreements of others' standards, and sealed files of ours, against src/adapters/sealed.
// Nothing here writes the file.
import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { nodeSigner } from '../../src/adapters/ed25519/index.ts'
import { isKemAvailable, openSealed, sealKeys } from '../../src/adapters/sealed/index.ts'
import { decapsulateWith, encapsulateTo, kemPublicKey } from '../../src/adapters/sealed/kem.ts'
import { agree, publicKeyOf, toMontgomery } from '../../src/adapters/sealed/x25519.ts'
import { fromHex, toHex } from '../../src/core/base/index.ts'
import { parseDid } from '../../src/core/identity/index.ts'

type Texts<Name extends string> = readonly Readonly<Record<Name, string>>[]
const vectors = JSON.parse(
  readFileSync(new URL('../../protocols/record/vectors/sealed.json', import.meta.url), 'utf8')
) as {
  x25519: Texts<'source' | 'secret' | 'publicKey' | 'shared'>
  mlkem768: Texts<'source' | 'seed' | 'publicKey' | 'ciphertext' | 'secret'>
  keys: Texts<'seed' | 'did' | 'x25519' | 'kemSeed' | 'kemPublicKey'>
  valid: Texts<'name' | 'seed' | 'did' | 'text' | 'file'>
  invalid: Texts<'name' | 'seed' | 'file'>
}

async function opened(seed: string, file: string): Promise<string> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(Buffer.from(file, 'base64'))
  }
  const parts: Uint8Array[] = []
  for await (const part of openSealed(sealKeys(fromHex(seed)), source())) parts.push(part)
  return Buffer.concat(parts).toString()
}

describe('vectors/sealed', () => {
  it('has vectors', () => {
    assert(vectors.x25519.length >= 2 && vectors.mlkem768.length >= 3)
    assert(vectors.valid.length >= 3 && vectors.invalid.length >= 8)
  })

  for (const { source, secret, publicKey, shared } of vectors.x25519)
    it(`agrees as X25519 does: ${source}`, () =>
      assert.equal(toHex(agree(fromHex(secret), fromHex(publicKey))), shared))

  for (const { source, seed, publicKey, ciphertext, secret } of vectors.mlkem768)
    it(`has the keys and secrets of ML-KEM-768: ${source}`, function () {
      if (!isKemAvailable) return this.skip()
      assert.equal(toHex(kemPublicKey(fromHex(seed))), publicKey)
      assert.equal(toHex(decapsulateWith(fromHex(seed), fromHex(ciphertext))), secret)
      const fresh = encapsulateTo(fromHex(publicKey))
      assert.deepEqual(decapsulateWith(fromHex(seed), fresh.ciphertext), fresh.secret)
    })

  for (const { seed, did, x25519, kemSeed, kemPublicKey: second } of vectors.keys)
    it(`derives the keys of ${did}`, () => {
      const keys = sealKeys(fromHex(seed))
      assert.equal(nodeSigner(fromHex(seed)).did, did)
      assert.equal(toHex(keys.x25519), x25519)
      const parsed = parseDid(did)
      assert(parsed.ok)
      assert.deepEqual(toMontgomery(parsed.value), publicKeyOf(fromHex(x25519)))
      if (keys.kem === null) return
      assert.deepEqual([toHex(keys.kem.seed), toHex(keys.kem.publicKey)], [kemSeed, second])
    })

  for (const { name, seed, text, file } of vectors.valid)
    it(`opens a file with ${name}`, async function () {
      const isHybrid = Buffer.from(file, 'base64').length > 1_000
      if (isHybrid && !isKemAvailable) return this.skip()
      assert.equal(await opened(seed, file), text)
    })

  for (const { name, seed, file } of vectors.invalid)
    it(`refuses a file that is ${name}`, () =>
      assert.rejects(opened(seed, file), { code: 'SEALED_FILE' }))
})
