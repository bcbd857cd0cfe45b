// Goal: what `npm start` promises holds. Method: the demo as a newcomer runs it, and its record on "another machine".
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CID } from 'multiformats/cid'
import { parseIdentified } from '../../src/agents/index.ts'
import type { DemoReport } from '../../src/testnet/index.ts'
import { Cli, freshFolder, runCli } from '../support/testnet.ts'

/** Folders of testnets in a temporary folder. */
function testnetsIn(temporary: string): string[] {
  return readdirSync(temporary).filter(name => name.startsWith('can-swarm-testnet-'))
}

/** The process of the last node that started, once there is one. */
async function lastPid(temporary: string): Promise<number> {
  const [testnet = ''] = testnetsIn(temporary)
  const { stdout } = await runCli([
    'status',
    '--home',
    join(temporary, testnet, 'node-3'),
    '--json'
  ])
  return (JSON.parse(stdout) as { pid: number }).pid
}

describe('e2e/demo', () => {
  const folder = freshFolder()
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('does the job, tells it in JSON, and leaves a record that replays elsewhere', async () => {
    const { status, stdout, stderr } = await runCli(['testnet', 'demo', '--json'])
    assert.equal(status, 0, stderr)
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as DemoReport
    assert.equal(report.phase, 'FINAL')
    assert.equal(report.nodes, 5)
    assert.equal(report.needCid, report.thread)
    for (const cid of [report.needCid, report.finalizeCid ?? '', ...report.outputs]) CID.parse(cid)
    assert.equal(report.outputs.length, 1)
    CID.parse(report.decide?.proposal ?? '')
    assert.equal(report.decide?.epoch, 0)
    assert.ok((report.decide?.term ?? 0) > 0 && (report.decide?.index ?? 0) > 0)
    assert.ok(new Set(report.decide?.signers).size >= 3, 'more than two thirds of four sign')
    assert.equal(report.replay.ok, true)
    assert.equal(report.replay.finalizeBytesEqual, true)
    assert.ok(report.replay.events > 8)
    assert.deepEqual(report.problems, [])
    for (const verb of ['NEED', 'PROPOSE', 'DECIDE', 'CLAIM', 'COMMIT', 'ATTEST', 'FINALIZE'])
      assert.match(stderr, new RegExp(`node-\\d +${verb}`, 'u'))

    assert.ok(report.record)
    assert.ok(report.resultPath)
    const kept = [report.record, report.resultPath].map(path => basename(path))
    assert.deepEqual(readdirSync(dirname(report.record)).sort(), kept.sort(), 'homes are gone')
    const rows = parseIdentified(readFileSync(report.resultPath))
    assert.equal(rows.length, 10)
    assert.equal(new Set(rows.map(row => row.language)).size, 10)
    const record = join(folder, 'record.jsonl')
    copyFileSync(report.record, record)
    rmSync(dirname(report.record), { recursive: true })
    const replay = await runCli(['audit', 'replay', record, '--json', '--home', join(folder, 'no')])
    assert.equal(replay.status, 0, replay.stderr)
    const verify = await runCli(['audit', 'verify', record])
    assert.equal(verify.status, 0, verify.stderr)
    assert.equal(existsSync(join(folder, 'no')), false, 'replaying needs no home')
  })

  it('stops its nodes when it is interrupted, and leaves nothing in the temporary folder', async () => {
    for (const text of ['nodes start', 'NEED']) {
      const temporary = mkdtempSync(join(folder, 't'))
      const cli = new Cli(['testnet', 'demo', '--nodes', '4'], { TMPDIR: temporary })
      await cli.printed(text)
      const pid = text === 'NEED' ? await lastPid(temporary) : null
      assert.equal((await cli.stop('SIGINT')).status, 130)
      assert.deepEqual(testnetsIn(temporary), [], text)
      if (pid !== null) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    }
  })

  it('keeps the logs of a failed start, and says where', async () => {
    const temporary = mkdtempSync(join(folder, 't'))
    const env = { TMPDIR: temporary, CAN_SWARM_LOG_LEVEL: 'no-such-level' }
    const { status, stdout } = await runCli(['testnet', 'demo'], env)
    assert.notEqual(status, 0)
    const [, left = ''] = /nodes are in (\S+); remove them: rm -r \1\n/u.exec(stdout) ?? []
    assert.ok(existsSync(join(left, 'node-0', 'node.log')), stdout)
  })

  it('refuses a number of liars that cannot be before any node starts', async () => {
    const { status, stdout, stderr } = await runCli(['testnet', 'demo', '--bad', '9'])
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /fewer than 5 of 5 nodes can be bad/u)
  })

  it('refuses input that it cannot work on before any node starts', async () => {
    const empty = join(folder, 'empty.txt')
    const binary = join(folder, 'binary.txt')
    writeFileSync(empty, '\n \n')
    writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00]))
    const cases: [string, number][] = [
      [join(folder, 'missing.txt'), 3],
      [empty, 2],
      [binary, 2],
      [folder, 2]
    ]
    await Promise.all(
      cases.map(async ([input, status]) => {
        const result = await runCli(['testnet', 'demo', '--input', input])
        assert.equal(result.status, status, input)
        assert.equal(result.stderr.trim().split('\n').length, 1, 'one line')
        assert.match(result.stderr, /give a file of one text per line/u)
        assert.doesNotMatch(result.stdout, /nodes start/u)
      })
    )
  })
})
