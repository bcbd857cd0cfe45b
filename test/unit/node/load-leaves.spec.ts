/**
 * Goal: what a newcomer loads closes every slot, however much it is, and never ends the node; what does not fit is told. Method: tens of thousands of leaves through
 * the real core behind its driver, onto disks in memory, and a start from those.
 */
import assert from 'node:assert/strict'
import { MemoryDisk, memoryArchive, memoryJournal } from '../../../src/adapters/memory/index.ts'
import { ok, refuse, utf8 } from '../../../src/core/base/index.ts'
import { cidOf, hash } from '../../../src/core/codec/index.ts'
import type { Leaf } from '../../../src/core/history/index.ts'
import type { Command } from '../../../src/core/swarm/index.ts'
import { loadLeaves } from '../../../src/node/load-leaves.ts'
import { newcomerCore } from '../../support/newcomer-core.ts'
import { testKeys } from '../../support/swarm-cluster.ts'

const NOW_MS = 1_800_000_000_000
const DAY_MS = 86_400_000
const ORIGIN = 'can-swarm/test/somebody'

function leafOf(at: number): Leaf {
  return {
    need: cidOf(utf8(`need ${at}`)),
    requester: testKeys(1).did,
    slot: `slot-${at}`,
    task: 'text/upper',
    epoch: 0,
    result: 'FINAL',
    reason: '',
    proposal: cidOf(utf8(`proposal ${at}`)),
    outcome: hash(utf8(String(at))),
    expiresAt: NOW_MS + DAY_MS,
    notAfter: NOW_MS + DAY_MS,
    stamp: NOW_MS
  }
}

describe('node/load leaves', function () {
  this.timeout(120_000)

  it('keeps tens of thousands of ends, in parts, for good', async () => {
    const count = 30_000
    const leaves = Array.from({ length: count }, (_, at) => leafOf(at))
    const disk = new MemoryDisk()
    const archive = memoryArchive()
    const core = () => newcomerCore({ journal: memoryJournal(disk), archive, nowMs: NOW_MS })
    const { driver, swarm, fatal } = await core()
    let largest = 0
    const watched = {
      command: (command: Command) => {
        if (command.type === 'know-ends') largest = Math.max(largest, command.ends.length)
        return driver.command(command)
      }
    }
    await loadLeaves({ driver: watched, archive }, leaves, ORIGIN)
    await loadLeaves({ driver: watched, archive }, leaves, ORIGIN)
    assert.deepEqual([fatal, swarm.tombstoneCount(), archive.count()], [[], count, count])
    assert.ok(largest <= 4_096, 'the node serves in between')
    await driver.stop()
    const again = await core()
    assert.equal(again.swarm.tombstoneCount(), count)
    const last = leafOf(count - 1)
    assert.equal(
      again.swarm.tombstone(last.need.toString())?.slot,
      `${last.requester}/${last.slot}`
    )
    await again.driver.stop()
  })

  const answering = (answer: Awaited<ReturnType<typeof refuse>> | ReturnType<typeof ok>) => ({
    driver: { command: async () => answer },
    archive: memoryArchive()
  })

  it('fails when ends were left out, or cannot be kept', async () => {
    const leaves = [leafOf(1), leafOf(2)]
    await assert.rejects(loadLeaves(answering(ok({ known: 1, left: 1 })), leaves, ORIGIN), {
      code: 'SYNC_FAILED',
      message: /no room for all ends in .*: slots of at least 1 of/u
    })
    await assert.rejects(loadLeaves(answering(refuse('END_SHAPE', 'more')), leaves, ORIGIN), {
      code: 'SYNC_FAILED'
    })
    await assert.rejects(loadLeaves(answering(refuse('STOPPED', 'it stops')), leaves, ORIGIN), {
      name: 'AbortError'
    })
  })
})
