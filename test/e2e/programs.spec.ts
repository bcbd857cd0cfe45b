// Goal: any program can be a worker, and a bad one hurts nobody. Method: `work` and `verify` as processes beside the nodes of one testnet.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchArtifact } from '../../src/agents/index.ts'
import { NodeProcess, nodeEnvironment, type Testnet } from '../../src/testnet/index.ts'
import {
  Cli,
  endOf,
  freshFolder,
  startTestnet,
  stateNeed,
  stopTestnet,
  viewWhen
} from '../support/testnet.ts'

describe('e2e/programs', () => {
  const folder = freshFolder()
  const input = join(folder, 'input.txt')
  let testnet: Testnet
  let agents: Cli[] = []

  const agent = async (what: 'work' | 'verify', node: number, argv: string[]): Promise<Cli> => {
    const cli = new Cli([what, '--home', testnet.nodes[node]?.home ?? '', ...argv])
    agents.push(cli)
    await cli.printed('announced')
    return cli
  }
  const upper = ['--capability', 'text/upper', '--', 'tr', 'a-z', 'A-Z']

  before(async () => {
    writeFileSync(input, 'hello swarm\n')
    // Nobody has a builtin program for it.
    testnet = await startTestnet({ nodes: 4 })
  })
  afterEach(async () => {
    await Promise.all(agents.map(one => one.stop()))
    agents = []
  })
  after(async () => {
    await stopTestnet(testnet)
    rmSync(folder, { recursive: true, force: true })
  })

  it('lets tr do the work and tr verify it, and a newcomer learns of it', async () => {
    await Promise.all([
      agent('work', 1, upper),
      agent('verify', 2, upper),
      agent('verify', 3, upper)
    ])
    const thread = await stateNeed(testnet.first, { capability: 'text/upper', inputPath: input })
    const view = await endOf(testnet.first, thread)
    assert.equal(view.phase, 'FINAL', view.reason)
    const output = view.commit?.outputs[0] ?? ''
    const bytes = await fetchArtifact(testnet.first.client, output)
    assert.equal(Buffer.from(bytes).toString(), 'HELLO SWARM\n')
    assert.equal(view.commit?.telemetry['tool'], 'tr')

    const newcomer = new NodeProcess({
      role: { name: 'newcomer', title: 'newcomer', work: [], verify: [], bad: false },
      home: join(folder, 'newcomer'),
      network: testnet.network,
      listen: '/ip4/127.0.0.1/tcp/0',
      join: testnet.first.status.addresses.slice(0, 1),
      env: nodeEnvironment(process.env)
    })
    try {
      await newcomer.start(new AbortController().signal)
      const there = await endOf(newcomer, thread)
      assert.equal(there.phase, 'FINAL')
      assert.equal(there.finalize?.result, 'FINAL')
      assert.deepEqual(await fetchArtifact(newcomer.client, output), bytes)
    } finally {
      await newcomer.stop()
    }
  })

  it('rejects the work of a worker whose program does something else', async () => {
    await Promise.all([
      agent('work', 1, ['--capability', 'text/upper', '--', 'cat']),
      agent('verify', 2, upper),
      agent('verify', 3, upper)
    ])
    const thread = await stateNeed(testnet.first, { capability: 'text/upper', inputPath: input })
    const view = await endOf(testnet.first, thread)
    assert.equal(view.phase, 'INVALID')
    assert.match(view.reason, /output_mismatch/u)
  })

  it('ends with the reason when the program fails, hangs or prints nothing', async () => {
    const cases = [
      [
        'text/fails',
        ['sh', '-c', 'echo no such model >&2; exit 3'],
        /exit status 3: no such model/u
      ],
      ['text/hangs', ['sleep', '60'], /within 700 ms/u],
      ['text/silent', ['true'], /printed nothing/u]
    ] as const
    await Promise.all(
      cases.flatMap(([capability, argv]) => [
        agent('work', 1, ['--capability', capability, '--job-timeout', '700ms', '--', ...argv]),
        agent('verify', 2, ['--capability', capability, '--', 'cat'])
      ])
    )
    await Promise.all(
      cases.map(async ([capability, , reason]) => {
        const need = { capability, inputPath: input, ttlMs: 6000 }
        const thread = await stateNeed(testnet.first, need)
        // The reason stands in the thread while it is open, so that its requester can act on it.
        await viewWhen(testnet.first, thread, view => reason.test(view.reason))
        const view = await endOf(testnet.first, thread)
        assert.equal(view.phase, 'EXPIRED')
      })
    )
  })

  it('goes on after node and worker are killed in the middle of the work', async () => {
    const slow = ['--capability', 'text/upper', '--', 'sh', '-c', 'sleep 1; tr a-z A-Z']
    await Promise.all([
      agent('work', 1, slow),
      agent('verify', 2, upper),
      agent('verify', 3, upper)
    ])
    const need = { capability: 'text/upper', inputPath: input, ttlMs: 20_000 }
    const thread = await stateNeed(testnet.first, need)
    await viewWhen(testnet.first, thread, view => view.phase === 'CLAIMED')
    const [, worker] = testnet.nodes
    assert.ok(worker)
    await worker.kill()
    await worker.start(new AbortController().signal)
    await agent('work', 1, slow)
    const view = await endOf(testnet.first, thread, 25_000)
    assert.equal(view.phase, 'FINAL', view.reason)
  })
})
