// Goal: a newcomer to a network with a past loads what still binds and nothing before it, on the word of witnesses, and goes on with what happens then.
// Method: an author and two witnesses as processes whose clock is four days behind, where threads end, are witnessed and go cold; the same homes again today; then a
// newcomer (R21).
import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { NodeProcess, nodeEnvironment } from '../../src/testnet/index.ts'
import { endOf, freshFolder } from '../support/testnet.ts'

const WINDOWS = { bidMs: 100, sealMs: 50, challengeMs: 100 }
const TEXT = Buffer.from('the quick brown fox jumps over the lazy dog').toString('base64')
/** Longer than a thread binds anybody: the life of a NEED, and that of an envelope. */
const PAST_MS = 4 * 86_400_000
const FOUR_DAYS_AGO = {
  NODE_OPTIONS: `--import=data:text/javascript,const{now}=Date;Date.now=()=>now()-${PAST_MS}`
}
const WAIT_MS = 30_000

describe('e2e/fast sync', () => {
  const folder = freshFolder()
  const nodes: NodeProcess[] = []

  async function start(
    name: string,
    peers: readonly NodeProcess[],
    settings: Record<string, string> = {}
  ): Promise<NodeProcess> {
    const work = ['text/language']
    const role = { name, title: name, work, verify: work, bad: false }
    const env = {
      ...nodeEnvironment(process.env),
      CAN_SWARM_HISTORY_RETENTION_DAYS: '0',
      CAN_SWARM_CONSENSUS_LINGER_MS: '1000',
      ...settings
    }
    const addresses = await Promise.all(
      peers.map(async node => (await node.client.call('node.id', {})).addresses[0] as string)
    )
    const listen = '/ip4/127.0.0.1/tcp/0'
    const home = join(folder, name)
    const node = new NodeProcess({ role, home, network: 'past', listen, join: addresses, env })
    await node.start(new AbortController().signal)
    nodes.push(node)
    return node
  }

  /** An author and its two witnesses. */
  async function startAll(settings: Record<string, string>): Promise<NodeProcess[]> {
    const author = await start('author', [], settings)
    const names = ['witness-1', 'witness-2']
    return [author, ...(await Promise.all(names.map(name => start(name, [author], settings))))]
  }

  const stopAll = async (): Promise<void> => {
    await Promise.all(nodes.splice(0).map(node => node.stop()))
  }

  async function solo(node: NodeProcess): Promise<string> {
    const input = { base64: TEXT, pin: true, name: 'in' }
    const { cid } = await node.client.call('artifacts.addBytes', input)
    const request = { capability: 'text/language', inputCid: cid, solo: true, kPlan: 1, kResult: 1 }
    const { thread } = await node.client.call('need.state', { ...request, windows: WINDOWS })
    assert.equal((await endOf(node, thread)).phase, 'FINAL')
    return thread
  }

  /** Asks until the answer is good: threads end, and peers come, some time later. */
  async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
    const end = Date.now() + WAIT_MS
    for (;;) {
      const answer = await ask()
      if (isGood(answer) || Date.now() > end) return answer
      await setTimeout(100)
    }
  }

  const witnessed = async (author: NodeProcess, size: number): Promise<string> => {
    const made = await until(
      () => author.client.call('checkpoint.make', {}),
      one => one.size === size && one.stable
    )
    assert.deepEqual([made.size, made.stable], [size, true])
    return Buffer.from(made.base64 ?? '', 'base64').toString()
  }

  const listed = async (node: NodeProcess): Promise<string[]> =>
    (await node.client.call('threads.list', {})).map(({ thread }) => thread)

  after(async () => {
    await stopAll()
    rmSync(folder, { recursive: true, force: true })
  })

  it('loads what binds and leaves out what is past, and then follows', async () => {
    const [before] = (await startAll(FOUR_DAYS_AGO)) as [NodeProcess]
    const old = [await solo(before), await solo(before)]
    assert.match(await witnessed(before, 2), /\nstanding 0 \d+\n/u)
    const moved = await until(
      () => before.client.call('history.compact', {}),
      ({ stays }) => stays.live === 0
    )
    assert.equal(moved.stays.live, 0)
    assert.ok(readdirSync(join(before.home, 'cold')).length > 0, 'both went cold then')
    await stopAll()

    const [author, one, two] = (await startAll({})) as [NodeProcess, NodeProcess, NodeProcess]
    const recent = await solo(author)
    assert.match(await witnessed(author, 3), /\nstanding 2 \d+\n/u, 'the first two bind nobody')
    const newcomer = await start('newcomer', [author, one, two])
    const first = await until(
      () => newcomer.client.call('history.sync', {}).catch(() => null),
      result => result?.trust === 'checkpoint'
    )
    assert.ok(first !== null)
    const { trust, size, from, loaded } = first
    assert.deepEqual(
      { trust, size, from, loaded },
      { trust: 'checkpoint', size: 3, from: 2, loaded: 1 }
    )
    assert.deepEqual(await listed(newcomer), [recent])

    const next = await solo(author)
    const seen = await until(
      () => listed(newcomer),
      threads => threads.includes(next)
    )
    assert.ok(seen.includes(next), 'it follows what is stated now')
    assert.equal((await endOf(newcomer, next)).phase, 'FINAL')
    await witnessed(author, 4)
    const more = await newcomer.client.call('history.sync', {})
    assert.deepEqual([more.size, more.from, more.loaded], [4, 2, 1])
    assert.ok(!(await listed(newcomer)).some(thread => old.includes(thread)))
    const whole = await newcomer.client.call('history.sync', { all: true })
    assert.deepEqual([whole.from, whole.loaded], [0, 4])
    assert.ok((await listed(newcomer)).includes(old[0] as string), 'it may ask for all')
  })
})
