// Goal: one node for each home, and no lock outlives its process. Method: a child process holds the lock and is killed.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { homeLock } from '../../../../src/adapters/system/index.ts'

describe('adapters/system/home-lock', () => {
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'can-swarm-lock-'))
  })
  afterEach(() => rmSync(home, { recursive: true }))

  it('refuses a second holder in this process and names the first', () => {
    const lock = homeLock(home)
    assert.throws(() => homeLock(home), {
      code: 'HOME_LOCKED',
      details: { home, pid: process.pid }
    })
    lock.release()
    lock.release()
    homeLock(home).release()
  })

  it('refuses a home that another process holds, until that process is killed', async () => {
    const child = fork(new URL('./lock-holder.ts', import.meta.url), [home])
    await once(child, 'message')
    assert.throws(() => homeLock(home), { code: 'HOME_LOCKED', details: { home, pid: child.pid } })
    child.kill('SIGKILL')
    await once(child, 'exit')
    homeLock(home).release()
  })

  it('does not believe a pid file: only the lock counts', () => {
    writeFileSync(join(home, 'node.pid'), `${process.pid}\n`)
    homeLock(home).release()
  })

  it('creates the home when there is none, and says when it cannot', () => {
    homeLock(join(home, 'deep', 'node')).release()
    writeFileSync(join(home, 'file'), '')
    assert.throws(() => homeLock(join(home, 'file')), { code: 'HOME_LOCK_FAILED' })
  })
})
