// Goal: a capsule made on one node governs NEEDs that others judge. Method: real nodes; capsules that need no compiler.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CID } from '../../src/core/codec/index.ts'
import type { ThreadView } from '../../src/core/swarm/index.ts'
import { basePath, type CapsuleDag, encodeCapsuleFile } from '../../src/policy/index.ts'
import type { AskedPolicy } from '../../src/rpc/index.ts'
import { NodeProcess, nodeEnvironment, type Testnet } from '../../src/testnet/index.ts'
import { HostilePeer, idleNeed } from '../support/hostile-peer.ts'
import { frugalCapsule, lenientCapsule, lyingCapsule } from '../support/sample-capsules.ts'
import {
  endOf,
  freshFolder,
  runCli,
  SHORT_WINDOWS,
  startTestnet,
  stateNeed,
  stopTestnet,
  viewWhen
} from '../support/testnet.ts'

/** Enough for the bid gate, too little for the commit gate. */
const GAS_OF_A_BID = 300_000

type Newcomer = {
  readonly unplug?: string
  readonly work?: readonly string[]
  readonly settings?: NodeJS.ProcessEnv
}

describe('e2e/policies', () => {
  const folder = freshFolder()
  let testnet: Testnet
  before(async () => {
    testnet = await startTestnet({ nodes: 4 })
  })
  after(async () => {
    await stopTestnet(testnet)
    rmSync(folder, { recursive: true, force: true })
  })

  const onFirst = (...argv: string[]): ReturnType<typeof runCli> =>
    runCli(['--home', testnet.first.home, 'policy', ...argv])
  const fileOf = (dag: CapsuleDag): string => {
    const path = join(folder, `${dag.capsule.name}.car`)
    writeFileSync(path, encodeCapsuleFile(dag))
    return path
  }
  const added = async (dag: CapsuleDag): Promise<string> => {
    const { status, stdout, stderr } = await onFirst('add', fileOf(dag))
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trim(), dag.capsule.cid)
    return dag.capsule.cid
  }
  const origins = async (node: NodeProcess, cid: string): Promise<unknown> =>
    (await node.client.call('policy.list', {})).find(one => one.cid === cid)?.origin
  const newcomer = async (
    name: string,
    { unplug, work = [], settings = {} }: Newcomer = {}
  ): Promise<NodeProcess> => {
    const node = new NodeProcess({
      role: { name, title: name, work, verify: [], bad: false },
      home: join(folder, name),
      network: testnet.network,
      listen: '/ip4/127.0.0.1/tcp/0',
      join: testnet.first.status.addresses.slice(0, 1),
      env: {
        ...nodeEnvironment({
          ...process.env,
          ...(unplug && { CAN_SWARM_NODE_UNPLUG: unplug })
        }),
        ...settings
      }
    })
    await node.start(new AbortController().signal)
    return node
  }

  /** The first line of the answer. The client of this program cannot write what no program should send. */
  const rawCall = async (node: NodeProcess, method: string, params: string): Promise<string> => {
    const socket = connect(join(node.home, 'node.sock'))
    socket.write(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}\n`)
    try {
      for await (const line of createInterface({ input: socket })) return line
      return ''
    } finally {
      socket.destroy()
    }
  }

  it('lets work pass that the capsule of its NEED allows, after others fetched that', async () => {
    const capsule = await added(await lenientCapsule())
    const thread = await stateNeed(testnet.first, { capsule })
    const view = await endOf(testnet.first, thread)
    assert.equal(view.phase, 'FINAL', view.reason)
    assert.equal(view.capsule, capsule)
    assert.equal(await origins(testnet.first, capsule), 'added')
    const others = testnet.running.filter(node => node !== testnet.first)
    const held = await Promise.all(others.map(node => origins(node, capsule)))
    assert.ok(held.filter(origin => origin === 'fetched').length >= 2, held.join(' '))
    const commit = view.commit?.id ?? ''
    const explained = await onFirst('explain', `${thread}/${commit}`, '--json')
    const { asked } = JSON.parse(explained.stdout) as {
      asked: { gate: string; capsule: string; matches: boolean | null }[]
    }
    assert.deepEqual(
      asked.map(one => [one.gate, one.matches]),
      [
        ['message', true],
        ['commit', null]
      ]
    )
    assert.equal(asked[1]?.capsule, capsule)
  })

  it('rejects work that the capsule of its NEED denies, with the rule as the reason', async () => {
    const capsule = await added(await frugalCapsule(GAS_OF_A_BID))
    const thread = await stateNeed(testnet.first, { capsule })
    const view = await endOf(testnet.first, thread, 30_000)
    assert.notEqual(view.phase, 'FINAL')
    const reasons = view.verdicts.flatMap(verdict => verdict.reasons)
    assert.ok(
      reasons.some(reason => reason === 'commit gate: engine: the evaluation ran out of gas'),
      JSON.stringify(view.verdicts)
    )
    assert.equal(
      view.verdicts.some(verdict => verdict.pass === true),
      false
    )
  })

  it('gives work only to whom the NEED and its capsule allow, and counts one verifier of an org', async () => {
    const { status, stdout, stderr } = await onFirst(
      'add',
      join(basePath(), '../samples/strict.car')
    )
    assert.equal(status, 0, stderr)
    const capsule = stdout.trim()
    const settings = {
      CAN_SWARM_AGENTS_ORG: 'acme',
      CAN_SWARM_AGENTS_ZONE: 'eu',
      CAN_SWARM_AGENTS_TAGS: 'vetted'
    }
    const vetted = await newcomer('vetted', { work: ['text/language'], settings })
    try {
      const thread = await stateNeed(testnet.first, {
        capsule,
        terms: { zones: ['eu'], tags: ['vetted'], perOrg: 1 },
        // The sample takes no result of a worker that lost its lease twice, however loaded the machine is.
        windows: { bidMs: 2000, leaseTtlMs: 15_000, verifyMs: 15_000, challengeMs: 600 },
        ttlMs: 40_000
      })
      const view = await endOf(testnet.first, thread, 60_000)
      assert.equal(view.phase, 'FINAL', view.reason)
      assert.equal(view.decide?.worker, vetted.did)
      assert.equal(view.commit?.telemetry['zone'], 'eu')
      const others = view.proposals.filter(({ worker }) => worker !== vetted.did)
      assert.ok(others.length > 0, 'workers of no org have bid too')
      assert.deepEqual(
        others.map(({ attestations }) => attestations),
        others.map(() => [])
      )
      const commit = await explained(`${thread}/${view.commit?.id}`, 'commit')
      // All verifiers of a testnet are of no org, which is one: the decision counts the first, however many attest.
      assert.equal((commit.input['committee'] as unknown[]).length, 1)
      assert.deepEqual(commit.decision.reasons, [])
      const { decision } = await explained(`${thread}/${others[0]?.id}`, 'bid')
      // A manifest may have a tag for the key to which records are sealed.
      assert.match(decision.reasons.join(' '), /^org: "" tag: \[("mlkem768\/\w+")?\] zone: ""$/u)
    } finally {
      await vetted.stop()
    }
  }).timeout(90_000)

  /** What a gate is asked about an envelope, and says. */
  const explained = async (envelope: string, gate: string): Promise<AskedPolicy> => {
    const { stdout, stderr } = await onFirst('explain', envelope, '--json')
    assert.notEqual(stdout, '', stderr)
    const { asked } = JSON.parse(stdout) as { asked: AskedPolicy[] }
    return asked.find(one => one.gate === gate) as AskedPolicy
  }

  /** A job in whose bid window the other evaluation came: a longer one where the machine is busy. */
  const disputed = async (bidMs = 2000): Promise<ThreadView> => {
    const windows = { ...SHORT_WINDOWS, bidMs }
    const id = await stateNeed(testnet.first, { windows, ttlMs: 20_000 + bidMs })
    const view = await endOf(testnet.first, id, 25_000 + bidMs)
    assert.equal(view.phase, 'FINAL', view.reason)
    if (view.divergences.length > 0) return view
    assert.ok(bidMs < 16_000, 'the other evaluation got into no log')
    return disputed(2 * bidMs)
  }

  it('shows in the thread who evaluated a proposal differently, and goes on', async () => {
    const peer = await HostilePeer.start({ network: testnet.network, name: 'diverging' })
    try {
      peer.onEnvelope(({ cid, envelope: { verb, thread } }) => {
        if (verb !== 'PROPOSE' || thread === null) return
        const evaluation = new Uint8Array(32).fill(9)
        const payload = { need: thread, proposal: cid, evaluation, standing: null }
        void peer.seal('ATTEST_PLAN', payload, { thread, refs: [cid] }).then(attested => {
          for (const to of peer.peers()) peer.show(to, attested)
        })
      })
      await peer.join(testnet.running.map(node => node.status.addresses[0] ?? ''))
      const view = await disputed()
      assert.deepEqual(
        view.divergences.map(
          ({ evaluations }) => evaluations.find(({ digest }) => digest.startsWith('09'))?.by
        ),
        view.divergences.map(() => [peer.signer.did])
      )
      const home = ['--home', testnet.first.home]
      const { stdout } = await runCli([...home, 'thread', view.thread])
      assert.match(stdout, /^divergence +bid gate of .*09090909 by/mu)
      assert.match(stdout, /^warnings .*nodes evaluated the PROPOSE .* differently/mu)
    } finally {
      await peer.stop()
    }
  })

  it('asks a capsule of another node, and cannot without the store', async () => {
    const cid = await added(await lenientCapsule('travelling'))
    const plugged = await newcomer('plugged')
    const unplugged = await newcomer('unplugged', { unplug: 'artifacts' })
    try {
      const ask = (node: NodeProcess) =>
        node.client.call('policy.evaluate', { cid, input: { gate: 'commit' } })
      // A loaded machine takes longer than one question waits.
      const askUntilFetched = async (): ReturnType<typeof ask> => {
        for (;;) {
          try {
            return await ask(plugged)
          } catch (error) {
            if (!/still being fetched/u.test(String(error))) throw error
          }
        }
      }
      assert.deepEqual(await askUntilFetched(), await ask(testnet.first))
      assert.equal(await origins(plugged, cid), 'fetched')
      await assert.rejects(ask(unplugged), { code: 'CAPSULE_UNAVAILABLE' })
    } finally {
      await Promise.all([plugged.stop(), unplugged.stop()])
    }
  })

  it('shows in the thread why the capsule of its NEED is refused, and what to do', async () => {
    const lying = await lyingCapsule()
    const home = ['--home', testnet.first.home]
    // As an artifact anybody can have it.
    const imported = await runCli([...home, 'car', 'import', fileOf(lying)])
    assert.equal(imported.status, 0, imported.stderr)
    const peer = await HostilePeer.start({ network: testnet.network, name: 'lying' })
    try {
      await peer.join(testnet.running.map(node => node.status.addresses[0] ?? ''))
      const capsule = CID.parse(lying.capsule.cid)
      const need = await peer.seal('NEED', idleNeed(peer, { capsule }))
      for (const to of peer.peers()) peer.show(to, need)
      const other = testnet.running[1] ?? testnet.first
      const view = await viewWhen(other, need.id, ({ warnings }) => warnings.length > 0)
      assert.match(
        view.warnings.join(),
        /vector "a lie" \(VECTOR_FAILED\) \[CAPSULE_REFUSED\]\. .* another capsule/u
      )
      const { stdout } = await runCli(['--home', other.home, 'thread', need.id])
      assert.match(stdout, /^warnings .*CAPSULE_REFUSED/mu)
    } finally {
      await peer.stop()
    }
  })

  it('refuses a capsule that lies and questions beyond measure, names the rule that denies a NEED, and serves on', async () => {
    const lying = await onFirst('add', fileOf(await lyingCapsule()))
    assert.equal(lying.status, 4)
    assert.match(lying.stderr, /vector "a lie".*\[CAPSULE_REFUSED\]/u)
    const { client } = testnet.first
    const cid = (await client.call('policy.list', {}))[0]?.cid ?? ''
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
    const params = `{"cid":"${cid}","input":{"gate":"message","x":${deep}}}`
    const answer = await rawCall(testnet.first, 'policy.evaluate', params)
    assert.match(answer, /nests deeper than 64 levels.*POLICY_INPUT/u)
    const large = { gate: 'message', x: 'x'.repeat(10_000_000) }
    const { decision } = await client.call('policy.evaluate', { cid, input: large })
    assert.deepEqual(decision.reasons, ['engine: the evaluation trapped'])
    const over = await runCli([
      ...['--home', testnet.first.home, 'need', '--capability', 'text/language'],
      ...['--input-cid', cid, '--budget', '9999999999999999']
    ])
    assert.equal(over.status, 4)
    assert.match(over.stderr, /need-budget: "9999999999999999".*\[POLICY_DENIED\]/u)
    assert.ok((await client.call('node.status', {})).pid > 0)
  })
})
