// Goal: what is wrong from outside gives one clear line, its exit status, and loses nothing. Method: the program as a process.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cli, type Finished, freshFolder, runCli } from '../support/testnet.ts'

const LOOPBACK = ['--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--network', 'e2e-bad-input']

describe('e2e/bad-input', () => {
  const folder = freshFolder()
  const home = join(folder, 'home')
  const start = (dir: string, more: string[] = []): string[] => [
    'start',
    '--home',
    dir,
    ...LOOPBACK,
    ...more
  ]
  after(() => rmSync(folder, { recursive: true, force: true }))

  describe('beside a running node', () => {
    let node: Cli
    let address = ''
    before(async () => {
      node = new Cli(start(home))
      address = /\/ip4\/127\.0\.0\.1\/tcp\/(\d+)/u.exec(await node.printed('ready'))?.[0] ?? ''
      assert.notEqual(address, '')
    })
    after(() => node.stop())

    it('refuses a second node on the same home, and the first goes on', async () => {
      const second = await runCli(start(home))
      assertRefused(second, 75, /stop|running|home/iu)
      assert.equal((await runCli(['status', '--home', home])).status, 0)
    })

    it('refuses a port that is in use', async () => {
      const argv = [
        'start',
        '--home',
        join(folder, 'port'),
        ...LOOPBACK.slice(2),
        '--listen',
        address
      ]
      const result = await runCli(argv)
      assert.notEqual(result.status, 0)
      assert.match(result.stderr, /in use/u)
    })

    it('refuses an input that is missing or empty, and an artifact that nobody has', async () => {
      const empty = join(folder, 'empty.txt')
      writeFileSync(empty, '')
      const need = ['need', '--home', home, '--capability', 'text/upper']
      const results = await Promise.all([
        runCli([...need, '--input', join(folder, 'missing.txt')]),
        runCli([...need, '--input', empty]),
        runCli(['cat', NOBODY_HAS, '--home', home, '--timeout', '2s'])
      ])
      assert.equal(results[0]?.status, 3)
      assert.equal(results[1]?.status, 2)
      assert.ok([3, 5].includes(results[2]?.status ?? 0), results[2]?.stderr)
      for (const result of results) assert.equal(result.stderr.trim().split('\n').length, 1)
    })

    it('says that a peer to join is unreachable, and stays usable', async () => {
      const peer = '12D3KooWGzh1YtbZ5vJZ7cVYJYp1oXw2pS1vJr5CqkQ2hKk5m8aB'
      const dir = join(folder, 'lonely')
      const lonely = new Cli(start(dir, ['--join', `/ip4/127.0.0.1/tcp/9/p2p/${peer}`]))
      try {
        await lonely.printed('ready')
        await lonely.complained('cannot be reached')
        const doctor = await runCli(['doctor', '--home', dir])
        assert.equal(doctor.status, 1)
        assert.match(doctor.stdout, /peers: 0 connected/u)
      } finally {
        await lonely.stop()
      }
    })
  })

  describe('where a node has been', () => {
    it('refuses to begin a lost journal anew under the same key', async () => {
      rmSync(join(home, 'journal.wal'))
      assertRefused(await runCli(start(home)), 78, /journal.*gone.*journal\.wal.*--home/u)
      assert.throws(() => readFileSync(join(home, 'journal.wal')))
    })
  })

  it('refuses a wrong passphrase and a damaged key, and leaves the file as it is', async () => {
    const dir = join(folder, 'locked')
    const made = await runCli(['init', '--home', dir], { CAN_SWARM_PASSPHRASE: 'right' })
    assert.equal(made.status, 0, made.stderr)
    const key = join(dir, 'key.json')
    const before = readFileSync(key)
    const wrong = await runCli(start(dir), { CAN_SWARM_PASSPHRASE: 'wrong' })
    assert.notEqual(wrong.status, 0)
    assert.match(wrong.stderr, /passphrase/iu)
    assert.deepEqual(readFileSync(key), before)

    writeFileSync(key, before.subarray(0, before.length / 2))
    const damaged = await runCli(start(dir), { CAN_SWARM_PASSPHRASE: 'right' })
    assert.notEqual(damaged.status, 0)
    assert.match(damaged.stderr, /key/iu)
    assert.equal(readFileSync(key).length, Math.floor(before.length / 2))
  })

  it('says that no node is running', async () => {
    assertRefused(await runCli(['status', '--home', join(folder, 'nowhere')]), 69, /start/u)
  })
})

/** A CID of bytes that no test adds. */
const NOBODY_HAS = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

function assertRefused(result: Finished, status: number, message: RegExp): void {
  assert.equal(result.status, status, result.stderr)
  assert.match(result.stderr, message)
}
