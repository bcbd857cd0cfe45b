// Goal: blocks with right hashes and wrong contents cost little and end in a named error. Method: DAGs that no honest tool writes.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { readFile } from '../../../../src/adapters/helia/file-reader.ts'
import { BLOCK_READ_CONCURRENCY } from '../../../../src/adapters/helia/limits.ts'
import { type CID, cidOf } from '../../../../src/core/codec/index.ts'
import type { ArtifactStore } from '../../../../src/ports/index.ts'
import { all, putDagPb, putFolder, text } from '../../../contract/artifacts.ts'
import { type HeliaWorld, heliaWorld } from '../../../support/helia-world.ts'

const SOON = { timeoutMs: 300 }
const RAW = 0x55
const MALFORMED = { code: 'ARTIFACT_MALFORMED' }

function fileNode(parts: readonly CID[], sizes: readonly number[]): Uint8Array {
  const file = new UnixFS({ type: 'file', blockSizes: sizes.map(BigInt) })
  return dagPb.encode({
    Data: file.marshal(),
    Links: parts.map(Hash => ({ Name: '', Hash, Tsize: 1 }))
  })
}

describe('adapters/helia/hostile-dags', () => {
  let world: HeliaWorld
  let store: ArtifactStore
  let part: CID
  beforeEach(async () => {
    world = await heliaWorld()
    store = await world.store('a', { unplugged: true })
    part = cidOf(text('part'), RAW)
    await store.addBytes(text('part'), null)
  })
  afterEach(() => world.dispose())

  it('refuses a file whose parts have other sizes than it states', async () => {
    for (const size of [0, 3, 5, 2 ** 40]) {
      const cid = await putDagPb(store, fileNode([part, part], [4, size]))
      await assert.rejects(all(store.cat(cid.toString())), MALFORMED, `${size}`)
    }
    const uneven = await putDagPb(store, fileNode([part, part], [4]))
    await assert.rejects(all(store.cat(uneven.toString())), MALFORMED)
    const endless = await putDagPb(store, fileNode([part, part], [2 ** 53 - 1, 2 ** 53 - 1]))
    await assert.rejects(all(store.cat(endless.toString())), MALFORMED)
  })

  it('refuses bytes that are no UnixFS', async () => {
    const cid = await putDagPb(store, text('no protobuf'))
    await assert.rejects(all(store.cat(cid.toString())), MALFORMED)
    await assert.rejects(store.get(cid.toString(), join(world.folder, 'out')), MALFORMED)
    await assert.rejects(store.pin(cid.toString(), 'x'), MALFORMED)
    const bare = await putDagPb(store, dagPb.encode({ Links: [] }))
    await assert.rejects(all(store.cat(bare.toString())), MALFORMED)
  })

  it('refuses a folder inside a file, and a symbolic link inside a folder', async () => {
    const folder = await putFolder(store, [])
    const file = await putDagPb(store, fileNode([folder], [4]))
    await assert.rejects(all(store.cat(file.toString())), MALFORMED)
    const link = new UnixFS({ type: 'symlink', data: text('/etc/passwd') })
    const symlink = await putDagPb(store, dagPb.encode({ Data: link.marshal(), Links: [] }))
    const outer = await putFolder(store, [['link', symlink]])
    await assert.rejects(store.get(outer.toString(), join(world.folder, 'out')), {
      code: 'NOT_A_FILE'
    })
    assert.ok(!existsSync(join(world.folder, 'out')))
  })

  it('visits each block of a DAG once, however often it is linked', async () => {
    let cid = part
    for (let level = 0; level < 40; level++)
      cid = await putFolder(store, [
        ['a', cid],
        ['b', cid]
      ])
    await store.pin(cid.toString(), 'bomb')
    const car = await store.exportCar(cid.toString(), join(world.folder, 'bomb.car'))
    assert.equal(car.blocks, 41)
    assert.equal(await store.has(cid.toString()), true)
    assert.equal((await store.gc()).kept, 41)
    await store.unpin(cid.toString())
    assert.equal((await store.gc()).removed, 41)
  })

  it('refuses a file that claims terabytes before it reads them', async () => {
    let [cid, size] = [part, 4]
    for (let level = 0; level < 6; level++) {
      cid = await putDagPb(store, fileNode(Array(100).fill(cid), Array(100).fill(size)))
      size *= 100
    }
    await assert.rejects(store.readBytes(cid.toString(), { maxBytes: 1_000_000 }), {
      code: 'TOO_LARGE'
    })
    const tail = all(store.cat(cid.toString(), { offset: size - 6, length: 6 }))
    assert.equal((await tail).toString(), 'rtpart')
  })

  it('ends a read at a missing part without an unhandled rejection', async () => {
    const missing = cidOf(text('gone'), RAW)
    const inner = await putDagPb(store, fileNode([part, missing], [4, 4]))
    const outer = await putDagPb(store, fileNode([part, inner, missing, missing], [4, 8, 4, 4]))
    await assert.rejects(all(store.cat(outer.toString(), SOON)), { code: 'ARTIFACT_NOT_FOUND' })
  })

  it('reads at most a window of blocks ahead of a slow reader', async () => {
    const root = fileNode(Array(200).fill(part), Array(200).fill(4))
    let loads = 0
    const load = async (cid: CID): Promise<Uint8Array> => {
      loads += 1
      return cid.equals(part) ? text('part') : root
    }
    const reader = readFile(cidOf(root, 0x70), load, { start: 0, end: 800 })
    await reader.next()
    await reader.next()
    assert.ok(loads <= BLOCK_READ_CONCURRENCY + 2, `${loads} loads`)
    await reader.return(undefined)
  })
})
