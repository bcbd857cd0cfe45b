/**
 * Goal: proofs that logs were rewritten are kept, checked once, and take a bounded room, however many keys a stranger makes. Method: forks of several keys in a store
 * that counts what is read.
 */
import { strict as assert } from 'node:assert'
import { nodeSigner, nodeVerifier } from '../../../src/adapters/ed25519/index.ts'
import { utf8 } from '../../../src/core/base/index.ts'
import {
  type CheckpointFork,
  formatCheckpoint,
  formatNote,
  formatOrigin,
  originSignature
} from '../../../src/core/checkpoint/index.ts'
import { KeptForks } from '../../../src/history/kept-forks.ts'
import { MemoryKeyValues, NETWORK } from '../../support/history-room.ts'

describe('history: forks that are kept', () => {
  const real = nodeVerifier()

  function forkOf(key: number): { origin: string; fork: CheckpointFork } {
    const { did, sign } = nodeSigner(new Uint8Array(32).fill(key))
    const origin = formatOrigin(NETWORK, did)
    const [older, newer] = [1, 2].map(fill => {
      const root = new Uint8Array(32).fill(fill)
      const text = formatCheckpoint({ origin, size: 3n, root, extensions: [] })
      return formatNote({ text, signatures: [originSignature(origin, did, sign(utf8(text)))] })
    })
    assert(older !== undefined && newer !== undefined)
    return { origin, fork: { older, newer, prefix: null } }
  }

  function world(store = new MemoryKeyValues()) {
    let checks = 0
    const verify: typeof real = (...args) => {
      checks++
      return real(...args)
    }
    const witnessed = new Set<string>()
    const isWitnessed = async (origin: string): Promise<boolean> => witnessed.has(origin)
    const forks = new KeptForks({ store, max: 2, isWitnessed })
    return { store, forks, verify, witnessed, checked: () => checks }
  }

  it('are kept once for each log, and only where they convict it', async () => {
    const { store, forks, verify } = world()
    const { origin, fork } = forkOf(1)
    assert.equal(await forks.keep('can-swarm/test/another', fork, verify), false)
    const agrees = { ...fork, newer: fork.older }
    assert.equal(await forks.keep(origin, agrees, verify), false)
    assert.equal(await forks.has(origin, verify), false)
    assert(await forks.keep(origin, fork, verify))
    assert.equal(
      await forks.keep(origin, { ...fork, older: fork.newer, newer: fork.older }, verify),
      false
    )
    assert.equal((await forks.all()).length, 1)
    assert(await world(store).forks.has(origin, verify), 'also after a restart')
  })

  it('are checked once', async () => {
    const first = world()
    const { origin, fork } = forkOf(1)
    await first.forks.keep(origin, fork, first.verify)
    const { forks, verify, checked } = world(first.store)
    await forks.has(origin, verify)
    const once = checked()
    for (const other of [origin, 'another', origin]) await forks.has(other, verify)
    assert.equal(checked(), once)
  })

  it('are so many of logs that were never witnessed here; of further ones it is known', async () => {
    const { store, forks, verify, witnessed } = world()
    const all = [1, 2, 3, 4].map(forkOf)
    for (const { origin, fork } of all.slice(0, 3)) await forks.keep(origin, fork, verify)
    assert.equal(store.map.size, 2)
    for (const { origin } of all.slice(0, 3)) assert(await forks.has(origin, verify))
    const last = all[3]
    assert(last !== undefined)
    witnessed.add(last.origin)
    assert(await forks.keep(last.origin, last.fork, verify), 'there is room for one that is')
    assert.equal(store.map.size, 3)
  })
})
