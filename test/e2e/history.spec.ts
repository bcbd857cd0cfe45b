// Goal: how threads ended is checkpointed by a real node, recomputed and cosigned by others, and loaded by a newcomer that was not there.
// Method: two witnesses and an author as processes, then a fourth node; the same without witnesses, where nothing becomes stable (R21).
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckpointSummary } from '../../src/rpc/index.ts'
import { NodeProcess, nodeEnvironment } from '../../src/testnet/index.ts'
import { endOf, type Finished, freshFolder, runCli } from '../support/testnet.ts'

const WINDOWS = { bidMs: 100, sealMs: 50, challengeMs: 100 }
const TEXT = Buffer.from('the quick brown fox jumps over the lazy dog').toString('base64')

describe('e2e/history', () => {
  const folder = freshFolder()
  const nodes: NodeProcess[] = []

  async function start(name: string, join_: NodeProcess[], unplug?: string): Promise<NodeProcess> {
    const role = {
      name,
      title: name,
      work: ['text/language'],
      verify: ['text/language'],
      bad: false
    }
    const env = nodeEnvironment({
      ...process.env,
      ...(unplug && { CAN_SWARM_NODE_UNPLUG: unplug })
    })
    const addresses = await Promise.all(
      join_.map(async node => (await node.client.call('node.id', {})).addresses[0] as string)
    )
    const listen = '/ip4/127.0.0.1/tcp/0'
    const home = join(folder, name)
    const node = new NodeProcess({ role, home, network: 'history', listen, join: addresses, env })
    await node.start(new AbortController().signal)
    nodes.push(node)
    return node
  }

  async function solo(node: NodeProcess): Promise<string> {
    const name = 'in'
    const { cid } = await node.client.call('artifacts.addBytes', { base64: TEXT, pin: true, name })
    const request = { capability: 'text/language', inputCid: cid, solo: true, kPlan: 1, kResult: 1 }
    const { thread } = await node.client.call('need.state', { ...request, windows: WINDOWS })
    assert.equal((await endOf(node, thread)).phase, 'FINAL')
    return thread
  }

  /** Signs, and asks until as many witnesses as are wanted have answered, or none will. */
  async function checkpoint(node: NodeProcess, witnesses: number): Promise<CheckpointSummary> {
    const until = Date.now() + 15_000
    for (;;) {
      const made = await node.client.call('checkpoint.make', {})
      const isThere = made.size > 0 && made.witnesses.length >= witnesses
      if (isThere || Date.now() > until) return made
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }

  const cli = (node: NodeProcess, ...argv: string[]): Promise<Finished> =>
    runCli([...argv, '--home', node.home])

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(node => node.stop()))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('reaches a newcomer by a checkpoint that two nodes recomputed', async () => {
    const author = await start('author', [])
    await start('witness-1', [author])
    await start('witness-2', [author])
    const thread = await solo(author)
    const made = await checkpoint(author, 2)
    assert.equal(made.stable, true, JSON.stringify(made))
    const { stdout: note } = await cli(author, 'checkpoint', 'show')
    const file = join(folder, 'checkpoint.txt')
    writeFileSync(file, note)
    const { stdout: report } = await runCli(['checkpoint', 'verify', file, '--json'])
    assert.equal(JSON.parse(report).claim.witnesses.length, 2)

    const newcomer = await start('newcomer', [author])
    const synced = await cli(newcomer, 'sync', '--json')
    assert.equal(synced.status, 0, synced.stderr)
    const { trust, size, loaded } = JSON.parse(synced.stdout)
    assert.deepEqual({ trust, size, loaded }, { trust: 'checkpoint', size: 1, loaded: 1 })
    const { stdout: list } = await cli(newcomer, 'threads', '--json')
    const line = JSON.parse(list).threads.find((one: { thread: string }) => one.thread === thread)
    assert.equal(line?.phase, 'FINAL')
  })

  it('is stable for nobody when nodes do not witness, and then every certificate is checked', async () => {
    const author = await start('alone', [])
    await start('blind', [author], 'witness')
    await solo(author)
    const made = await checkpoint(author, 0)
    assert.deepEqual([made.size, made.witnesses, made.stable], [1, [], false])
    const newcomer = await start('wary', [author])
    const synced = await cli(newcomer, 'sync', '--json')
    assert.equal(JSON.parse(synced.stdout).trust, 'full')
  })
})
