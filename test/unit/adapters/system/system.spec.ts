// The machine's clock and randomness.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { systemClock, systemEntropy } from '../../../../src/adapters/system/index.ts'

describe('adapters/system', () => {
  it('tells the time of the machine', () => {
    const before = Date.now()
    const now = systemClock().nowMs()
    assert.ok(now >= before && now <= Date.now())
  })

  it('calls back once, after the time', async () => {
    const clock = systemClock()
    const start = performance.now()
    // The timer does not keep the process alive by itself; mocha's own does.
    await new Promise<void>(resolve => clock.after(20, resolve))
    assert.ok(performance.now() - start >= 19)
  })

  it('does not call back when cancelled', async () => {
    const clock = systemClock()
    let called = false
    const cancel = clock.after(1, () => {
      called = true
    })
    cancel()
    await new Promise<void>(resolve => clock.after(15, resolve))
    assert.equal(called, false)
  })

  it('does not fire a wait of months at once', async () => {
    const clock = systemClock()
    let called = false
    const cancel = clock.after(2 ** 40, () => {
      called = true
    })
    await new Promise<void>(resolve => clock.after(15, resolve))
    cancel()
    assert.equal(called, false)
  })

  it('does not keep a process alive', () => {
    const url = new URL('../../../../src/adapters/system/system-clock.ts', import.meta.url)
    const program = `import { systemClock } from ${JSON.stringify(url.href)}; systemClock().after(60000, () => {})`
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 8000 })
  })

  it('gives fresh bytes of the wanted length', () => {
    const entropy = systemEntropy()
    assert.equal(entropy.bytes(0).length, 0)
    const [one, other] = [entropy.bytes(16), entropy.bytes(16)]
    assert.equal(one.length, 16)
    assert.equal(one.constructor, Uint8Array)
    assert.notDeepEqual(one, other)
  })
})
