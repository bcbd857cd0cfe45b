// Goal: the real machine behind the real driver and door: a NEED becomes FINAL, and a member that dies goes on where it was.
// Method: five nodes on the in-memory network, real time, crashing memory disks; agents are the scripts of the core's tests.
import assert from 'node:assert/strict'
import { nodeVerifier } from '../../../src/adapters/ed25519/index.ts'
import {
  MemoryDisk,
  MemoryHub,
  memoryArchive,
  memoryJournal
} from '../../../src/adapters/memory/index.ts'
import { systemClock, systemEntropy } from '../../../src/adapters/system/index.ts'
import { CID } from '../../../src/core/codec/index.ts'
import type { Verb } from '../../../src/core/envelope/index.ts'
import { type Command, type Phase, Swarm } from '../../../src/core/swarm/index.ts'
import type { ArchiveEntry } from '../../../src/ports/index.ts'
import { Driver, type DriverInit } from '../../../src/runtime/index.ts'
import { needDraft } from '../../../src/simulator/index.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { script } from '../../support/swarm-agents.ts'
import {
  type ClusterNode,
  type SwarmCluster,
  testDraft,
  testKeys
} from '../../support/swarm-cluster.ts'
import { until } from '../../support/until.ts'
import { CAPSULE, ScriptedPolicy, silent } from '../../support/virtual-world.ts'

const VOTER = {
  capabilities: ['text/upper'],
  roles: ['voter', 'worker', 'verifier'] as const,
  tags: [],
  zone: '',
  org: '',
  price: 1n,
  stake: 0n,
  agent: 'test'
}
const WINDOWS = {
  bidMs: 150,
  leaseTtlMs: 1000,
  verifyMs: 2000,
  sealMs: 50,
  revealMs: 1000,
  challengeMs: 150
}

const PHASES: readonly Phase[] = [
  'OPEN',
  'BIDDING',
  'DECIDED',
  'CLAIMED',
  'COMMITTED',
  'REVEALING',
  'VERIFIED',
  'FINAL'
]

/** Address of the first node, where all others meet. */
const MEETING = `/memory/${testKeys(0).did.slice('did:key:'.length)}`

class DrivenNode {
  readonly disk = new MemoryDisk()
  readonly archived = new Map<string, ArchiveEntry>()
  readonly hub: MemoryHub
  readonly index: number
  readonly did: string
  readonly fatal: Error[] = []
  swarm!: Swarm
  driver!: Driver
  agent: ClusterNode['agent'] = null
  #kill: () => Promise<void> = async () => {}

  constructor(hub: MemoryHub, index: number) {
    this.hub = hub
    this.index = index
    this.did = testKeys(index).did
  }

  async start(
    init: Partial<DriverInit> = {},
    bootstrap: readonly string[] = [MEETING].slice(0, this.index)
  ): Promise<void> {
    const { did, sign } = testKeys(this.index)
    const verify = nodeVerifier()
    const random = seededRandom(this.index + 1)
    const network = this.hub.network({ did, logger: silent, bootstrap })
    network.announceVoter()
    const swarm = new Swarm({
      did,
      sign,
      verify,
      random: below => random.below(below),
      settings: { graceMs: 300 }
    })
    const driver = new Driver(
      {
        machine: swarm,
        journal: memoryJournal(this.disk),
        archive: memoryArchive(this.archived),
        network,
        policy: new ScriptedPolicy(),
        verify,
        signer: { did, sign },
        clock: systemClock(),
        entropy: systemEntropy(),
        logger: silent
      },
      { tickMs: 20, onFatal: error => this.fatal.push(error), ...init }
    )
    driver.onEvent(event =>
      setImmediate(
        () => this.swarm === swarm && this.agent?.(this as unknown as ClusterNode, event)
      )
    )
    this.swarm = swarm
    this.driver = driver
    await driver.start()
    await network.start()
    this.#kill = async () => {
      await network.stop()
      // What was written but not synced is lost; the old driver's later appends fail, as a dead process's would.
      this.disk.crash()
      await driver.stop()
    }
  }

  kill(): Promise<void> {
    return this.#kill()
  }
}

/** What the scripts of the core's tests need of their cluster. */
const cluster = {
  get nowMs() {
    return Date.now()
  },
  command: (node: DrivenNode, command: Command) => void node.driver.command(command)
} as unknown as SwarmCluster

