// Goal: whoever says what the policy of others refuses is told by which rule (POL-18). Method: real nodes; a peer with a key of its own that
// asks no policy before it speaks, and programs that judge by another base capsule or engine.
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PeerMessage } from '../../src/core/swarm/index.ts'
import type { Testnet } from '../../src/testnet/index.ts'
import { foreignProgram } from '../support/foreign-program.ts'
import { HostilePeer, idleNeed } from '../support/hostile-peer.ts'
import { Cli, freshFolder, inputPath, startTestnet, stopTestnet } from '../support/testnet.ts'

type Notice = Extract<PeerMessage, { type: 'refused' }>

/** At once, and two more for each second that a slow machine takes. */
const NOTICES_MAX = 16 + 2 * 30

describe('e2e/refusals', () => {
  const folder = freshFolder()
  let testnet: Testnet
  before(async () => {
    testnet = await startTestnet({ nodes: 2 })
  })
  after(async () => {
    await stopTestnet(testnet)
    rmSync(folder, { recursive: true, force: true })
  })

  const address = (): string => testnet.first.status.addresses[0] ?? ''

  it('tells a peer that asked no policy by which rule its NEED is refused, and a flood a few times', async () => {
    const peer = await HostilePeer.start({ network: testnet.network, name: 'greedy' })
    try {
      const notices: Notice[] = []
      let heard = Promise.withResolvers<void>()
      peer.onMessage((from, message) => {
        if (from !== testnet.first.did || message.type !== 'refused') return
        notices.push(message)
        heard.resolve()
      })
      await peer.join([address()])
      const greedy = (i: number) =>
        peer.seal('NEED', idleNeed(peer, { slot: `slot ${i}`, budget: 10n ** 16n }))
      const need = await greedy(0)
      peer.show(testnet.first.did, need)
      await heard.promise
      const [notice] = notices
      assert.deepEqual([notice?.envelope, notice?.code], [need.id, 'POLICY_DENIED'])
      assert.ok(notice?.reasons.some(reason => reason.startsWith('need-budget: ')))
      for (let i = 1; i <= 200; i++) peer.show(testnet.first.did, await greedy(i))
      // What comes after the flood is judged after it.
      heard = Promise.withResolvers()
      const sound = await peer.seal('NEED', idleNeed(peer, { slot: 'sound' }))
      peer.show(testnet.first.did, sound)
      const { client } = testnet.first
      while ((await client.call('thread.get', { thread: sound.id }).catch(() => null)) === null)
        await new Promise(resolve => setTimeout(resolve, 50))
      assert.ok(notices.length >= 2 && notices.length <= NOTICES_MAX, `${notices.length} notices`)
      assert.equal(new Set(notices.map(({ envelope }) => envelope)).size, notices.length)
      await assert.rejects(client.call('thread.get', { thread: need.id }), {
        code: 'THREAD_NOT_FOUND'
      })
    } finally {
      await peer.stop()
    }
  })

  for (const [what, engine, code] of [
    ['evaluates by other rules', true, 'POLICY_ENGINE_MISMATCH'],
    ['has another base capsule', false, 'CAPSULE_UNAVAILABLE']
  ] as const)
    it(`says so where the program ${what} than all others: need, thread`, async () => {
      const root = foreignProgram(join(folder, code), { engine })
      const home = join(folder, code, 'home')
      settle(home, { name: testnet.network, join: [address()] })
      const run = (...argv: string[]): Cli => {
        const cli = new Cli([...argv, '--home', home], {}, root)
        if (argv[0] !== 'start') cli.child.stdin?.end()
        return cli
      }
      const node = run('start')
      try {
        await node.printed('ready ')
        while ((await peersOf(run)) === 0) await new Promise(resolve => setTimeout(resolve, 50))
        const need = `need --capability text/language --input ${inputPath()} --ttl 1m --wait --json`
        const { status, stdout } = await run(...need.split(' ')).finished
        assert.equal(status, 4, stdout)
        const { error } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
        assert.equal(error.code, 'NEED_REFUSED')
        assert.match(error.message, new RegExp(`one of the two programs is too old.*${code}`, 'u'))
        const id = /bafy[a-z2-7]+/u.exec(error.message)?.[0] ?? ''
        const thread = await run('thread', id).finished
        assert.match(thread.stdout, new RegExp(`own NEED was refused by did:key:.*${code}`, 'u'))
      } finally {
        await node.stop()
      }
    })
})

function settle(home: string, network: { readonly name: string; readonly join: string[] }): void {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const settings = { network: { ...network, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false } }
  writeFileSync(join(home, 'config.json'), JSON.stringify(settings))
}

async function peersOf(run: (...argv: string[]) => Cli): Promise<number> {
  const { stdout } = await run('peers', '--json').finished
  return (JSON.parse(stdout) as { peers: unknown[] }).peers.length
}
