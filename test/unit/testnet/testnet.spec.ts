// Goal: the parts of the launcher that need no process. Method: plain calls; processes are the business of test/e2e.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fetchArtifact } from '../../../src/agents/index.ts'
import { threadReport, threadTimings } from '../../../src/testnet/demo-report.ts'
import {
  difference,
  nodeEnvironment,
  rolesOf,
  runDemo,
  status,
  Testnet
} from '../../../src/testnet/index.ts'
import { checkInput, defaultInput } from '../../../src/testnet/input-file.ts'
import { Screen } from '../../../src/testnet/screen.ts'
import { readState, removeState, stateFile, writeState } from '../../../src/testnet/state-file.ts'
import { verbText } from '../../../src/testnet/verb-text.ts'
import { committedBy, ME, OTHER } from '../../support/agent-harness.ts'
import { runCommand } from '../../support/cli-runner.ts'
import { FakeSwarm } from '../../support/fake-swarm.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const CAPABILITY = 'text/language'

describe('testnet/roles', () => {
  it('leaves verifiers enough when any one node is lost', () => {
    const roles = rolesOf(5, { capability: CAPABILITY })
    assert.deepEqual(
      roles.map(role => role.work.length),
      [0, 1, 1, 0, 0]
    )
    assert.deepEqual(
      roles.map(role => role.verify.length),
      [0, 1, 1, 1, 1]
    )
  })

  it('takes bad nodes from the end', () => {
    const bad = rolesOf(5, { capability: CAPABILITY, bad: 2 }).map(role => role.bad)
    assert.deepEqual(bad, [false, false, false, true, true])
  })

  it('refuses shapes that cannot be', async () => {
    const usage = { code: 'TESTNET_USAGE' }
    await assert.rejects(Testnet.start({ nodes: 0, capability: CAPABILITY }), usage)
    await assert.rejects(Testnet.start({ nodes: 33, capability: CAPABILITY }), usage)
    await assert.rejects(Testnet.start({ nodes: 4, bad: 4, capability: CAPABILITY }), usage)
    await assert.rejects(runDemo({ nodes: 3 }), usage)
  })
})

describe('testnet/environment', () => {
  it('keeps the settings of another node out and those of tests in', () => {
    const env = nodeEnvironment({
      PATH: '/bin',
      CAN_SWARM_HOME: '/elsewhere',
      CAN_SWARM_NETWORK_NAME: 'main',
      CAN_SWARM_PASSPHRASE: 'secret',
      CAN_SWARM_NODE_UNPLUG: 'gossip',
      CAN_SWARM_LOG_LEVEL: 'debug'
    })
    assert.deepEqual(Object.keys(env), ['PATH', 'CAN_SWARM_NODE_UNPLUG', 'CAN_SWARM_LOG_LEVEL'])
  })
})

describe('testnet/input', () => {
  const folder = temporaryFolder()

  it('takes the shipped input, and any file of lines', async () => {
    assert.equal((await checkInput(defaultInput())).texts, 10)
    const path = join(folder.path, 'two.txt')
    writeFileSync(path, 'one\n\ntwo')
    assert.deepEqual(await checkInput(path), { path, texts: 2 })
  })

  it('refuses what is missing, empty, no file, or no text', async () => {
    const missing = { code: 'TESTNET_INPUT_NOT_FOUND' }
    const unusable = { code: 'TESTNET_INPUT_UNUSABLE' }
    const path = join(folder.path, 'input')
    await assert.rejects(checkInput(path), missing)
    await assert.rejects(checkInput(join(path, 'below')), missing)
    writeFileSync(path, '')
    await assert.rejects(checkInput(path), unusable)
    writeFileSync(path, ' \n\n')
    await assert.rejects(checkInput(path), unusable)
    writeFileSync(path, Buffer.from([0xff, 0xfe]))
    await assert.rejects(checkInput(path), unusable)
    await assert.rejects(checkInput(folder.path), unusable)
  })
})

describe('testnet/paths', () => {
  const folder = temporaryFolder()
  const demo = async (input: string, env: Record<string, string> = {}): Promise<string> => {
    const argv = ['testnet', 'demo', '--input', input]
    const { code, stderr } = await runCommand(argv, { env, cwd: folder.path })
    return `${code} ${stderr}`
  }

  it('belong to the folder in which npm was called', async () => {
    const below = join(folder.path, 'below')
    const npm = { npm_lifecycle_event: 'start', npm_package_name: 'can-swarm', INIT_CWD: below }
    assert.ok((await demo('my.txt', npm)).includes(`${join(below, 'my.txt')} does not exist`))
    const here = `${join(folder.path, 'my.txt')} does not exist`
    assert.ok((await demo('my.txt')).includes(here))
    assert.ok((await demo('my.txt', { INIT_CWD: below })).includes(here), 'no script of npm')
    assert.ok((await demo('my.txt', { ...npm, npm_package_name: 'other' })).includes(here))
  })

  it('are not empty', async () => {
    assert.match(await demo(''), /^2 .*path/u)
  })
})

