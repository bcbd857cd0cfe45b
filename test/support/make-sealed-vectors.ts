/**
 * Writes protocols/record/vectors/sealed.json: `node test/support/make-sealed-vectors.ts mlkem_768_test.json`, the file being the one of
 * Wycheproof (C2SP/wycheproof, testvectors_v1). Sealing draws fresh keys, so each run writes other files of the same meaning: run it when the format changes only.
 */
import { strict as assert } from 'node:assert'
import { readFileSync, writeFileSync } from 'node:fs'
import { nodeSigner } from '../../src/adapters/ed25519/index.ts'
import { isKemAvailable, sealKeys, sealTo } from '../../src/adapters/sealed/index.ts'
import { toHex, utf8 } from '../../src/core/base/index.ts'

const TARGET = new URL('../../protocols/record/vectors/sealed.json', import.meta.url)
const TEXT = 'what only one node may read\n'

/** Sections 5.2 and 6.1 of RFC 7748. */
const X25519 = [
  {
    source: 'RFC 7748, 5.2',
    secret: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    publicKey: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    shared: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'
  },
  {
    source: 'RFC 7748, 6.1',
    secret: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    publicKey: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'
  }
]

type Wycheproof = {
  readonly testGroups: readonly {
    readonly source: { readonly name: string }
    readonly tests: readonly Readonly<
      Record<'tcId' | 'seed' | 'ek' | 'c' | 'K' | 'result', string>
    >[]
  }[]
}

/** The first sound tests of each group: of FIPS 203, and one whose ciphertext is refused by another secret. */
function kemVectors(path: string): object[] {
  const { testGroups } = JSON.parse(readFileSync(path, 'utf8')) as Wycheproof
  return testGroups.flatMap(({ source, tests }) =>
    tests
      .filter(({ result }) => result === 'valid')
      .slice(0, 2)
      .map(({ tcId, seed, ek, c, K }) => ({
        source: `Wycheproof, mlkem_768_test.json, ${source.name}, test ${tcId}`,
        seed,
        publicKey: ek,
        ciphertext: c,
        secret: K
      }))
  )
}

async function sealed(seed: Uint8Array, kem: Uint8Array | null, text: string): Promise<string> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield utf8(text)
  }
  const parts: Uint8Array[] = []
  for await (const part of sealTo({ did: nodeSigner(seed).did, kem }, source())) parts.push(part)
  return Buffer.concat(parts).toString('base64')
}

const [path] = process.argv.slice(2)
assert(path !== undefined, 'give the file of Wycheproof')
assert(isKemAvailable, 'this needs a Node with ML-KEM')
const seed = new Uint8Array(32).fill(7)
const { kem } = sealKeys(seed)
assert(kem !== null)
const own = { seed: toHex(seed), did: nodeSigner(seed).did, text: TEXT }
const one = await sealed(seed, null, TEXT)
const two = await sealed(seed, kem.publicKey, TEXT)
const stranger = new Uint8Array(32).fill(8)
const flipped = (base64: string, at: number): string => {
  const bytes = Buffer.from(base64, 'base64')
  bytes[at] = (bytes.at(at) as number) ^ 1
  return bytes.toString('base64')
}
const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64')
const invalid = [
  { name: 'sealed to another', file: await sealed(stranger, null, TEXT) },
  { name: 'its magic changed', file: flipped(one, 3) },
  { name: 'the name of the reader changed', file: flipped(one, 40) },
  { name: 'its text changed', file: flipped(one, bytesOf(one).length - 20) },
  { name: 'its tag changed', file: flipped(one, bytesOf(one).length - 1) },
  { name: 'cut', file: bytesOf(one).subarray(0, -1).toString('base64') },
  {
    name: 'more after its end',
    file: Buffer.concat([bytesOf(one), Buffer.of(0)]).toString('base64')
  },
  { name: 'its second ciphertext changed', file: flipped(two, 400) }
]
const vectors = {
  x25519: X25519,
  mlkem768: kemVectors(path),
  keys: [
    {
      ...own,
      text: undefined,
      x25519: toHex(sealKeys(seed).x25519),
      kemSeed: toHex(kem.seed),
      kemPublicKey: toHex(kem.publicKey)
    }
  ],
  valid: [
    { name: 'one key', ...own, file: one },
    { name: 'two keys', ...own, file: two },
    { name: 'nothing in it', ...own, text: '', file: await sealed(seed, kem.publicKey, '') }
  ],
  invalid: invalid.map(vector => ({ seed: own.seed, ...vector }))
}
writeFileSync(TARGET, `${JSON.stringify(vectors, null, 2)}\n`)
