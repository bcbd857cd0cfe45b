// Goal: every part is wired (R21). Method: the job that passes in e2e/demo, on nodes that lack one part; it must fail, say why, and not hang.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { PARTS } from '../../src/config/index.ts'
import { type DemoReport, runDemo } from '../../src/testnet/index.ts'
import { freshFolder } from '../support/testnet.ts'

/** The healthy job needs three seconds. */
const TTL_MS = 6000

describe('e2e/unplug', () => {
  for (const part of PARTS) {
    it(`the job fails without ${part}`, async () => {
      const outcome = await demoWithout(part)
      assert.notEqual(outcome.status, 0)
      assert.notEqual(outcome.phase, 'FINAL')
      assert.ok(outcome.reason.length > 10, `a reason is given: ${outcome.reason}`)
    })
  }
})

async function demoWithout(
  part: string
): Promise<{ status: number; phase: string; reason: string }> {
  const stdout = new PassThrough()
  const stderr = new PassThrough().resume()
  const env = { ...process.env, CAN_SWARM_NODE_UNPLUG: part }
  const dir = freshFolder()
  try {
    const init = { stdout, stderr, env, json: true, ttlMs: TTL_MS, dir }
    const status = await runDemo(init)
    const report = JSON.parse(String(stdout.read())) as DemoReport
    return { status, phase: report.phase, reason: report.reason }
  } catch (error) {
    // Some parts are missed as early as when the NEED is stated.
    return { status: 1, phase: 'none', reason: (error as Error).message }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
