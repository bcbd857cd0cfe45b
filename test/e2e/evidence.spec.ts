// Goal: who signs what excludes each other is seen by nodes that run, and convicted anywhere (R8, R10). Method: a process with a key of its own lies to
// honest nodes over the network; what one of them keeps is checked in a folder without a node.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeProcess, Testnet } from '../../src/testnet/index.ts'
import {
  freshFolder,
  runCli,
  startTestnet,
  stateNeed,
  stopTestnet,
  viewWhen
} from '../support/testnet.ts'

/** Nodes outside a group show each other what they have when they pull: of one peer after the other, every few seconds, and less often what does not change. */
const SEEN_WITHIN_MS = 90_000

describe('e2e/evidence', () => {
  const folder = freshFolder()
  const processes: ChildProcess[] = []
  let testnet: Testnet
  before(async () => {
    testnet = await startTestnet({ nodes: 3 })
  })
  afterEach(async () => {
    for (const child of processes.splice(0)) {
      const closed = once(child, 'close')
      child.stdin?.end()
      await closed
    }
  })
  after(async () => {
    await stopTestnet(testnet)
    rmSync(folder, { recursive: true, force: true })
  })

  /** Lets another process attack these nodes. Resolves with what it says of it. */
  const attack = async (
    name: string,
    victims: readonly NodeProcess[]
  ): Promise<{ readonly did: string; readonly thread: string }> => {
    const script = join(import.meta.dirname, '..', 'support', 'hostile-process.ts')
    const addresses = victims.map(node => node.status.addresses[0] ?? '')
    const argv = [script, name, testnet.network, ...addresses]
    const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] })
    processes.push(child)
    child.stdout.setEncoding('utf8')
    const [said] = await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(([status]) => assert.fail(`the attacker ended with ${status}`))
    ])
    return JSON.parse(said)
  }

  /** What a node holds against somebody: seen in `evidence ls`, and held against him where there is no node. */
  const convicts = async (node: NodeProcess, thread: string): Promise<unknown> => {
    await viewWhen(node, thread, view => view.evidence.length > 0, SEEN_WITHIN_MS)
    const listed = await runCli(['evidence', 'ls', thread, '--json', '--home', node.home])
    const held = JSON.parse(listed.stdout).evidence
    assert.equal(held.length, 1, listed.stdout + listed.stderr)
    const [{ id, offence, convicted }] = held
    const elsewhere = join(folder, node.name, thread)
    mkdirSync(elsewhere, { recursive: true })
    const file = join(elsewhere, `${offence}.json`)
    await runCli(['evidence', 'export', id, '-o', file, '--home', node.home])
    const env = { HOME: elsewhere, CAN_SWARM_HOME: join(elsewhere, 'none') }
    const verified = await runCli(['evidence', 'verify', file, '--json'], env)
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    const { claim } = JSON.parse(verified.stdout)
    assert.deepEqual([claim.offence, claim.convicted], [offence, convicted])
    return [offence, convicted]
  }

  it('convicts a requester that shows two nodes a FORM each', async () => {
    const [, one, other] = testnet.nodes as [NodeProcess, NodeProcess, NodeProcess]
    const { did, thread } = await attack('two-forms', [one, other])
    const seen = [one, other].map(node => convicts(node, thread))
    assert.deepEqual(await Promise.all(seen), [
      ['two-forms', [did]],
      ['two-forms', [did]]
    ])
    for (const node of [one, other]) {
      const { stdout } = await runCli(['thread', thread, '--home', node.home])
      assert.match(stdout, /^void +the requester signed two FORMs for epoch 0: .*evidence …/mu)
      const list = await runCli(['threads', '--home', node.home])
      assert.match(list.stdout, /VOID +\S+ .*the requester signed two FORMs/u)
    }
  })

  it('convicts a member that votes twice', async () => {
    const { did } = await attack('two-votes', testnet.nodes)
    const thread = await stateNeed(testnet.first)
    assert.deepEqual(await convicts(testnet.first, thread), ['two-votes', [did]])
    const { stdout } = await runCli(['thread', thread, '--json', '--home', testnet.first.home])
    assert.equal(JSON.parse(stdout).void, null, 'a member cannot make it void')
  })
})
