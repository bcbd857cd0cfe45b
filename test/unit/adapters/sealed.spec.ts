/**
 * Goal: a sealed file is opened by its recipient and nobody else, and never in part without saying so. Method: files of sizes around the
 * pieces' are sealed, opened, and damaged.
 */
import { strict as assert } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { nodeSigner } from '../../../src/adapters/ed25519/index.ts'
import { PIECE_BYTES, TAG_BYTES } from '../../../src/adapters/sealed/format.ts'
import {
  isKemAvailable,
  openSealed,
  type SealKeys,
  sealKeys,
  sealTo
} from '../../../src/adapters/sealed/index.ts'
import { publicKeyOf, toMontgomery } from '../../../src/adapters/sealed/x25519.ts'
import { concat } from '../../../src/core/base/index.ts'
import { parseDid } from '../../../src/core/identity/index.ts'

const SEED = new Uint8Array(32).fill(7)
const { did } = nodeSigner(SEED)
const keys = sealKeys(SEED)

async function* parts(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const read: Uint8Array[] = []
  for await (const part of stream) read.push(part)
  return new Uint8Array(Buffer.concat(read))
}

const seal = (bytes: Uint8Array, kem: Uint8Array | null = null): Promise<Uint8Array> =>
  all(sealTo({ did, kem }, parts(bytes)))
const open = (bytes: Uint8Array, by: SealKeys = keys): Promise<Uint8Array> =>
  all(openSealed(by, parts(bytes)))

describe('adapters/sealed', () => {
  it('reads the X25519 key off the DID', () => {
    for (let i = 0; i < 20; i++) {
      const seed = new Uint8Array(randomBytes(32))
      const parsed = parseDid(nodeSigner(seed).did)
      assert(parsed.ok)
      assert.deepEqual(toMontgomery(parsed.value), publicKeyOf(sealKeys(seed).x25519))
    }
  })

  for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000])
    it(`gives ${size} bytes back, with one key and with two`, async () => {
      const text = new Uint8Array(randomBytes(size))
      assert.deepEqual(await open(await seal(text)), text)
      if (!isKemAvailable) return
      const sealed = await seal(text, keys.kem?.publicKey ?? null)
      assert(sealed.length > 1088 + size)
      assert.deepEqual(await open(sealed), text)
    })

  it('is opened by no other key', async () => {
    const sealed = await seal(new Uint8Array(10))
    const other = sealKeys(new Uint8Array(32).fill(8))
    await assert.rejects(open(sealed, other), { code: 'SEALED_FILE' })
    if (keys.kem === null || other.kem === null) return
    const hybrid = await seal(new Uint8Array(10), keys.kem.publicKey)
    await assert.rejects(open(hybrid, { ...keys, kem: other.kem }), { code: 'SEALED_FILE' })
    await assert.rejects(open(hybrid, { ...other, kem: keys.kem }), { code: 'SEALED_FILE' })
  })

  it('is refused with any byte changed, and cut anywhere', async () => {
    const sealed = await seal(new Uint8Array(randomBytes(140_000)), keys.kem?.publicKey ?? null)
    for (let at = 0; at < sealed.length; at += 997) {
      const changed = sealed.slice()
      changed[at] = (changed[at] as number) ^ 1
      await assert.rejects(open(changed), { code: 'SEALED_FILE' }, `byte ${at}`)
      await assert.rejects(open(sealed.slice(0, at)), { code: 'SEALED_FILE' }, `cut at ${at}`)
    }
    await assert.rejects(open(new Uint8Array([...sealed, 0])), { code: 'SEALED_FILE' })
  })

  it('is refused with any byte of its header changed, and any piece cut off, moved or said twice', async () => {
    const sealed = await seal(new Uint8Array(randomBytes(140_000)), keys.kem?.publicKey ?? null)
    const piece = PIECE_BYTES + TAG_BYTES
    const last = sealed.length - (140_000 - 2 * PIECE_BYTES) - TAG_BYTES
    const head = last - 2 * piece
    for (let at = 0; at < head; at++) {
      const changed = sealed.slice()
      changed[at] = (changed[at] as number) ^ 4
      await assert.rejects(open(changed), { code: 'SEALED_FILE' }, `byte ${at} of the header`)
    }
    const [header, one, two, end] = [0, head, head + piece, last].map((from, at, all) =>
      sealed.slice(from, all[at + 1])
    ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    assert.equal((await open(concat([header, one, two, end]))).length, 140_000)
    for (const parts of [
      [header],
      [header, one],
      [header, one, two],
      [header, two, one, end],
      [header, one, end],
      [header, one, one, end],
      [header, one, two, two, end]
    ])
      await assert.rejects(open(concat(parts)), { code: 'SEALED_FILE' })
  })

  it('is made for no name that is not a key', async () => {
    const to = (did: string, kem: Uint8Array | null): Promise<Uint8Array> =>
      all(sealTo({ did, kem }, parts(new Uint8Array(1))))
    await assert.rejects(to('did:key:nobody', null), { code: 'SEALED_RECIPIENT' })
    if (isKemAvailable)
      await assert.rejects(to(did, new Uint8Array(10)), { code: 'SEALED_RECIPIENT' })
  })
})
