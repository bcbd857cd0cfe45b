// Goal: a real node archives what is over, reads it as before, and still does after a restart. Method: one node whose threads leave memory after a
// second; what it says of a thread before, after, and in its next life.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitForThread } from '../../src/agents/index.ts'
import { NodeProcess, nodeEnvironment } from '../../src/testnet/index.ts'

const WINDOWS = { bidMs: 100, sealMs: 50, challengeMs: 100 }
const ROLE = {
  name: 'one',
  title: 'archives',
  work: ['text/language'],
  verify: ['text/language'],
  bad: false
}

describe('e2e/archive', () => {
  let home: string
  let node: NodeProcess
  const start = async (): Promise<void> => {
    const env = { ...nodeEnvironment(process.env), CAN_SWARM_CONSENSUS_LINGER_MS: '1000' }
    const listen = '/ip4/127.0.0.1/tcp/0'
    node = new NodeProcess({ role: ROLE, home, network: 'archive', listen, join: [], env })
    await node.start(new AbortController().signal)
  }
  before(async () => {
    home = join(await mkdtemp(join(tmpdir(), 'can-swarm-archive-')), 'home')
    await start()
  })
  after(async () => {
    await node.stop()
    await rm(join(home, '..'), { recursive: true })
  })

  async function solo(): Promise<string> {
    const base64 = Buffer.from('the quick brown fox jumps over the lazy dog').toString('base64')
    const { cid } = await node.client.call('artifacts.addBytes', { base64, pin: true, name: 'in' })
    const { thread } = await node.client.call('need.state', {
      capability: 'text/language',
      inputCid: cid,
      solo: true,
      kPlan: 1,
      kResult: 1,
      windows: WINDOWS
    })
    return thread
  }

  async function archived(thread: string): Promise<void> {
    for await (const event of node.client.events())
      if (event.type === 'archived' && event.thread === thread) return
  }

  async function picture(thread: string, name: string): Promise<unknown> {
    const path = join(home, '..', name)
    const { complete } = await node.client.call('thread.record', { thread, path })
    return {
      view: await node.client.call('thread.get', { thread }),
      plan: await node.client.call('plan.get', { thread }),
      changes: await node.client.call('plan.changes', { thread }),
      certificate: await node.client.call('certificate.get', { thread }),
      list: await node.client.call('threads.list', {}),
      record: await readFile(path, 'utf8'),
      complete
    }
  }

  it('shows a thread as it was, once it is archived and after a restart', async () => {
    const thread = await solo()
    const leaving = archived(thread)
    const final = await waitForThread(node.client, thread)
    assert.equal(final.phase, 'FINAL')
    const before = await picture(thread, 'before.jsonl')
    await leaving
    assert.deepEqual(await picture(thread, 'after.jsonl'), before)
    await node.stop()
    await start()
    assert.deepEqual(await picture(thread, 'restarted.jsonl'), before)
    const { threads } = await node.client.call('node.status', {})
    assert.deepEqual(threads, { open: 0, ended: 1 })
  })

  it('refuses what comes too late, with the reason', async () => {
    const [first] = await node.client.call('threads.list', {})
    assert.ok(first !== undefined)
    await assert.rejects(
      node.client.call('agent.propose', { thread: first.thread, cost: '1', etaMs: 1 }),
      { code: 'THREAD_ENDED' }
    )
  })
})