describe('runtime: the swarm behind its driver', () => {
  let nodes: DrivenNode[]
  beforeEach(async () => {
    const hub = new MemoryHub()
    nodes = [0, 1, 2, 3, 4].map(index => new DrivenNode(hub, index))
    for (const node of nodes) {
      await node.start()
      await announce(node)
    }
    for (const node of nodes.slice(1))
      script(cluster, node as unknown as ClusterNode, {
        works: node.index < 3,
        verifies: node.index > 1
      })
    await until('all manifests are known', () =>
      nodes.every(node => node.swarm.manifests().size === 5)
    )
  })
  afterEach(() => Promise.all(nodes.map(node => node.driver.stop())))

  async function announce({ driver }: DrivenNode): Promise<void> {
    const result = await driver.command({
      type: 'announce',
      draft: testDraft(Date.now(), 'MANIFEST' as Verb, null, VOTER as never) as never
    })
    assert.ok(result.ok, JSON.stringify(result))
  }

  async function stateNeed(
    expiresAt = Date.now() + 20_000,
    { driver } = nodes[0] as DrivenNode
  ): Promise<string> {
    const result = await driver.command({
      type: 'state-need',
      draft: needDraft(Date.now(), { windows: WINDOWS, expiresAt, capsule: CID.parse(CAPSULE) })
    })
    assert.ok(result.ok, JSON.stringify(result))
    return (result.value as { envelope: string }).envelope
  }

  it('brings a NEED to FINAL, with the same outcome at every node and nobody rejected', async () => {
    const thread = await stateNeed()
    await until('FINAL everywhere', () =>
      nodes.every(node => node.swarm.view(thread)?.phase === 'FINAL')
    )
    assert.equal(
      new Set(nodes.map(node => JSON.stringify(node.swarm.view(thread)?.finalize?.payouts))).size,
      1
    )
    for (const node of nodes) {
      const { door, dropped } = node.driver.stats()
      assert.deepEqual(
        Object.keys(door).filter(code => code !== 'ACCEPTED' && code !== 'REPLAYED'),
        []
      )
      assert.deepEqual([dropped, node.fatal], [{}, []])
    }
  })

  it('looks for voters when too few are connected, and forms a group of those that it finds', async () => {
    const loner = new DrivenNode((nodes[0] as DrivenNode).hub, nodes.length)
    nodes.push(loner)
    await loner.start({}, [])
    await announce(loner)
    const thread = await stateNeed(Date.now() + 20_000, loner)
    await until('FINAL', () => loner.swarm.view(thread)?.phase === 'FINAL')
    assert.equal(loner.swarm.view(thread)?.group?.roster.length, 4)
  })

  for (const phase of ['BIDDING', 'DECIDED', 'VERIFIED'] as const) {
    it(`still ends when one node dies at ${phase} and comes back from its disk`, async () => {
      const victim = nodes[3] as DrivenNode
      const reached = new Promise<void>(resolve => {
        victim.driver.onEvent(event => {
          // Phases that pass within one batch are seen together: the first at or after the wanted one counts.
          if (event.type === 'thread' && PHASES.indexOf(event.phase) >= PHASES.indexOf(phase))
            resolve()
        })
      })
      const thread = await stateNeed()
      await reached
      await victim.kill()
      await victim.start()
      await until('FINAL everywhere', () =>
        nodes.every(node => node.swarm.view(thread)?.phase === 'FINAL')
      )
      assert.deepEqual(
        nodes
          .flatMap(node => node.fatal.map(error => (error as Error & { code?: string }).code))
          .filter(code => code !== 'JOURNAL_FAILED'),
        []
      )
    })
  }

  it('decides nothing and says so when consensus is unplugged', async () => {
    for (const node of nodes) {
      await node.kill()
      await node.start({ unplug: new Set(['consensus' as const]) })
    }
    await until('all are connected again', () =>
      nodes.every(node => node.swarm.manifests().size === 5)
    )
    const thread = await stateNeed(Date.now() + 800)
    await until('the end', () => nodes.every(node => node.swarm.view(thread)?.phase === 'EXPIRED'))
    assert.ok(nodes.every(node => node.swarm.view(thread)?.decide === null))
  })
})
