// Goal: every command says the right thing in the right place and ends with the right status. Method: the program runs in
// this process against a real control socket whose handlers are fakes.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RefusedError } from '../../../src/rpc/index.ts'
import {
  CID_A,
  CID_B,
  CID_C,
  DID_A,
  DID_B,
  FakeEvents,
  fakeStatus,
  fakeThread
} from '../../support/fake-handlers.ts'
import { fakeNode } from '../../support/fake-node.ts'

/** An export without capsules and artifacts. */
const NO_EXTRAS = { capsules: 0, car: null, artifacts: [], hybrid: null }

const summary = (thread: string) => ({ ...fakeThread(), thread })

describe('cli/commands', () => {
  const node = fakeNode()

  describe('status, id, stop', () => {
    it('prints facts, or one document', async () => {
      await node.serve({ 'node.status': async () => fakeStatus() })
      const human = await node.run(['status'])
      assert.equal(human.code, 0)
      assert.match(human.stdout, /did +did:key:z6Mkha.*\n/u)
      assert.match(human.stdout, /plan sync +7 messages out, 5 in, which brought 320 envelopes\n/u)
      assert.equal(human.stderr, '')
      const json = await node.run(['status', '--json'])
      assert.deepEqual(JSON.parse(json.stdout), { schema: 'can-swarm/status/1', ...fakeStatus() })
    })

    it('says that plan sync met liars, or is unplugged', async () => {
      const found = [{ said: 1, heard: 1, brought: 0, lies: 2 }, null]
      await node.serve({
        'node.status': async () => fakeStatus({ planSync: found.shift() ?? null })
      })
      assert.match((await node.run(['status'])).stdout, /brought 0 envelopes; 2 from liars\n/u)
      assert.match((await node.run(['status'])).stdout, /plan sync +unplugged\n/u)
    })

    it('takes global options before and after the command', async () => {
      await node.serve({
        'node.id': async () => ({ did: DID_A, peerId: 'p', addresses: ['/ip4/127.0.0.1/tcp/1'] })
      })
      assert.equal((await node.run(['-q', 'id'])).stdout, `${DID_A}\n`)
      assert.equal((await node.run(['id', '-q'])).stdout, `${DID_A}\n`)
      assert.match((await node.run(['id'])).stdout, /address +\/ip4/u)
    })

    it('stops the node', async () => {
      await node.serve({ 'node.stop': async () => ({ stopping: true }) })
      assert.equal((await node.run(['stop'])).code, 0)
    })

    it('ends with 69 and what to run when there is no node', async () => {
      const human = await node.run(['status'])
      assert.equal(human.code, 69)
      assert.equal(human.stdout, '')
      assert.match(human.stderr, /^can-swarm: .*can-swarm start.*\[NODE_NOT_RUNNING\]\n$/u)
      const json = await node.run(['status', '--json'])
      assert.equal(json.code, 69)
      assert.equal(JSON.parse(json.stdout).error.code, 'NODE_NOT_RUNNING')
      assert.equal(json.stderr, '')
    })

    it('ends with 5 when --timeout passes', async () => {
      await node.serve({ 'node.status': () => new Promise(() => {}) })
      const result = await node.run(['status', '--timeout', '20ms'])
      assert.equal(result.code, 5)
      assert.match(result.stderr, /\[TIMEOUT\]/u)
    })
  })

  describe('peers', () => {
    const peer = {
      did: DID_B,
      peerId: 'p',
      addresses: ['/ip4/127.0.0.1/tcp/1'],
      direction: 'outbound' as const,
      rttMs: null,
      connectedAt: 1,
      agent: 'a',
      inMesh: true
    }

    it('lists, joins and pings', async () => {
      await node.serve({
        'peers.list': async () => [peer],
        'peers.join': async ({ address }) => ({ joined: address }),
        'peers.ping': async ({ did }) => ({ rttMs: did === DID_B ? 1.25 : 0 })
      })
      assert.match((await node.run(['peers'])).stdout, /^PEER +RTT.*\n…Zq7oMMsw +- +outbound +yes/u)
      assert.deepEqual(JSON.parse((await node.run(['peers', '--json'])).stdout).peers, [peer])
      assert.equal(
        (await node.run(['peers', 'join', '/ip4/127.0.0.1/tcp/1/p2p/x'])).stdout,
        '/ip4/127.0.0.1/tcp/1/p2p/x\n'
      )
      assert.equal((await node.run(['peers', 'ping', 'q7oMMsw'])).stdout, '1.3 ms\n')
    })

    it('says how to join when there are none, on stderr', async () => {
      await node.serve({ 'peers.list': async () => [] })
      const result = await node.run(['peers'])
      assert.equal(result.stdout, '')
      assert.match(result.stderr, /peers join/u)
    })
  })

  describe('threads', () => {
    it('accepts an end or a beginning of an id', async () => {
      await node.serve({
        'threads.list': async () => [summary(CID_B), summary(CID_C)],
        'thread.get': async ({ thread }) => fakeThread({ thread })
      })
      for (const part of [CID_B, 'soitae', '…soitae', CID_B.slice(0, 20)]) {
        const result = await node.run(['thread', part])
        assert.equal(result.code, 0, result.stderr)
        assert.match(result.stdout, new RegExp(`thread +${CID_B}`, 'u'))
        assert.match(result.stdout, /BIDDING: waits for proposals/u)
        assert.match(result.stdout, /NEED +…\w{8}/u)
      }
    })

    it('refuses a part that several have, and lists them', async () => {
      await node.serve({ 'threads.list': async () => [summary(CID_B), summary(CID_C)] })
      const result = await node.run(['thread', 'bafyrei'])
      assert.equal(result.code, 2)
      assert.ok(result.stderr.includes(CID_B) && result.stderr.includes(CID_C))
    })

    it('ends with 3 for an id that nothing has, also where the node says so', async () => {
      const refusal = new RefusedError({ code: 'THREAD_NOT_FOUND', message: 'no such thread' })
      await node.serve({
        'threads.list': async () => [],
        'thread.get': () => Promise.reject(refusal)
      })
      assert.equal((await node.run(['thread', 'zzzz'])).code, 3)
      assert.equal((await node.run(['thread', CID_A])).code, 3)
    })

    it('lists threads with why they are where they are', async () => {
      await node.serve({
        'threads.list': async ({ limit }) => Array(limit ?? 2).fill(summary(CID_B))
      })
      const result = await node.run(['threads'])
      assert.match(result.stdout, /THREAD +PHASE.*\n…z7soitae +BIDDING +text\/language/u)
      assert.equal(
        (await node.run(['threads', '--limit', '3', '-q'])).stdout,
        `${CID_B}\n`.repeat(3)
      )
      assert.equal((await node.run(['threads', '--limit', 'all'])).code, 2)
    })

    it('lists a void thread as void, and ends a look at it with status 1', async () => {
      const voided = { evidence: CID_A, epoch: 0, reason: 'the requester signed two FORMs' }
      const ended = fakeThread({ phase: 'FINAL', reason: 'all passed', void: voided })
      await node.serve({
        'threads.list': async () => [ended],
        'thread.get': async () => ended,
        'events.subscribe': (_, context) => new FakeEvents().subscribe(context)
      })
      const { stdout } = await node.run(['threads'])
      assert.match(stdout, /FINAL VOID +text\/language.* the requester signed two FORMs\n/u)
      const followed = await node.run(['thread', CID_B, '--follow'])
      assert.equal(followed.code, 1, followed.stdout)
      assert.match(followed.stdout, /^VOID {2}the requester signed two FORMs/mu)
    })

    it('shows a thread that has ended, each thing once', async () => {
      const proposal = {
        id: CID_A,
        worker: DID_A,
        cost: '5',
        claimed: 1,
        attestations: [DID_A, DID_B]
      }
      const view = fakeThread({ phase: 'EXPIRED', reason: 'expired: nobody sealed' })
      const group = { roster: [DID_A], leader: null, term: 2, applied: 9, commit: 9, tier: 'full' }
      const ended = { ...view, group, proposals: [proposal] } as unknown as typeof view
      await node.serve({ 'thread.get': async () => ended, 'threads.list': async () => [ended] })
      const { stdout } = await node.run(['thread', CID_B])
      assert.match(stdout, /phase +EXPIRED: nobody sealed\n/u)
      assert.match(stdout, /group +[^,]+, term 2/u)
      assert.match(stdout, /for 5, 2 attestations, 1 needed\n/u)
      assert.match((await node.run(['threads'])).stdout, /EXPIRED.* nobody sealed\n/u)
      assert.doesNotMatch((await node.run(['threads'])).stdout, /expired/u)
    })
  })

  describe('artifacts', () => {
    it('adds, and prints only the CID with -q', async () => {
      await node.serve({
        'artifacts.add': async ({ path, pin }) => ({
          cid: CID_A,
          bytes: path.length,
          files: pin ? 1 : 0
        })
      })
      writeFileSync(join(node.home, 'a.txt'), 'x')
      assert.equal((await node.run(['add', '-q', 'a.txt'])).stdout, `${CID_A}\n`)
      assert.equal(
        JSON.parse((await node.run(['add', 'a.txt', '--no-pin', '--json'])).stdout).files,
        0
      )
      assert.equal((await node.run(['add', 'b.txt'])).code, 3)
    })

    it('prints a file of any size in windows', async () => {
      const content = Buffer.alloc(9 * 1024 * 1024, 'abcdefgh')
      const offsets: number[] = []
      await node.serve({
        'artifacts.cat': async ({ offset = 0, length = 0 }, context) => {
          offsets.push(offset)
          const range = content.subarray(offset, offset + length)
          for (let at = 0; at < range.length; at += 262_144) {
            context.progress({ base64: range.subarray(at, at + 262_144).toString('base64') })
            await context.drained()
          }
          return { bytes: range.length }
        }
      })
      const result = await node.run(['cat', CID_A])
      assert.equal(result.stdout.length, content.length)
      assert.ok(result.stdout === content.toString())
      assert.deepEqual(offsets, [0, 8 * 1024 * 1024])
    })

    it('gets to a path of this folder', async () => {
      await node.serve({ 'artifacts.get': async ({ path }) => ({ bytes: path.length, files: 1 }) })
      assert.equal((await node.run(['get', CID_A])).stdout, `${join(node.home, CID_A)}\n`)
      assert.equal(
        JSON.parse((await node.run(['get', CID_A, '-o', 'x', '--json'])).stdout).path,
        join(node.home, 'x')
      )
    })

    it('tells the node how long to wait', async () => {
      let asked = 0
      await node.serve({
        'artifacts.get': ({ timeoutMs = 0 }) => {
          asked = timeoutMs
          return Promise.reject(
            new RefusedError({ code: 'ARTIFACT_NOT_FOUND', message: 'nobody has it' })
          )
        }
      })
      assert.equal((await node.run(['get', CID_A, '--timeout', '10s'])).code, 3)
      assert.equal(asked, 9500)
    })

    it('pins, and lists and removes pins', async () => {
      const pin = { cid: CID_A, recursive: true as const, name: 'mine', createdAt: 0 }
      await node.serve({
        'pins.add': async ({ cid, name }) => ({ ...pin, cid, name }),
        'pins.ls': async () => [pin],
        'pins.rm': async ({ cid }) => ({ removed: cid }),
        'gc.run': async () => ({ removed: 1, bytes: 2048, kept: 3 })
      })
      assert.equal((await node.run(['pin', 'add', CID_A, '--name', 'x'])).stdout, `${CID_A}\n`)
      assert.match((await node.run(['pin', 'ls'])).stdout, /1970-01-01T00:00:00\.000Z +mine/u)
      assert.equal((await node.run(['pin', 'rm', CID_A])).stdout, `${CID_A}\n`)
      assert.equal((await node.run(['gc'])).stdout, 'removed 1 blocks, 2.0 KiB; kept 3\n')
    })

    it('exports and imports CAR files', async () => {
      await node.serve({
        'artifacts.exportCar': async () => ({ blocks: 1, bytes: 10 }),
        'artifacts.importCar': async () => ({ roots: [CID_A], blocks: 1 })
      })
      writeFileSync(join(node.home, 'a.car'), 'x')
      assert.equal(
        (await node.run(['car', 'export', CID_A, '-o', 'b.car'])).stdout,
        `${join(node.home, 'b.car')}\n`
      )
      assert.equal((await node.run(['car', 'import', 'a.car'])).stdout, `${CID_A}\n`)
      assert.equal((await node.run(['car', 'import', 'missing.car'])).code, 3)
    })
  })

  describe('doctor', () => {
    it('ends with 1 and says what to do when something is wrong', async () => {
      await node.serve({
        'node.doctor': async () => ({
          checks: [{ name: 'peers', ok: false, detail: 'none', fix: 'Join one.' }]
        })
      })
      const result = await node.run(['doctor'])
      assert.equal(result.code, 1)
      assert.match(result.stdout, /FAIL +peers: none\n +Join one\./u)
      assert.match(result.stdout, /ok +home: /u)
    })

    it('works without a node', async () => {
      const result = await node.run(['doctor', '--json'])
      assert.equal(result.code, 1)
      assert.deepEqual(
        JSON.parse(result.stdout)
          .checks.filter((check: { ok: boolean }) => !check.ok)
          .map((check: { name: string }) => check.name),
        ['node']
      )
    })
  })

  describe('config', () => {
    it('shows settings with their origin and without secrets', async () => {
      writeFileSync(join(node.home, 'config.json'), '{"network":{"name":"lab"}}')
      const env = { CAN_SWARM_PASSPHRASE: 'hunter2' }
      const result = await node.run(['config', 'show', '--origin', '--log-level', 'debug'], { env })
      assert.equal(result.code, 0, result.stderr)
      assert.match(result.stdout, /network\.name +"lab" +file/u)
      assert.match(result.stdout, /log\.level +"debug" +flag/u)
      assert.match(result.stdout, /keystore\.passphrase +"\(secret\)" +env/u)
      assert.doesNotMatch(result.stdout, /hunter2|unplug/u)
      assert.equal(
        JSON.parse((await node.run(['config', 'show', '--json'])).stdout).config.network.name,
        'lab'
      )
    })

    it('ends with 78 and every problem in one line', async () => {
      writeFileSync(join(node.home, 'config.json'), '{"network":{"nmae":"lab"}}')
      const result = await node.run([
        'config',
        'show',
        '--runtime-tick-ms',
        'fast',
        '--work',
        'text/poetry'
      ])
      assert.equal(result.code, 78)
      assert.match(
        result.stderr,
        /^can-swarm: (?=.*network\.nmae)(?=.*--runtime-tick-ms)(?=.*--work).*\[CONFIG_INVALID\]\n$/u
      )
    })
  })

  describe('audit', () => {
    it('exports a record', async () => {
      await node.serve({
        'thread.record': async ({ path = '' }) => ({
          path,
          lines: 12,
          complete: true,
          ...NO_EXTRAS
        })
      })
      const result = await node.run(['audit', 'export', CID_B, '-o', 'r.jsonl'])
      assert.equal(result.stdout, `${join(node.home, 'r.jsonl')}\n`)
    })

    it('says by what a sealed record was encrypted, and takes --classical with a reader only', async () => {
      const asked: unknown[] = []
      let hybrid = true
      await node.serve({
        'thread.record': async ({ path = '', recipient, classical }) => {
          asked.push([recipient, classical])
          return { path, lines: 12, complete: true, ...NO_EXTRAS, hybrid }
        }
      })
      const sealed = ['audit', 'export', CID_B, '-o', 'r.sealed', '--for', DID_B]
      assert.match((await node.run(sealed)).stderr, /by X25519 and ML-KEM-768$/mu)
      hybrid = false
      assert.match((await node.run(sealed)).stderr, /X25519 alone: this node knows of no ML-KEM/u)
      const chosen = await node.run([...sealed, '--classical'])
      assert.match(chosen.stderr, /by X25519 alone$/mu)
      const json = await node.run([...sealed, '--json'])
      assert.equal(JSON.parse(json.stdout).hybrid, false)
      assert.deepEqual(asked.slice(1, 3), [
        [DID_B, undefined],
        [DID_B, true]
      ])
      const plain = ['audit', 'export', CID_B, '-o', 'r.jsonl', '--classical']
      assert.equal((await node.run(plain)).code, 2)
      assert.equal(asked.length, 4)
    })

    it('ends with 3 for a missing record and 1 for one that does not hold', async () => {
      assert.equal((await node.run(['audit', 'verify', 'missing.jsonl'])).code, 3)
      writeFileSync(join(node.home, 'bad.jsonl'), 'not a record\n')
      const result = await node.run(['audit', 'verify', 'bad.jsonl', '--json'])
      assert.equal(result.code, 1)
      const report = JSON.parse(result.stdout)
      assert.equal(report.ok, false)
      assert.equal(report.problems.length, 1)
    })
  })

  describe('work and verify', () => {
    it('needs a program or a builtin one, and not both', async () => {
      assert.equal((await node.run(['work', '--capability', 'a/b'])).code, 2)
      assert.equal(
        (await node.run(['verify', '--capability', 'a/b', '--builtin', 'language', '--', 'cat']))
          .code,
        2
      )
      assert.equal((await node.run(['work', '--capability', 'a/b', '--builtin', 'poetry'])).code, 2)
    })

    for (const [command, role] of [
      ['work', 'worker'],
      ['verify', 'verifier']
    ] as const)
      it(`runs a ${role} with everything after -- until it is interrupted`, async () => {
        const announced = Promise.withResolvers<unknown>()
        await node.serve({
          'node.id': async () => ({ did: DID_A, peerId: 'p', addresses: [] }),
          'threads.list': async () => [],
          'agent.announce': async params => {
            announced.resolve(params)
            return { manifest: CID_A }
          }
        })
        const running = node.run(
          [command, '--capability', 'text/upper', '--', 'tr', '--json', 'A-Z'],
          {
            onStdout: (text, interrupt) => text.includes('announced') && interrupt()
          }
        )
        assert.deepEqual(await announced.promise, { capabilities: ['text/upper'], roles: [role] })
        assert.equal((await running).code, 0)
      })
  })

  describe('testnet', () => {
    it('refuses a number of nodes that no laptop holds', async () => {
      assert.equal((await node.run(['testnet', 'up', '--nodes', '0'])).code, 2)
      assert.equal((await node.run(['testnet', 'up', '--nodes', '1000'])).code, 2)
    })
  })

  describe('usage', () => {
    for (const [argv, suggestion] of [
      [['stats'], 'status'],
      [['status', '--jsn'], '--json'],
      [['pin', 'lst'], 'ls'],
      [['cat'], 'missing required argument'],
      [['status', 'extra'], 'too many arguments'],
      [['cat', 'x', '--timeout', '10'], '30s']
    ] as const)
      it(`answers "${argv.join(' ')}" in one line`, async () => {
        const result = await node.run(argv)
        assert.equal(result.code, 2)
        assert.equal(result.stdout, '')
        assert.equal(result.stderr.trim().split('\n').length, 1)
        assert.ok(result.stderr.includes(suggestion), result.stderr)
      })

    it('answers broken command lines as JSON where asked', async () => {
      const result = await node.run(['stats', '--json'])
      assert.equal(result.code, 2)
      assert.equal(JSON.parse(result.stdout).error.code, 'USAGE')
    })

    it('shows help without a command', async () => {
      const result = await node.run([])
      assert.equal(result.code, 0)
      assert.match(result.stdout, /Usage: can-swarm/u)
    })

    it('ends with 2 for a group without a command', async () => {
      assert.equal((await node.run(['pin'])).code, 2)
    })

    it('refuses a folder in the way of a socket', async () => {
      mkdirSync(join(node.home, 'node.sock'))
      assert.equal((await node.run(['status'])).code, 69)
    })
  })
})
