// Goal: a tombstone comes out as it went in, binds its slot, and goes when its time has come. Method: examples, and hostile text.
import assert from 'node:assert/strict'
import { cidOf } from '../../../../src/core/codec/index.ts'
import type { Tombstone } from '../../../../src/core/swarm/index.ts'
import { Tombstones } from '../../../../src/core/swarm/tombstones.ts'

const DID = 'did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH'

function id(name: string): string {
  return cidOf(new TextEncoder().encode(name)).toString()
}

function tombstone(given: Partial<Tombstone> = {}): Tombstone {
  return {
    thread: id('thread'),
    slot: `${DID}/slot-1`,
    epoch: 2,
    decision: id('proposal'),
    phase: 'FINAL',
    until: 1_800_000_000_123,
    ...given
  }
}

describe('core/swarm/tombstones', () => {
  it('give back what was put in, whatever it is', () => {
    const samples = [
      tombstone(),
      tombstone({ thread: id('b'), epoch: null, decision: null, phase: 'EXPIRED', until: 0 }),
      tombstone({ thread: id('c'), epoch: 0, slot: `${DID}/слот ☃ \u0000/`, phase: 'INVALID' }),
      tombstone({ thread: 'no cid', decision: cidOf(new Uint8Array(1), 0x55).toString(), slot: '' })
    ]
    const tombstones = new Tombstones()
    for (const sample of samples) tombstones.add(sample)
    assert.deepEqual([...tombstones.all()], samples)
    for (const sample of samples) assert.deepEqual(tombstones.get(sample.thread), sample)
    assert.equal(tombstones.size, samples.length)
    assert.deepEqual(
      tombstones.newest(2),
      samples.slice(2).map(({ thread }) => thread)
    )
  })

  it('cover their slot up to the highest epoch, and no other', () => {
    const tombstones = new Tombstones()
    tombstones.add(tombstone({ thread: id('b'), epoch: 3 }))
    tombstones.add(tombstone())
    tombstones.add(tombstone({ thread: id('c'), slot: `${DID}/free`, epoch: null }))
    const { slot } = tombstone()
    assert.deepEqual(
      [0, 2, 3, 4].map(epoch => tombstones.covers(slot, epoch)),
      [true, true, true, false]
    )
    assert.equal(tombstones.covers(`${DID}/free`, 0), false)
    assert.equal(tombstones.covers(`${DID}/slot-2`, 0), false)
  })

  it('go when their time has come, and free their slot with the last of them', () => {
    const tombstones = new Tombstones()
    tombstones.add(tombstone({ until: 100, epoch: 1 }))
    tombstones.add(tombstone({ thread: id('b'), until: 200, epoch: 0 }))
    tombstones.prune(99)
    assert.equal(tombstones.size, 2)
    tombstones.prune(100)
    assert.equal(tombstones.has(id('thread')), false)
    assert.equal(tombstones.has(id('b')), true)
    assert.equal(tombstones.covers(tombstone().slot, 0), true)
    tombstones.prune(200)
    assert.equal(tombstones.size, 0)
    assert.equal(tombstones.covers(tombstone().slot, 0), false)
  })

  it('are not confused by text that is no id', () => {
    const tombstones = new Tombstones()
    tombstones.add(tombstone())
    for (const text of ['', 'x', 'bafyrei', '\u0000'.repeat(32), `${id('thread')} `])
      assert.equal(tombstones.has(text), false)
  })
})
