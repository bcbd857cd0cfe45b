// Goal: the journal stays small, nothing that binds is lost, and what was seen is not taken again after a restart (R20).
// Method: the driver over a scripted machine and a memory disk, with a low threshold.
import assert from 'node:assert/strict'
import { MemoryDisk } from '../../../src/adapters/memory/index.ts'
import type { JournalRecord } from '../../../src/core/swarm/index.ts'
import { decodeStored } from '../../../src/runtime/index.ts'
import { hello, persist, reasonOf, world } from '../../support/driver-world.ts'
import { envelopeOf, testSigner, until } from '../../support/virtual-world.ts'

const KEPT: JournalRecord = { type: 'abandoned', thread: 't', reason: 'kept', nowMs: 1 }

describe('runtime/compaction', () => {
  it('rewrites the journal as what the machine keeps when it has grown, and then at twice the size', async () => {
    const disk = new MemoryDisk()
    const w = world({ disk, compactBytesMin: 400 })
    w.machine.kept = [KEPT]
    w.machine.script = input => (input.kind === 'message' ? [persist(false)] : [])
    await w.driver.start()
    let rewrites = 0
    let before = 0
    for (let index = 0; index < 100; index++) {
      hello(w, 'did:key:a')
      const inputs = index + 1
      await until(() => w.machine.inputs.length === inputs && w.driver.stats().appends === inputs)
      if (disk.records.length < before) rewrites++
      before = disk.records.length
    }
    assert.ok(rewrites > 5, `${rewrites} rewrites`)
    assert.ok(disk.records.length < 12)
    assert.equal(reasonOf(disk.records[0] as Uint8Array), 'kept')
    await w.driver.stop()
    assert.deepEqual(w.fatal, [])
  })

  it('keeps the replay window: what was accepted is not taken again after a restart', async () => {
    const disk = new MemoryDisk()
    const first = world({ disk, compactBytesMin: 1 })
    const kept = envelopeOf(testSigner())
    const unkept = envelopeOf(testSigner())
    first.machine.script = input =>
      input.kind === 'envelope' && input.admitted.id === kept.id
        ? [
            {
              kind: 'persist',
              sync: true,
              records: [{ type: 'envelope', bytes: kept.bytes, atMs: input.nowMs }]
            }
          ]
        : []
    await first.driver.start()
    for (const { bytes } of [kept, unkept])
      assert.equal((await first.driver.door.admit(bytes, 'did:key:a', 'peer')).verdict, 'accept')
    await until(() => first.machine.inputs.length === 2)
    hello(first, 'did:key:a')
    await until(() => first.machine.inputs.length === 3)
    await first.driver.stop()
    const types = disk.records.map(bytes => {
      const record = decodeStored(bytes)
      return record.ok ? record.value.type : '?'
    })
    assert.deepEqual(types, ['seen'], 'the envelope itself is gone')
    const second = world({ disk })
    await second.driver.start()
    const again = await second.driver.door.admit(kept.bytes, 'did:key:b', 'peer')
    assert.equal(again.refusal?.code, 'REPLAYED')
    const other = await second.driver.door.admit(unkept.bytes, 'did:key:b', 'peer')
    assert.equal(other.verdict, 'accept', 'what the machine has not kept may come again')
    await second.driver.stop()
  })
})
