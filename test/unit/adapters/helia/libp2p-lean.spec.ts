// Goal: the lean package stands in for the public one. Method: what Helia imports from it exists, nothing heavy is installed, a lent node keeps its life.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import * as lean from '@helia/libp2p'
import { createHeliaLight } from 'helia'
import { loopbackLibp2p } from '../../../support/loopback-libp2p.ts'

const modules = new URL('../../../../node_modules/', import.meta.url)

describe('adapters/helia/libp2p-lean', () => {
  it('is what the package name leads to, in the version range that Helia asks for', () => {
    const path = import.meta.resolve('@helia/libp2p')
    assert.match(path, /libp2p-lean\/index\.js$/)
    const wanted = JSON.parse(readFileSync(new URL('helia/package.json', modules), 'utf8')) as {
      dependencies: Record<string, string>
    }
    assert.match(wanted.dependencies['@helia/libp2p'] ?? '', /^\^2\./)
  })

  it('keeps WebRTC and react-native out of the installation', () => {
    for (const name of [
      '@libp2p/webrtc',
      'react-native',
      'react-native-webrtc',
      'node-datachannel'
    ]) {
      assert.ok(!existsSync(new URL(name, modules)), name)
    }
  })

  it('lends a node without starting or stopping it', async () => {
    const libp2p = await loopbackLibp2p()
    const helia = lean.withLibp2pLight(createHeliaLight(), libp2p)
    assert.equal(helia.libp2p, libp2p)
    assert.ok(helia.hasRouter('libp2p-router'))
    await helia.start()
    assert.equal(libp2p.status, 'stopped')
    await libp2p.start()
    await helia.stop()
    assert.equal(libp2p.status, 'started')
    await libp2p.stop()
  })

  it('says what it leaves out', () => {
    assert.throws(() => lean.withLibp2p(), { code: 'NOT_IN_LEAN_BUILD' })
    assert.throws(() => lean.libp2pDefaults(), { code: 'NOT_IN_LEAN_BUILD' })
  })
})
