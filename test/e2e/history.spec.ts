// Goal: how threads ended is checkpointed by a real node, recomputed and cosigned by others, and loaded by a newcomer that was not there.
// Method: an author and a newcomer as processes, without witnesses, where nothing becomes stable (R21); then with two of them; then old threads go cold.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckpointSummary } from '../../src/rpc/index.ts'
import { NodeProcess, nodeEnvironment } from '../../src/testnet/index.ts'
import { endOf, type Finished, freshFolder, runCli } from '../support/testnet.ts'

const WINDOWS = { bidMs: 100, sealMs: 50, challengeMs: 100 }
const TEXT = Buffer.from('the quick brown fox jumps over the lazy dog').toString('base64')

describe('e2e/history', () => {
  const folder = freshFolder()
  const nodes: NodeProcess[] = []

  async function start(
    name: string,
    join_: NodeProcess[],
    settings: Record<string, string> = {}
  ): Promise<NodeProcess> {
    const role = {
      name,
      title: name,
      work: ['text/language'],
      verify: ['text/language'],
      bad: false
    }
    const env = {
      ...nodeEnvironment(process.env),
      CAN_SWARM_HISTORY_RETENTION_DAYS: '0',
      ...settings
    }
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

  /** Signs, and asks until it has as many threads and witnesses as are wanted: threads end when their groups have, some time later. */
  async function checkpoint(
    node: NodeProcess,
    witnesses: number,
    size = 1
  ): Promise<CheckpointSummary> {
    const until = Date.now() + 30_000
    for (;;) {
      const made = await node.client.call('checkpoint.make', {})
      const isThere = made.size >= size && made.witnesses.length >= witnesses
      if (isThere || Date.now() > until) return made
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }

  const cli = (node: NodeProcess, ...argv: string[]): Promise<Finished> =>
    runCli([...argv, '--home', node.home])

  after(async () => {
    await Promise.all(nodes.splice(0).map(node => node.stop()))
    rmSync(folder, { recursive: true, force: true })
  })

  let author: NodeProcess
  let newcomer: NodeProcess
  let threads: string[]

  before(async () => {
    author = await start('author', [], { CAN_SWARM_CONSENSUS_LINGER_MS: '1000' })
    newcomer = await start('newcomer', [author], { CAN_SWARM_NODE_UNPLUG: 'witness,gossip,pull' })
    threads = [await solo(author)]
  })

  it('is stable for nobody while no node witnesses, and then every certificate is checked', async () => {
    const made = await checkpoint(author, 0)
    assert.deepEqual([made.size, made.witnesses, made.stable], [1, [], false])
    const synced = await cli(newcomer, 'sync', '--json')
    assert.equal(synced.status, 0, synced.stderr)
    assert.equal(JSON.parse(synced.stdout).trust, 'full')
    const idle = await author.client.call('history.compact', {})
    assert.deepEqual([idle.threads, idle.stays.unwitnessed], [0, 1])
  })

  it('reaches a newcomer by a checkpoint that two nodes recomputed', async () => {
    const settings = { CAN_SWARM_HISTORY_SYNC_AT_START: 'true' }
    const [eager] = await Promise.all([
      start('witness-1', [author], settings),
      start('witness-2', [author])
    ])
    threads.push(await solo(author))
    const made = await checkpoint(author, 2, 2)
    assert.deepEqual([made.size, made.stable], [2, true], JSON.stringify(made))
    const { stdout: note } = await cli(author, 'checkpoint', 'show')
    const file = join(folder, 'checkpoint.txt')
    writeFileSync(file, note)
    const { stdout: report } = await runCli(['checkpoint', 'verify', file, '--json'])
    assert.equal(JSON.parse(report).claim.witnesses.length, 2)

    const { trust, size, loaded } = await newcomer.client.call('history.sync', {})
    assert.deepEqual({ trust, size, loaded }, { trust: 'checkpoint', size: 2, loaded: 1 })
    const lines = await newcomer.client.call('threads.list', {})
    assert.deepEqual(lines.map(({ thread, phase }) => [thread, phase]).sort(), finals())
    const deadline = Date.now() + 15_000
    const hasFirst = async (): Promise<boolean> =>
      (await eager.client.call('threads.list', {})).some(({ thread }) => thread === threads[0])
    while (!(await hasFirst()) && Date.now() < deadline)
      await new Promise(resolve => setTimeout(resolve, 200))
    assert.ok(await hasFirst(), 'a new node loads what ended before it, by a setting')
  })

  it('leaves the archive when it is old and stable, and is read as before', async () => {
    const record = async (name: string): Promise<string[]> =>
      Promise.all(
        threads.map(async (thread, at) => {
          const path = join(folder, `${name}-${at}.jsonl`)
          await author.client.call('thread.record', { thread, path })
          return readFileSync(path, 'utf8')
        })
      )
    const before = await record('before')
    const { stdout } = await cli(author, 'compact', '--dry-run', '--json')
    assert.deepEqual(JSON.parse(stdout).files, [])
    const files: string[] = []
    const deadline = Date.now() + 15_000
    for (let live = 1; live > 0 && Date.now() < deadline; ) {
      const moved = await author.client.call('history.compact', {})
      files.push(...moved.files)
      live = moved.stays.live
      if (live > 0) await new Promise(resolve => setTimeout(resolve, 200))
    }
    assert.ok(files.length > 0, 'the threads left memory, and then the archive')
    assert.deepEqual(readdirSync(join(author.home, 'cold')).sort(), files.sort())
    await author.stop()
    await author.start(new AbortController().signal)
    assert.deepEqual(await record('after'), before)
  })

  const finals = (): string[][] => threads.map(thread => [thread, 'FINAL']).sort()
})
