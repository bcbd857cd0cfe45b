// Goal: a block in use is never removed, whatever the order of a call and a sweep. Method: the orders, one by one.
import assert from 'node:assert/strict'
import { blockKey } from '../../../../src/adapters/helia/cid.ts'
import { Holds } from '../../../../src/adapters/helia/holds.ts'
import { cidOf } from '../../../../src/core/codec/index.ts'
import { text } from '../../../contract/artifacts.ts'

describe('adapters/helia/holds', () => {
  const cid = cidOf(text('block'))
  const key = blockKey(cid)
  const never = async (): Promise<void> => assert.fail('removed')

  it('keeps a block while any of several calls holds it', async () => {
    const holds = new Holds()
    const [one, two] = [holds.open(null), holds.open(null)]
    for (const hold of [one, one, two]) await holds.touch(hold, cid)
    holds.close(one)
    assert.equal(await holds.removeUnheld(key, never), false)
    holds.close(two)
    holds.close(two)
    assert.equal(await holds.removeUnheld(key, async () => {}), true)
  })

  it('counts a call that ends during a sweep until the sweep ends', async () => {
    const holds = new Holds()
    const hold = holds.open(cid)
    await holds.touch(hold, cid)
    holds.beginSweep()
    holds.close(hold)
    assert.deepEqual(holds.roots(), [cid])
    assert.equal(await holds.removeUnheld(key, never), false)
    holds.endSweep()
    assert.deepEqual(holds.roots(), [])
    assert.equal(await holds.removeUnheld(key, async () => {}), true)
  })

  it('lets a call that touches a block wait for the removal that runs', async () => {
    const holds = new Holds()
    const order: string[] = []
    const removal = Promise.withResolvers<void>()
    const removing = holds.removeUnheld(key, () =>
      removal.promise.then(() => void order.push('removed'))
    )
    const touching = holds.touch(holds.open(null), cid).then(() => order.push('touched'))
    removal.resolve()
    await Promise.all([removing, touching])
    assert.deepEqual(order, ['removed', 'touched'])
  })

  it('passes the failure of a removal to the sweep and lets the call go on', async () => {
    const holds = new Holds()
    const removing = assert.rejects(
      holds.removeUnheld(key, async () => {
        throw new TypeError('disk')
      }),
      { message: 'disk' }
    )
    await holds.touch(holds.open(null), cid)
    await removing
  })
})
