// Goal: `need` and `thread --follow` show every verb once and end with the status of the outcome.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import { processIo } from '../../../src/cli/io.ts'
import { Session } from '../../../src/cli/session.ts'
import type { SwarmEvent, ThreadView } from '../../../src/core/swarm/index.ts'
import type { PeerInfo } from '../../../src/ports/index.ts'
import { type NeedRequest, RefusedError, type RpcServer } from '../../../src/rpc/index.ts'
import { CID_A, CID_B, CID_C, DID_A, fakeThread } from '../../support/fake-handlers.ts'
import { fakeNode } from '../../support/fake-node.ts'

describe('cli/need', () => {
  const node = fakeNode()
  const requests: NeedRequest[] = []
  const verb = (name: string, id: string): SwarmEvent => ({
    type: 'envelope',
    thread: CID_B,
    id,
    verb: name,
    sender: DID_A,
    atMs: 1
  })
  const end = (phase: ThreadView['phase']): SwarmEvent => ({
    type: 'ended',
    thread: CID_B,
    phase,
    atMs: 2
  })

  /** Emits each event once the one before has been printed, so that the order is that of a slow network. */
  async function serve(
    view: Partial<ThreadView>,
    script: readonly SwarmEvent[]
  ): Promise<RpcServer> {
    requests.length = 0
    let asked = 0
    return node.serve({
      'need.state': async params => {
        requests.push(params)
        return { thread: CID_B }
      },
      'artifacts.addBytes': async ({ base64 }) => ({
        cid: CID_A,
        bytes: base64.length,
        files: 1
      }),
      'thread.get': async () => {
        if (asked++ > 0) return fakeThread(view)
        queueMicrotask(() => {
          for (const event of script) node.events.emit(event)
        })
        return fakeThread()
      }
    })
  }

  it('passes what was asked for', async () => {
    await serve({}, [])
    writeFileSync(join(node.home, 'in.txt'), 'hello')
    const argv =
      'need --capability text/upper --input in.txt --budget 50 --k-plan 2 --bid 1s --challenge 500ms --ttl 1m --solo'
    const result = await node.run(argv.split(' '))
    assert.equal(result.stdout, `${CID_B}\n`)
    assert.deepEqual(requests, [
      {
        capability: 'text/upper',
        inputPath: join(node.home, 'in.txt'),
        budget: '50',
        kPlan: 2,
        ttlMs: 60_000,
        solo: true,
        windows: { bidMs: 1000, challengeMs: 500 }
      }
    ])
  })

  it('passes the terms, and none where nobody asks for any', async () => {
    await serve({}, [])
    writeFileSync(join(node.home, 'in.txt'), 'hello')
    const need = 'need --capability text/upper --input in.txt'
    const terms = '--in-zone eu --in-zone ch --with-tag gpu --per-org 1 --per-zone 2 --tokens 500'
    await node.run(need.split(' '))
    await node.run(`${need} ${terms}`.split(' '))
    assert.deepEqual(
      requests.map(request => request.terms),
      [undefined, { zones: ['eu', 'ch'], tags: ['gpu'], perOrg: 1, perZone: 2, tokensMax: 500 }]
    )
  })

  describe('refused', () => {
    const refused = (by: string, envelope = CID_B): SwarmEvent => ({
      type: 'refused',
      thread: CID_B,
      envelope,
      verb: 'NEED',
      by,
      code: 'POLICY_DENIED',
      reasons: ['need-budget: "9"'],
      atMs: 1
    })
    const peer = (did: string): PeerInfo => ({
      did,
      peerId: did,
      addresses: [],
      direction: 'inbound',
      rttMs: null,
      connectedAt: 0,
      agent: 'test',
      inMesh: true
    })
    const need = 'need --capability text/upper --input in.txt --wait'.split(' ')

    async function serveRefused(script: readonly SwarmEvent[]): Promise<void> {
      let asked = 0
      await node.serve({
        'need.state': async () => ({ thread: CID_B }),
        'peers.list': async () => [peer('did:b'), peer('did:c')],
        'thread.get': async () => {
          if (asked++ === 0)
            queueMicrotask(() => {
              for (const event of script) node.events.emit(event)
            })
          return fakeThread({ group: null, phase: asked > 2 ? 'EXPIRED' : 'OPEN' })
        }
      })
      writeFileSync(join(node.home, 'in.txt'), 'hello')
    }

    it('ends with status 4 and the rule when every connected node refuses the NEED', async () => {
      await serveRefused([refused('did:b'), refused('did:c')])
      const { code, stderr } = await node.run(need)
      assert.equal(code, 4, stderr)
      assert.match(stderr, /2 of 2 connected nodes.*need-budget: "9".*\[NEED_REFUSED\]/u)
    })

    it('goes on when some do, or when they refuse something else', async () => {
      await serveRefused([
        refused('did:b'),
        refused('did:b', CID_A),
        refused('did:c', CID_A),
        end('EXPIRED')
      ])
      const { code, stderr } = await node.run(need)
      assert.equal(code, 1, stderr)
    })
  })

  it('reads standard input', async () => {
    await serve({}, [])
    assert.equal(
      (await node.run(['need', '--capability', 'a/b', '--input', '-'], { stdin: 'hello' })).code,
      0
    )
    assert.equal(requests[0]?.inputCid, CID_A)
    assert.equal(
      (await node.run(['need', '--capability', 'a/b', '--input', '-'], { stdin: '' })).code,
      2
    )
  })

  it('refuses missing and empty inputs before the node hears of them', async () => {
    await serve({}, [])
    writeFileSync(join(node.home, 'empty.txt'), '')
    const run = (...argv: string[]) => node.run(['need', '--capability', 'a/b', ...argv])
    assert.equal((await run('--input', 'missing.txt')).code, 3)
    assert.equal((await run('--input', 'empty.txt')).code, 2)
    assert.equal((await run()).code, 2)
    assert.equal((await node.run(['need', '--input', 'empty.txt'])).code, 2)
    assert.equal((await run('--input', 'a', '--input-cid', CID_A)).code, 2)
    assert.equal((await run('--input', 'a', '--ttl', '10')).code, 2)
    assert.deepEqual(requests, [])
  })

  it('opens a new epoch of an own NEED, and says which', async () => {
    const asked: object[] = []
    await node.serve({
      'need.reform': async params => {
        asked.push(params)
        return { epoch: 2 }
      }
    })
    const result = await node.run(['need', 'reform', CID_B])
    assert.equal(result.code, 0, result.stderr)
    assert.match(result.stdout, /epoch 2/u)
    assert.deepEqual(asked, [{ thread: CID_B }])
    const json = await node.run(['need', 'reform', CID_B, '--json'])
    assert.deepEqual(JSON.parse(json.stdout).epoch, 2)
    for (const argv of [
      ['need', 'reform', CID_B, '--budget', '5'],
      ['need', '--slot', 'a', 'reform', CID_B]
    ]) {
      const refused = await node.run(argv)
      assert.deepEqual(
        [refused.code, asked.length],
        [2, 2],
        'options of a NEED change nothing here'
      )
      assert.match(refused.stderr, /"need reform" takes none/u)
    }
  })

  it('follows the verbs to FINAL, each once, and ends with 0', async () => {
    const commit = { id: CID_C, worker: DID_A, outputs: [CID_A], telemetry: {} }
    await serve({ phase: 'FINAL', reason: 'verified', commit }, [
      verb('NEED', CID_B),
      verb('COMMIT', CID_C),
      { ...verb('PROPOSE', CID_A), thread: CID_C } as SwarmEvent,
      end('FINAL')
    ])
    const result = await node.run(['need', '--capability', 'a/b', '--input-cid', CID_A, '--wait'])
    assert.equal(result.code, 0, result.stderr)
    assert.deepEqual(result.stdout.match(/[A-Z]{4,}/gu), ['NEED', 'COMMIT', 'FINAL'])
    assert.match(result.stdout, new RegExp(`output +${CID_A}`, 'u'))
  })

  it('ends with 1 when the thread is not FINAL', async () => {
    await serve({ phase: 'EXPIRED', reason: 'nobody proposed' }, [end('EXPIRED')])
    const result = await node.run([
      'need',
      '--capability',
      'a/b',
      '--input-cid',
      CID_A,
      '--wait',
      '--json'
    ])
    assert.equal(result.code, 1)
    const document = JSON.parse(result.stdout)
    assert.equal(document.schema, 'can-swarm/thread/1')
    assert.equal(document.reason, 'nobody proposed')
  })

  it('prints only the outputs with --quiet', async () => {
    const commit = { id: CID_C, worker: DID_A, outputs: [CID_A], telemetry: {} }
    await serve({ phase: 'FINAL', commit }, [end('FINAL')])
    const result = await node.run([
      'need',
      '--capability',
      'a/b',
      '--input-cid',
      CID_A,
      '--wait',
      '-q'
    ])
    assert.equal(result.stdout, `${CID_A}\n`)
    assert.equal(result.stderr, '')
  })

  it('ends with 130 when interrupted', async () => {
    await serve({}, [verb('PROPOSE', CID_C)])
    const result = await node.run(['need', '--capability', 'a/b', '--input-cid', CID_A, '--wait'], {
      onStdout: (text, interrupt) => text.includes('PROPOSE') && interrupt()
    })
    assert.equal(result.code, 130)
  })

  it('ends with 69 when the node goes away', async () => {
    const server = await serve({}, [verb('PROPOSE', CID_C)])
    const result = await node.run(['need', '--capability', 'a/b', '--input-cid', CID_A, '--wait'], {
      onStdout: text => text.includes('PROPOSE') && void server.stop()
    })
    assert.equal(result.code, 69)
    assert.match(result.stderr, /can-swarm threads/u)
  })

  it('ends with 4 when the policy denies the NEED', async () => {
    const refusal = new RefusedError({ code: 'POLICY_DENIED', message: 'the budget is too low' })
    await node.serve({ 'need.state': () => Promise.reject(refusal) })
    const result = await node.run(['need', '--capability', 'a/b', '--input-cid', CID_A])
    assert.equal(result.code, 4)
    assert.match(result.stderr, /the budget is too low/u)
  })

  it('follows a known thread as lines of JSON', async () => {
    await serve({ phase: 'FINAL' }, [verb('COMMIT', CID_C), end('FINAL')])
    const result = await node.run(['thread', CID_B, '--follow', '--json'])
    const lines = result.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual(
      lines.map(line => line.verb ?? line.phase),
      ['NEED', 'COMMIT', 'FINAL']
    )
  })

  it('shows why the worker gave the task back', async () => {
    const reason = 'the worker gave the task back: "no such language"'
    await serve({ reason }, [verb('YIELD', CID_C), end('EXPIRED')])
    const argv = ['need', '--capability', 'a/b', '--input-cid', CID_A, '--wait']
    assert.match((await node.run(argv)).stdout, /YIELD .*gave the task back: "no such language"\n/u)
  })

  it('limits a call and not what comes after it', async () => {
    await node.serve({ 'threads.list': async () => [] })
    const io = { ...processIo(), env: { CAN_SWARM_HOME: node.home }, onInterrupt: () => () => {} }
    const session = new Session(io, {})
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      await session.call('threads.list', {})
      mock.timers.tick(24 * 3_600_000)
      assert.equal(session.signal.aborted, false)
    } finally {
      mock.timers.reset()
      session.end()
    }
  })
})
