// Goal: node and client find the same socket, also where a home's path is too long for one.
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { SOCKET_PATH_BYTES_MAX, socketPath } from '../../../src/config/index.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('config/socket-path', () => {
  const folder = temporaryFolder()

  it('lies in the home when the path is short', () => {
    assert.equal(socketPath('/srv/node', {}), '/srv/node/node.sock')
  })

  it('leaves a long home for a short folder of its own', () => {
    const home = `/srv/${'x'.repeat(120)}`
    const path = socketPath(home, { XDG_RUNTIME_DIR: '/run/user/1000' })
    assert.match(path, /^\/run\/user\/1000\/can-swarm-[0-9a-f]{24}\/node\.sock$/u)
    assert.ok(Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX)
    assert.notEqual(path, socketPath(`${home}y`, { XDG_RUNTIME_DIR: '/run/user/1000' }))
  })

  it('counts bytes, not characters', () => {
    assert.doesNotMatch(socketPath(`/srv/${'ü'.repeat(60)}`, {}), /ü/u)
  })

  it('is the same for two spellings of a long home', () => {
    const home = join(folder.path, 'x'.repeat(120))
    const link = join(folder.path, 'y'.repeat(120))
    mkdirSync(home)
    symlinkSync(home, link)
    assert.equal(socketPath(home, {}), socketPath(link, {}))
  })
})
