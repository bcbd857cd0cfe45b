// Goal: nobody but the author of a sealed file chooses to do without the reader's second key. Method: manifests that name a key, a store that has its block or not.
import assert from 'node:assert/strict'
import { isKemAvailable } from '../../../src/adapters/sealed/index.ts'
import type { Admitted } from '../../../src/core/envelope/index.ts'
import { KEM_TAG, secondKeyOf } from '../../../src/node/second-key.ts'
import { CID_A, DID_A, DID_B } from '../../support/fake-handlers.ts'

const KEY = new Uint8Array(1184).fill(1)

describe('node/second-key', () => {
  function ask(tags: readonly string[], block: Uint8Array | null, did = DID_A) {
    const manifest = { envelope: { payload: { tags } } } as unknown as Admitted<'MANIFEST'>
    const fetched: string[] = []
    const getBlock = async (cid: string): Promise<Uint8Array> => {
      fetched.push(cid)
      if (block === null) throw new DOMException('not in 5 s', 'TimeoutError')
      return block
    }
    const parts = {
      swarm: { manifests: () => new Map([[DID_A, manifest]]) },
      artifacts: { getBlock }
    }
    return { key: secondKeyOf(parts, did), fetched }
  }

  it('is the block that the manifest names', async function () {
    if (!isKemAvailable) return this.skip()
    const { key, fetched } = ask(['fast', `${KEM_TAG}${CID_A}`], KEY)
    assert.deepEqual(await key, KEY)
    assert.deepEqual(fetched, [CID_A])
  })

  it('is none where no manifest is here, or it names none', async () => {
    assert.equal(await ask([`${KEM_TAG}${CID_A}`], KEY, DID_B).key, null)
    assert.equal(await ask(['fast'], KEY).key, null)
  })

  it('refuses to do without a key that is named and withheld, or named wrongly', async function () {
    if (!isKemAvailable) return this.skip()
    const refusal = { code: 'SEALED_KEY_ABSENT', message: /--classical/u }
    await assert.rejects(ask([`${KEM_TAG}${CID_A}`], null).key, refusal)
    await assert.rejects(ask([`${KEM_TAG}nonsense`], KEY).key, refusal)
  })
})
