// Goal: plans come together over plan sync alone (R21). Method: real processes that do not pull; one is away while others write a plan. With
// plan sync unplugged as well it must stay behind.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { type CallPlanChanges, planChanges } from '../../src/rpc/index.ts'
import type { NodeProcess, Testnet } from '../../src/testnet/index.ts'
import { startTestnet, stateNeed, stopTestnet } from '../support/testnet.ts'

/** Facts: of two writers, in so many updates each of so many. */
const UPDATES = 6
const FACTS = 32
/** A healthy node needs a second. */
const BEHIND_MS = 6_000
const TOGETHER_MS = 30_000

describe('e2e/plan-sync', () => {
  let testnet: Testnet | undefined
  afterEach(() => stopTestnet(testnet))

  it('a node that was away catches up, and all nodes have equal heads', async () => {
    testnet = await startTestnet({ nodes: 3, unplug: 'pull' })
    const { running, first } = testnet
    const { away, thread } = await writeWhileAway(testnet)
    const heads = await headsOf(first, thread)
    await until(async () => {
      const found = await Promise.all(running.map(node => headsOf(node, thread)))
      return found.every(list => list === found[0])
    }, TOGETHER_MS)
    assert.ok((await factsOf(away, thread)) >= 2 * UPDATES * FACTS)
    assert.equal(await headsOf(away, thread), heads)
  })

  it('both sides of a split have all facts after it', async () => {
    testnet = await startTestnet({ nodes: 3, unplug: 'pull' })
    const { first } = testnet
    const { away, thread } = await writeWhileAway(testnet)
    // What is said on the side of the one comes to the other as well.
    await write(away, thread, 'late')
    await until(async () => (await factsOf(first, thread)) >= 3 * UPDATES * FACTS, TOGETHER_MS)
  })

  it('a node that was away stays behind without plan sync', async () => {
    testnet = await startTestnet({ nodes: 3, unplug: 'pull,plan-sync' })
    const { away, thread } = await writeWhileAway(testnet)
    await delay(BEHIND_MS)
    assert.ok((await factsOf(away, thread)) < UPDATES)
    assert.notEqual(await headsOf(away, thread), await headsOf(testnet.first, thread))
  })
})

async function writeWhileAway(
  testnet: Testnet
): Promise<{ readonly away: NodeProcess; readonly thread: string }> {
  const [first, second, away] = testnet.nodes as [NodeProcess, NodeProcess, NodeProcess]
  // Nobody decides meanwhile: the bids are waited for.
  const thread = await stateNeed(first, {
    capability: 'text/nobody',
    ttlMs: 120_000,
    windows: { bidMs: 60_000 } as never
  })
  await Promise.all([second, away].map(node => until(() => knows(node, thread), TOGETHER_MS)))
  await away.stop()
  await Promise.all([write(first, thread, 'a'), write(second, thread, 'b')])
  await until(async () => (await factsOf(first, thread)) >= 2 * UPDATES * FACTS, TOGETHER_MS)
  await until(async () => (await factsOf(second, thread)) >= 2 * UPDATES * FACTS, TOGETHER_MS)
  // Gossip tells those who come soon what was said just now; this one comes later.
  await delay(GOSSIP_MS)
  await away.start(AbortSignal.timeout(TOGETHER_MS))
  return { away, thread }
}

/** For this long gossip names messages to those who did not hear them: three heartbeats of 0.7 s, and some. */
const GOSSIP_MS = 4_500

async function write(node: NodeProcess, thread: string, who: string): Promise<void> {
  for (let at = 0; at < UPDATES; at++) {
    const facts = Array.from({ length: FACTS }, (_, index) => ({
      kind: 'ANNOTATE' as const,
      task: `task-${who}-${at}`,
      key: `key-${index}`,
      value: `${at} ${index}`
    }))
    await node.client.call('plan.add', { thread, facts })
  }
}

async function knows(node: NodeProcess, thread: string): Promise<boolean> {
  return node.client.call('thread.get', { thread }).then(
    () => true,
    () => false
  )
}

async function headsOf(node: NodeProcess, thread: string): Promise<string> {
  return (await node.client.call('plan.get', { thread })).heads.join()
}

async function factsOf(node: NodeProcess, thread: string): Promise<number> {
  let facts = 0
  const read: CallPlanChanges = (method, params) => node.client.call(method, params)
  for await (const change of planChanges(read, { thread })) facts += change.facts.length
  return facts
}

async function until(isTrue: () => Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await isTrue())) {
    if (performance.now() > deadline) assert.fail(`not within ${withinMs} ms: ${isTrue}`)
    await delay(50)
  }
}
