// Goal: a testnet stays up, takes in one more node by the line that it prints, and ends by `down`. Method: the commands as processes.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { namesOf } from '../../src/adapters/libp2p/names.ts'
import { libp2pRoom } from '../support/libp2p-room.ts'
import { Cli, freshFolder, runCli } from '../support/testnet.ts'

describe('e2e/testnet', () => {
  const folder = freshFolder()
  // Tests must not meet the testnet of the person who runs them.
  const env = { CAN_SWARM_TESTNET: join(folder, 'state') }
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('is joined by the line that it prints, shown by status, and stopped by down', async () => {
    const up = new Cli(
      ['testnet', 'up', '--nodes', '4', '--dir', join(folder, 'net'), '--json'],
      env
    )
    const { join: commands } = JSON.parse(await up.printed('\n')) as { join: string[] }
    const second = await runCli(['testnet', 'up'], env)
    assert.equal(second.status, 75, second.stderr)

    const [npx, bin, ...argv] = (commands[0] ?? '').split(' ')
    assert.deepEqual([npx, bin], ['npx', 'can-swarm'])
    const more = new Cli(argv, env)
    await more.printed('ready')
    const home = join(folder, 'net', 'one-more')
    const { stdout } = await runCli(['status', '--home', home, '--json'])
    const { addresses } = JSON.parse(stdout) as { addresses: string[] }
    assert.ok(addresses.length > 0)
    for (const address of addresses) assert.match(address, /^\/ip4\/127\.0\.0\.1\//u)
    const status = await statusWhen(env, nodes => nodes.every(node => node.status?.peers === 4))
    assert.equal(status.length, 4)
    const network = argv[argv.indexOf('--network') + 1] ?? ''
    await votersAre(5, { network, address: addresses[0] ?? '' })
    await more.stop()

    const down = await runCli(['testnet', 'down'], env)
    assert.equal(down.status, 0, down.stderr)
    assert.equal((await up.finished).status, 0)
    assert.equal((await runCli(['testnet', 'status'], env)).status, 69)
  })

  it('says which node has died, and goes on', async () => {
    const dir = join(folder, 'dies')
    const up = new Cli(['testnet', 'up', '--nodes', '3', '--dir', dir], env)
    await up.printed('Ctrl-C')
    const { stdout } = await runCli(['status', '--home', join(dir, 'node-1'), '--json'])
    process.kill((JSON.parse(stdout) as { pid: number }).pid, 'SIGKILL')
    await up.complained('node.log')
    assert.equal((await runCli(['testnet', 'status'], env)).status, 1, 'one of three is gone')
    await runCli(['testnet', 'down'], env)
    const { status, stderr } = await up.finished
    assert.equal(status, 0)
    assert.equal(stderr, `node-1 ended by SIGKILL; its log is ${join(dir, 'node-1', 'node.log')}\n`)
  })

  it('takes its nodes along when it is killed', async () => {
    const dir = join(folder, 'killed')
    const up = new Cli(['testnet', 'up', '--nodes', '2', '--dir', dir, '--json'], env)
    await up.printed('\n')
    await up.stop('SIGKILL')
    // The nodes notice the end of their standard input by themselves.
    for (const home of [join(dir, 'node-0'), join(dir, 'node-1')])
      while ((await runCli(['status', '--home', home])).status === 0);
  })
})

/** Nodes announce themselves a second after they have met somebody. */
const VOTERS_WITHIN_MS = 30_000

/** Waits until the DHT names so many voters to a stranger. */
async function votersAre(
  count: number,
  { network, address }: { readonly network: string; readonly address: string }
): Promise<void> {
  const room = await libp2pRoom()
  const stranger = await room.node({ name: 'stranger', networkName: network, bootstrap: [address] })
  await stranger.start()
  const { dht } = stranger.libp2p.services
  const found = new Set<string>()
  const deadline = performance.now() + VOTERS_WITHIN_MS
  while (found.size < count && performance.now() < deadline)
    for await (const event of dht.findProviders(namesOf(network).voters))
      if (event.name === 'PROVIDER') for (const { id } of event.providers) found.add(String(id))
  await room.dispose()
  assert.equal(found.size, count)
}

type NodeLine = { readonly status: { readonly peers: number } | null }

async function statusWhen(
  env: NodeJS.ProcessEnv,
  holds: (nodes: NodeLine[]) => boolean
): Promise<NodeLine[]> {
  for (;;) {
    const { stdout } = await runCli(['testnet', 'status', '--json'], env)
    const { nodes } = JSON.parse(stdout) as { nodes: NodeLine[] }
    if (holds(nodes)) return nodes
  }
}
