// Goal: what a call reads between mark and sweep stays. Method: a block list that lets the call run first.
import assert from 'node:assert/strict'
import type { Helia } from '@helia/interface'
import { collectGarbage } from '../../../../src/adapters/helia/garbage.ts'
import { Holds } from '../../../../src/adapters/helia/holds.ts'
import { Operation } from '../../../../src/adapters/helia/operation.ts'
import { VerifiedBlocks } from '../../../../src/adapters/helia/verified-blocks.ts'
import { cidOf } from '../../../../src/core/codec/index.ts'
import { text } from '../../../contract/artifacts.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

class InterruptedBlocks extends VerifiedBlocks {
  beforeList: () => Promise<unknown> = async () => {}

  override async *list(): ReturnType<VerifiedBlocks['list']> {
    await this.beforeList()
    yield* super.list()
  }
}

describe('adapters/helia/garbage', () => {
  const folder = temporaryFolder()
  const [read, written, loose] = ['read', 'written', 'loose'].map(name => cidOf(text(name)))

  it('keeps blocks that a call reads or writes after the mark', async () => {
    assert.ok(read && written && loose)
    const blocks = new InterruptedBlocks(folder.path, () => {})
    const holds = new Holds()
    // As much of Helia as an operation uses.
    const helia = { blockstore: blocks } as unknown as Helia
    const operation = new Operation(
      { helia, blocks, holds },
      { root: null, timeoutMs: 1000, signals: [] }
    )
    await blocks.put(read, text('read'))
    await blocks.put(loose, text('loose'))
    blocks.beforeList = async () => {
      await operation.load(read)
      await operation.store(written, text('written'))
    }
    assert.deepEqual(await collectGarbage(blocks, holds, async () => []), {
      removed: 1,
      bytes: 5,
      kept: 2
    })
    operation.close()
    blocks.beforeList = async () => {}
    assert.equal((await collectGarbage(blocks, holds, async () => [])).removed, 2)
  })
})
