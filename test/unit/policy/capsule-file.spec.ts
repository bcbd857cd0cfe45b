// A capsule as a file: what was written is read, and nothing else is taken for one.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as CarBufferWriter from '@ipld/car/buffer-writer'
import { CID, cidOf, encode } from '../../../src/core/codec/index.ts'
import {
  type CapsuleDag,
  decodeCapsuleFile,
  encodeCapsuleFile,
  gatherCapsule,
  readCapsuleFile,
  shippedCapsule,
  writeCapsuleFile
} from '../../../src/policy/index.ts'
import { alteredCapsule } from '../../support/sample-capsules.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

function car(
  roots: readonly string[],
  blocks: Iterable<readonly [string, Uint8Array]>
): Uint8Array {
  const header = { roots: roots.map(root => CID.parse(root)) }
  const writer = CarBufferWriter.createWriter(new ArrayBuffer(2 ** 22), header)
  for (const [cid, bytes] of blocks) writer.write({ cid: CID.parse(cid), bytes })
  return writer.close({ resize: true })
}

describe('policy/capsule file', () => {
  const folder = temporaryFolder()
  let base: CapsuleDag
  before(async () => {
    base = await shippedCapsule()
  })
  const decode = (bytes: Uint8Array): Promise<CapsuleDag> => decodeCapsuleFile(bytes, 'it')

  it('comes back as it was, with sources that a person can read', async () => {
    const path = join(folder.path, 'base.car')
    await writeCapsuleFile(path, base)
    const { capsule, sources, blocks } = await readCapsuleFile(path)
    assert.equal(capsule.cid, base.capsule.cid)
    assert.deepEqual([...blocks], [...base.blocks])
    assert.deepEqual(sources, base.sources)
    assert.match(sources[0]?.text ?? '', /^package base/u)
    assert.deepEqual(encodeCapsuleFile({ capsule, sources, blocks }), encodeCapsuleFile(base))
  })

  it('is refused when a byte is another, wherever it stands', async () => {
    const bytes = encodeCapsuleFile(base)
    for (let at = 8; at < bytes.length; at += 9973) {
      const other = bytes.slice()
      other[at] = (other[at] as number) ^ 1
      await assert.rejects(decode(other), error =>
        ['CAPSULE_FILE', 'CAPSULE_REFUSED'].includes((error as { code: string }).code)
      )
    }
  })

  it('is refused when it is cut, empty, no CAR, or lacks a part', async () => {
    const bytes = encodeCapsuleFile(base)
    const refused = { code: 'CAPSULE_FILE' }
    for (const length of [0, 1, 50, bytes.length - 1])
      await assert.rejects(decode(bytes.slice(0, length)), refused, String(length))
    await assert.rejects(decode(new TextEncoder().encode('package base')), refused)
    const { cid } = base.capsule
    for (const missing of base.blocks.keys()) {
      const others = [...base.blocks].filter(([name]) => name !== missing)
      await assert.rejects(decode(car([cid], others)), refused, missing)
    }
    await assert.rejects(decode(car([], base.blocks)), refused)
    await assert.rejects(decode(car([cid, cid], base.blocks)), refused)
  })

  it('is refused when its root is no capsule', async () => {
    const note = encode({ note: 'hello' })
    const noteCid = cidOf(note).toString()
    await assert.rejects(decode(car([noteCid], [[noteCid, note]])), { code: 'CAPSULE_REFUSED' })
    const raw = cidOf(note, 0x55).toString()
    await assert.rejects(decode(car([raw], [[raw, note]])), { code: 'CAPSULE_REFUSED' })
  })

  it('is refused when the file is too large, a folder, or not there', async () => {
    const refused = { code: 'CAPSULE_FILE' }
    const large = join(folder.path, 'large.car')
    writeFileSync(large, new Uint8Array(3 * 1024 * 1024 + 1))
    await assert.rejects(readCapsuleFile(large), /larger than/u)
    await assert.rejects(readCapsuleFile(folder.path), refused)
    await assert.rejects(readCapsuleFile(join(folder.path, 'nothing')), refused)
    await assert.rejects(writeCapsuleFile(join(folder.path, 'no', 'such'), base), refused)
  })

  it('asks for no part before what links to it was checked', async () => {
    const other = await alteredCapsule(() => ({ name: 'other' }))
    const asked: string[] = []
    const load = (bytes: Uint8Array) => (cid: string) => {
      asked.push(cid)
      return bytes
    }
    const refused = { code: 'CAPSULE_REFUSED' }
    await assert.rejects(gatherCapsule(other.capsule.cid, load(new Uint8Array(9))), refused)
    await assert.rejects(gatherCapsule(other.capsule.cid, load(new Uint8Array(2 ** 20))), refused)
    assert.deepEqual(asked, [other.capsule.cid, other.capsule.cid])
    await assert.rejects(gatherCapsule('hello', load(new Uint8Array())), refused)
    assert.equal(asked.length, 2)
  })

  it('has sources of a bounded size, each of them text', async () => {
    const source = (bytes: Uint8Array) => ({
      block: encode({
        ...base.capsule.manifest,
        sources: [{ path: 'base/x.rego', source: cidOf(bytes, 0x55) }]
      }),
      bytes
    })
    for (const bytes of [new Uint8Array(1024 * 1024 + 1), Uint8Array.of(0xff, 0xfe)]) {
      const { block } = source(bytes)
      const parts = new Map(base.blocks)
      parts.set(cidOf(block).toString(), block)
      parts.set(cidOf(bytes, 0x55).toString(), bytes)
      await assert.rejects(
        gatherCapsule(cidOf(block).toString(), cid => parts.get(cid) ?? new Uint8Array()),
        { code: 'CAPSULE_REFUSED' }
      )
    }
  })
})