describe('testnet/state', () => {
  const folder = temporaryFolder()

  it('remembers the current testnet, and forgets only that one', () => {
    const path = stateFile({ CAN_SWARM_TESTNET: join(folder.path, 'state') })
    assert.equal(readState(path), null)
    writeState(path, { dir: '/a', network: 'testnet-a', nodes: [] })
    removeState(path, '/b')
    assert.equal(readState(path)?.network, 'testnet-a')
    removeState(path, '/a')
    assert.equal(readState(path), null)
  })

  it('follows XDG when nothing else is said', () => {
    assert.equal(stateFile({ XDG_STATE_HOME: '/state' }), '/state/can-swarm/testnet.json')
    assert.match(stateFile({ XDG_STATE_HOME: 'relative' }), /^\/.*\.local\/state\/can-swarm/u)
  })

  it('says that no testnet is up, also when the file is damaged', async () => {
    const env = { CAN_SWARM_TESTNET: folder.path }
    const notRunning = { code: 'TESTNET_NOT_RUNNING' }
    await assert.rejects(status({ env }), notRunning)
    mkdirSync(folder.path, { recursive: true })
    writeFileSync(stateFile(env), '{"dir":')
    await assert.rejects(status({ env }), notRunning)
  })
})

describe('testnet/screen', () => {
  const written = (isTTY: boolean): { screen: Screen; text: () => string } => {
    const out = Object.assign(new PassThrough(), { isTTY, columns: 20 })
    return { screen: new Screen(out, {}), text: () => String(out.read()) }
  }

  it('writes plain lines where there is no terminal', () => {
    const { screen, text } = written(false)
    screen.line(screen.style('red', 'one'))
    screen.live(['status'])
    screen.line('two')
    assert.equal(text(), 'one\ntwo\n')
  })

  it('draws the live lines anew below each line, and cuts what would wrap', () => {
    const { screen, text } = written(true)
    screen.live(['x'.repeat(50)])
    screen.line('one')
    screen.live([])
    const cut = 'x'.repeat(19)
    assert.equal(text(), `${cut}\n\u001b[1A\u001b[0Jone\n${cut}\n\u001b[1A\u001b[0J`)
  })
})

describe('testnet/report', () => {
  const at = (
    verb: string,
    seenAt: number,
    sender = OTHER
  ): { id: string; verb: string; sender: string; lamport: number; seenAt: number } => ({
    id: `${verb}-${seenAt}`,
    verb,
    sender,
    lamport: 1,
    seenAt
  })
  const view = committedBy(OTHER, ['bafyoutput'], {
    phase: 'FINAL',
    windows: { bidMs: 100, leaseTtlMs: 1, verifyMs: 1, sealMs: 50, revealMs: 1, challengeMs: 200 },
    envelopes: [
      at('NEED', 1000),
      at('DECIDE', 1150),
      at('ATTEST', 1200, ME),
      at('ATTEST', 1300, ME),
      at('FINALIZE', 1600)
    ],
    finalize: { id: 'bafyfinalize', result: 'FINAL', signers: [], payouts: [] }
  })

  it('measures from NEED to FINALIZE without the windows', () => {
    const timings = threadTimings(view)
    assert.equal(timings.decideMs, 150)
    assert.equal(timings.claimMs, null)
    assert.equal(timings.finalizeMs, 600)
    assert.equal(timings.overheadMs, 250)
    assert.equal(threadTimings({ ...view, envelopes: [] }).overheadMs, null)
  })

  it('takes its fields from the thread', () => {
    const report = threadReport(view)
    assert.equal(report.needCid, view.thread)
    assert.equal(report.finalizeCid, 'bafyfinalize')
    assert.deepEqual(report.outputs, ['bafyoutput'])
    assert.equal(report.decide?.proposal, 'p')
  })

  it('tells a seal from a reveal, and every verb in words', () => {
    const [, , seal, reveal] = view.envelopes.map(({ seenAt, ...one }) => ({
      ...one,
      atMs: seenAt
    }))
    assert.ok(seal && reveal)
    assert.match(verbText(seal, view), /seals/u)
    assert.match(verbText(reveal, view), /reveals/u)
    for (const verb of ['NEED', 'FORM', 'PROPOSE', 'CLAIM', 'COMMIT', 'REJECT', 'INVALIDATE'])
      assert.notEqual(verbText({ ...seal, verb }, view), '')
  })

  it('sees a different end, and not a different envelope about the same end', () => {
    const { finalize, commit } = view
    assert.ok(finalize && commit)
    assert.equal(difference({ ...view, finalize: { ...finalize, id: 'other' } }, view), null)
    assert.equal(difference({ ...view, commit: null, decide: null }, view), null, 'not known yet')
    assert.match(difference({ ...view, phase: 'INVALID' }, view) ?? '', /INVALID.* is not .*FINAL/u)
    assert.notEqual(difference({ ...view, commit: { ...commit, id: 'other' } }, view), null)
    const payouts = [{ to: ME, amount: '1', why: 'work' }]
    assert.notEqual(difference({ ...view, finalize: { ...finalize, payouts } }, view), null)
  })
})

describe('agents/artifacts', () => {
  it('refuses more bytes than the limit', async () => {
    const node = new FakeSwarm()
    const cid = node.put(Buffer.alloc(100))
    await assert.rejects(fetchArtifact(node, cid, { bytesMax: 99 }), { code: 'ARTIFACT_TOO_LARGE' })
    assert.equal((await fetchArtifact(node, cid, { bytesMax: 100 })).length, 100)
  })
})
