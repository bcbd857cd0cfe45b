// Goal: plans come together between nodes of all real parts. Method: no gossip and no pulls, so that plan sync alone carries envelopes; two
// sides write apart and are connected then.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { nodeSigner } from '../../../src/adapters/ed25519/index.ts'
import { CID } from '../../../src/core/codec/index.ts'
import {
  notes,
  openNeed,
  type PlanNode,
  speakChain,
  startPlanNode
} from '../../support/plan-node.ts'

const NETWORK = 'plan-sync'
const unplug = ['gossip', 'pull', 'consensus']
const WITHIN_MS = 30_000

describe('node/plan-sync', function () {
  this.timeout(60_000)
  const nodes: PlanNode[] = []
  const start = async (join?: readonly string[]): Promise<PlanNode> => {
    const node = await startPlanNode({ networkName: NETWORK, unplug, ...(join && { join }) })
    nodes.push(node)
    return node
  }
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(node => node.stopAll()))
  })

  it('both sides of a healed partition have what either wrote', async () => {
    const [one, other] = [await start(), await start()]
    const thread = await openNeed(one)
    await follow(other, one, thread)
    await write(one, thread, { seed: 50, count: 20 })
    await write(other, thread, { seed: 51, count: 20 })
    assert.notEqual(await one.heads(thread), await other.heads(thread))
    await one.network.join(other.address)
    await together([one, other], thread, 41)
  })

  it('a newcomer that learns of the NEED later is told then', async () => {
    const one = await start()
    const thread = await openNeed(one)
    await write(one, thread, { seed: 52, count: 10 })
    const newcomer = await start([one.address])
    await until(async () => newcomer.network.peers().length > 0)
    await until(async () => (one.planSync?.stats().said ?? 0) > 0)
    await follow(newcomer, one, thread)
    await together([one, newcomer], thread, 11)
  })

  it('what a sender said twice at one place comes to all, and counts nowhere', async () => {
    const [one, other] = [await start(), await start()]
    const thread = await openNeed(one)
    await follow(other, one, thread)
    const signer = nodeSigner(new Uint8Array(32).fill(53))
    const chain = (task: string) =>
      speakChain(one.policy, signer, {
        thread: CID.parse(thread),
        count: 3,
        facts: () => notes(task, 2)
      })
    const [ours, theirs] = [await chain('ours'), await chain('theirs')]
    const before = await one.heads(thread)
    for (const { bytes } of ours) await one.driver.door.admit(bytes, 'x', 'plan')
    for (const { bytes } of theirs) await other.driver.door.admit(bytes, 'x', 'plan')
    await Promise.all([one.driver.settled(), other.driver.settled()])
    await one.network.join(other.address)
    await until(async () => (await one.heads(thread)) === before)
    await until(async () => (await other.heads(thread)) === before)
  })

  it('a fork that has expired is shown to a peer that is there when it becomes known', async () => {
    const { one, other, thread, before, ours, theirs } = await forked()
    await one.network.join(other.address)
    await until(async () => (await other.heads(thread)) !== before)
    await one.driver.door.admit(theirs.bytes, 'x', 'plan')
    await until(async () => (await other.heads(thread)) === before)
    assert.ok(other.swarm.envelope(thread, ours.id) && other.swarm.envelope(thread, theirs.id))
  })

  it('a fork that has expired is shown to a peer that comes later with one side of it', async () => {
    const { one, other, thread, before, ours, theirs } = await forked()
    await one.driver.door.admit(theirs.bytes, 'x', 'plan')
    await one.driver.settled()
    assert.equal(await one.heads(thread), before)
    await other.driver.door.admit(ours.bytes, 'x', 'plan')
    await other.driver.settled()
    assert.notEqual(await other.heads(thread), before)
    await one.network.join(other.address)
    await until(async () => (await other.heads(thread)) === before)
    const [mine, yours] = [one, other].map(({ swarm }) => swarm.plan(thread)?.view())
    assert.deepEqual(yours, mine)
  })

  it('an envelope that has expired still comes to a node that was away', async () => {
    const [one, other] = [await start(), await start()]
    const thread = await openNeed(one)
    await follow(other, one, thread)
    const signer = nodeSigner(new Uint8Array(32).fill(54))
    const [update] = await speakChain(one.policy, signer, {
      thread: CID.parse(thread),
      count: 1,
      facts: () => notes('old', 1),
      notAfter: Date.now() - 3_600_000
    })
    assert.ok(update !== undefined)
    const refused = await other.driver.door.admit(update.bytes, 'x', 'peer')
    assert.equal(refused.refusal?.code, 'ENVELOPE_EXPIRED')
    await one.driver.door.admit(update.bytes, 'x', 'plan')
    await one.driver.settled()
    await one.network.join(other.address)
    await together([one, other], thread, 2)
  })

  /** Two nodes, and two updates at one place that have expired; the first node has one of them. */
  async function forked() {
    const [one, other] = [await start(), await start()]
    const thread = await openNeed(one)
    await follow(other, one, thread)
    const before = await one.heads(thread)
    const signer = nodeSigner(new Uint8Array(32).fill(55))
    const say = async (task: string) => {
      const [update] = await speakChain(one.policy, signer, {
        thread: CID.parse(thread),
        count: 1,
        facts: () => notes(task, 1),
        notAfter: Date.now() - 3_600_000
      })
      assert.ok(update !== undefined)
      return update
    }
    const [ours, theirs] = [await say('ours'), await say('theirs')]
    await one.driver.door.admit(ours.bytes, 'x', 'plan')
    await one.driver.settled()
    return { one, other, thread, before, ours, theirs }
  }

  /** Lets a node learn of a thread. */
  async function follow(node: PlanNode, from: PlanNode, thread: string): Promise<void> {
    const need = await from.threads.envelope(thread, thread)
    assert.ok(need !== undefined)
    await node.driver.door.admit(need.bytes, from.signer.did, 'peer')
    await node.driver.settled()
    assert.ok(node.swarm.has(thread))
  }

  async function write(
    node: PlanNode,
    thread: string,
    { seed, count }: { seed: number; count: number }
  ): Promise<void> {
    const signer = nodeSigner(new Uint8Array(32).fill(seed))
    const updates = await speakChain(node.policy, signer, {
      thread: CID.parse(thread),
      count,
      facts: seq => notes(`task-${seed}-${seq}`, 4)
    })
    for (const { bytes } of updates) await node.driver.door.admit(bytes, 'x', 'plan')
    await node.driver.settled()
  }

  async function together(list: readonly PlanNode[], thread: string, count: number): Promise<void> {
    await until(async () => {
      const views = await Promise.all(list.map(({ plan }) => plan.view(thread)))
      return views.every(
        view => view.envelopes.length === count && view.heads.join() === views[0]?.heads.join()
      )
    })
  }

  async function until(isTrue: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + WITHIN_MS
    while (!(await isTrue())) {
      assert.ok(performance.now() < deadline, `not within ${WITHIN_MS} ms: ${isTrue}`)
      await delay(20)
    }
  }
})
