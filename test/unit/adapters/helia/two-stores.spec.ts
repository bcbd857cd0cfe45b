// Goal: artifacts travel between real nodes by CID alone, and nothing bad travels. Method: real libp2p over loopback, real files.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { heliaArtifactStore } from '../../../../src/adapters/helia/index.ts'
import { CID, cidOf } from '../../../../src/core/codec/index.ts'
import { ABSENT, all, text } from '../../../contract/artifacts.ts'
import { type HeliaWorld, heliaWorld, silent } from '../../../support/helia-world.ts'
import { loopbackLibp2p } from '../../../support/loopback-libp2p.ts'

const SOON = { timeoutMs: 300 }
const RAW = 0x55

describe('adapters/helia/two-stores', function () {
  // 20 MiB are encrypted, hashed and written for both sides in one thread: some 5 s of CPU time.
  this.timeout(120_000)
  let world: HeliaWorld
  beforeEach(async () => {
    world = await heliaWorld()
  })
  afterEach(() => world.dispose())

  /** Asks again until the DHT names somebody; the test's own timeout ends it. */
  const providerOf = async (
    store: { providers: (cid: string, o: { timeoutMs: number }) => Promise<readonly string[]> },
    cid: string
  ) => {
    for (;;) {
      const found = await store.providers(cid, { timeoutMs: 3_000 })
      if (found.length > 0) return found
    }
  }

  const blockFiles = (name: string): string[] => {
    const blocks = join(world.nodes.get(name)?.directory as string, 'blocks')
    return readdirSync(blocks, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.data'))
      .map(file => join(blocks, file))
  }

  it('fetches 20 MiB through the DHT from a node it never dialled', async () => {
    await world.store('hub')
    const [owner, reader] = [await world.store('owner'), await world.store('reader')]
    const bytes = randomBytes(20 * 1024 * 1024)
    const { cid } = await owner.addBytes(bytes, 'big')
    const ownerId = world.nodes.get('owner')?.libp2p.peerId.toString()
    assert.deepEqual(await providerOf(reader, cid), [ownerId])
    assert.deepEqual(await all(reader.cat(cid)), bytes)
  })

  it('announces what was added before any peer was there', async () => {
    const lonely = await world.store('lonely')
    const { cid } = await lonely.addBytes(text('early'), 'early')
    await world.store('hub')
    const late = await world.store('late')
    assert.equal((await providerOf(late, cid)).length, 1)
    assert.equal((await all(late.cat(cid))).toString(), 'early')
  })

  it('fetches what appears while it waits', async () => {
    const [store, other] = [await world.store('a'), await world.store('b')]
    const bytes = text('not here yet')
    const reading = store.getBlock(cidOf(bytes, RAW).toString(), { timeoutMs: 9_000 })
    await assert.rejects(store.getBlock(ABSENT, SOON), { code: 'ARTIFACT_NOT_FOUND' })
    await other.addBytes(bytes, null)
    assert.deepEqual(Buffer.from(await reading), Buffer.from(bytes))
  })

  it('waits as long as it was told when nobody has it, and not longer', async () => {
    const store = await world.store('a')
    await world.store('b')
    const started = performance.now()
    await assert.rejects(all(store.cat(ABSENT, { timeoutMs: 700 })), { code: 'ARTIFACT_NOT_FOUND' })
    const waited = performance.now() - started
    assert.ok(waited >= 690 && waited < 5_000, `${waited} ms`)
  })

  it('reads a CIDv0 as the CIDv1 that it equals', async () => {
    const store = await world.store('a')
    const { cid } = await store.addBytes(randomBytes(1_500_000), null)
    assert.equal(await store.has(CID.parse(cid).toV0().toString()), true)
  })

  it('neither reads nor serves a block that was damaged on disk, and heals it from a peer', async () => {
    const [store, other] = [await world.store('a'), await world.store('b')]
    const bytes = randomBytes(900_000)
    const { cid } = await store.addBytes(bytes, 'x')
    const [file] = blockFiles('a') as [string]
    const damaged = readFileSync(file)
    damaged.writeUInt8(damaged.readUInt8(7) ^ 1, 7)
    writeFileSync(file, damaged)
    await assert.rejects(other.readBytes(cid, { maxBytes: 1_000_000, ...SOON }), {
      code: 'ARTIFACT_NOT_FOUND'
    })
    writeFileSync(file, damaged)
    await assert.rejects(store.getBlock(cid, SOON), { code: 'ARTIFACT_NOT_FOUND' })
    assert.deepEqual(blockFiles('a'), [])
    await other.addBytes(bytes, 'y')
    assert.deepEqual(Buffer.from(await store.readBytes(cid, { maxBytes: 1_000_000 })), bytes)
  })

  it('repairs a damaged block when the same bytes are added again', async () => {
    const store = await world.store('a')
    const bytes = text('twice')
    const { cid } = await store.addBytes(bytes, null)
    writeFileSync(blockFiles('a')[0] as string, '')
    await store.addBytes(bytes, null)
    assert.equal((await all(store.cat(cid, SOON))).toString(), 'twice')
  })

  it('collects garbage during a fetch without losing a block of it', async () => {
    const [store, other] = [await world.store('a'), await world.store('b')]
    const bytes = randomBytes(12 * 1024 * 1024)
    const { cid } = await store.addBytes(bytes, 'x')
    const garbage = await other.addBytes(randomBytes(3_000_000), null)
    let done = false
    const pinning = other.pin(cid, 'copy').finally(() => {
      done = true
    })
    let removed = 0
    while (!done) removed += (await other.gc()).removed
    await pinning
    assert.equal(removed, 4)
    assert.deepEqual([await other.has(cid), await other.has(garbage.cid)], [true, false])
  })

  it('collects garbage while another call waits for a block that never comes', async () => {
    const store = await world.store('a')
    await store.addBytes(text('garbage'), null)
    const waiting = assert.rejects(store.getBlock(ABSENT, { timeoutMs: 60_000 }), {
      code: 'ARTIFACT_STORE_STOPPED'
    })
    assert.equal((await store.gc()).removed, 1)
    await store.stop()
    await waiting
  })

  it('stops at once during a fetch, leaves libp2p running, and starts again', async () => {
    const store = await world.store('a')
    const { cid } = await store.addBytes(text('kept'), 'kept')
    const waiting = assert.rejects(all(store.cat(ABSENT)), { code: 'ARTIFACT_STORE_STOPPED' })
    const started = performance.now()
    await store.stop()
    await waiting
    // The fetch would have gone on for a minute.
    assert.ok(performance.now() - started < 10_000)
    const libp2p = world.nodes.get('a')?.libp2p
    assert.equal(libp2p?.status, 'started')
    assert.deepEqual(
      libp2p?.getProtocols().filter(protocol => protocol.includes('bitswap')),
      []
    )
    await store.start()
    const other = await world.store('b')
    assert.equal((await all(other.cat(cid))).toString(), 'kept')
  })

  it('keeps pins and blocks when another process life opens the folder, and refuses a second owner', async () => {
    const store = await world.store('a')
    const { cid } = await store.addBytes(randomBytes(2_000_000), 'kept')
    const directory = world.nodes.get('a')?.directory as string
    const libp2p = await loopbackLibp2p()
    const heir = heliaArtifactStore({ libp2p, directory, logger: silent })
    await assert.rejects(heir.start(), { code: 'ARTIFACT_STORE_FAILED' })
    const pins = await store.pins()
    await store.stop()
    await heir.start()
    assert.equal(libp2p.status, 'stopped')
    assert.deepEqual(await heir.pins(), pins)
    assert.equal((await heir.readBytes(cid, { maxBytes: 2_000_000 })).length, 2_000_000)
    await heir.stop()
  })

  it('serves from a libp2p that is started after the store', async () => {
    const other = await world.store('b')
    const libp2p = await loopbackLibp2p()
    const early = heliaArtifactStore({
      libp2p,
      directory: join(world.folder, 'early'),
      logger: silent
    })
    await early.start()
    const { cid } = await early.addBytes(text('early bird'), null)
    await libp2p.start()
    await libp2p.dial(world.nodes.get('b')?.libp2p.getMultiaddrs() ?? [])
    assert.equal((await all(other.cat(cid))).toString(), 'early bird')
    await early.stop()
    await libp2p.stop()
  })
})
