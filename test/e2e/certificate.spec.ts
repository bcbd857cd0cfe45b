// Goal: a decision and its outcome, and proof of an offence, leave a swarm as files that a machine without node, home and network can
// check. Method: a testnet that is gone before its certificates are looked at; the program as a process in an empty folder.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { walJournal } from '../../src/adapters/wal/index.ts'
import { encodeEvidence } from '../../src/core/roster/index.ts'
import type { ThreadView } from '../../src/core/swarm/index.ts'
import { encodeRecord } from '../../src/runtime/index.ts'
import type { NodeProcess, Testnet } from '../../src/testnet/index.ts'
import { recordingLogger } from '../support/recording-logger.ts'
import { sampleEvidence } from '../support/sample-evidence.ts'
import {
  endOf,
  type Finished,
  freshFolder,
  runCli,
  startTestnet,
  stateNeed,
  stopTestnet
} from '../support/testnet.ts'

describe('e2e/certificate', () => {
  const folder = freshFolder()
  const elsewhere = join(folder, 'nobody')
  let testnet: Testnet
  let first: NodeProcess
  let view: ThreadView

  const exported = async (...argv: string[]): Promise<Finished> => {
    const finished = await runCli([...argv, '--home', first.home])
    assert.equal(finished.status, 0, finished.stderr)
    return finished
  }
  /** On a machine that has never seen a node: its home is a folder that is not there. */
  const verify = async (what: string, file: string): Promise<[number | null, string]> => {
    const env = { HOME: elsewhere, XDG_DATA_HOME: elsewhere, CAN_SWARM_HOME: elsewhere }
    const { status, stdout } = await runCli([what, 'verify', join(folder, file), '--json'], env)
    return [status, stdout]
  }

  before(async () => {
    testnet = await startTestnet({ nodes: 4 })
    first = testnet.first
    view = await endOf(first, await stateNeed(first))
    assert.equal(view.phase, 'FINAL', view.reason)
    for (const stage of ['decide', 'outcome'])
      for (const format of ['json', 'cbor']) {
        const file = join(folder, `${stage}.${format}`)
        const argv = ['certificate', 'export', view.thread, '--stage', stage, '-o', file]
        await exported(...argv, '--format', format)
      }
    const { stdout } = await exported('evidence', 'ls', '--json')
    assert.deepEqual(JSON.parse(stdout).evidence, [], 'nobody lied')
    await Promise.all(testnet.nodes.map(node => node.stop()))
  })
  after(async () => {
    await stopTestnet(testnet)
    rmSync(folder, { recursive: true, force: true })
  })

  it('is verified where there is no home and no node, and says what the thread said', async () => {
    for (const file of ['decide.json', 'decide.cbor', 'outcome.json', 'outcome.cbor']) {
      const [status, stdout] = await verify('certificate', file)
      assert.equal(status, 0, stdout)
      const { claim } = JSON.parse(stdout)
      assert.equal(claim.need, view.thread)
      assert.equal(claim.slot, view.slot)
      assert.deepEqual(claim.roster, view.group?.roster)
      assert.ok(claim.signers.length >= claim.quorum)
      assert.equal(claim.proposal, view.decide?.proposal)
      if (file.startsWith('decide')) assert.equal(claim.worker, view.decide?.worker)
      else assert.deepEqual(claim.outputs, view.commit?.outputs)
    }
  })

  it('is refused with a byte flipped, wherever that is', async () => {
    for (const file of ['decide.cbor', 'decide.json']) {
      const bytes = readFileSync(join(folder, file))
      for (const part of [0.05, 0.3, 0.6, 0.95]) {
        const changed = Buffer.from(bytes)
        const at = Math.floor(bytes.length * part)
        changed[at] = (changed[at] as number) ^ 1
        writeFileSync(join(folder, 'changed'), changed)
        const [status, stdout] = await verify('certificate', 'changed')
        assert.equal(status, 1, `${file} at ${at}: ${stdout}`)
        assert.match(JSON.parse(stdout).problem.code, /^[A-Z_]+$/u)
      }
    }
  })

  it('is joined by evidence, which a node keeps on disk, lists and hands out', async () => {
    const { evidence, member } = sampleEvidence()
    const path = join(first.home, 'journal.wal')
    const journal = await walJournal({ path, logger: recordingLogger() })
    for await (const _ of journal.replay());
    const record = { type: 'evidence', bytes: encodeEvidence(evidence['two-votes']) } as const
    await journal.append([encodeRecord(record)], { sync: true })
    await journal.close()
    await first.start(AbortSignal.timeout(20_000))
    const { stdout } = await exported('evidence', 'ls', '--json')
    const [held] = JSON.parse(stdout).evidence
    assert.deepEqual([held.offence, held.convicted], ['two-votes', [member]])
    mkdirSync(join(folder, 'out'))
    await exported('evidence', 'export', held.id, '-o', join(folder, 'out', 'e.json'))
    await first.stop()
    const [status, text] = await verify('evidence', 'out/e.json')
    assert.equal(status, 0, text)
    assert.deepEqual(JSON.parse(text).claim.convicted, [member])
  })
})
