// Goal: a stopped store keeps no process alive. Method: a real process that adds, stops, and has to end by itself.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

const here = (path: string): string =>
  JSON.stringify(new URL(`../../../../${path}`, import.meta.url).href)

describe('adapters/helia/process-end', () => {
  const folder = temporaryFolder()

  it('lets the process end after stop, also with a wait in flight', async () => {
    const program = `
      import { heliaArtifactStore } from ${here('src/adapters/helia/index.ts')}
      import { loopbackLibp2p } from ${here('test/support/loopback-libp2p.ts')}
      const logger = { error() {}, warn() {}, info() {}, debug() {} }
      const store = heliaArtifactStore({ libp2p: await loopbackLibp2p(), directory: ${JSON.stringify(folder.path)}, logger })
      await store.start()
      const { cid } = await store.addBytes(new Uint8Array(2_000_000), 'kept')
      const absent = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
      const waiting = store.getBlock(absent, { timeoutMs: 600_000 }).catch(error => error.code)
      await store.stop()
      console.log(await waiting)`
    const options = { timeout: 8_000 }
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      options
    )
    assert.equal(stdout.trim(), 'ARTIFACT_STORE_STOPPED')
  })
})
