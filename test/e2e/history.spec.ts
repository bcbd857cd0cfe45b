// Goal: how threads ended is checkpointed by a real node, recomputed and cosigned by others, and loaded by a newcomer that was not there.
// Method: an author and a newcomer as processes, without witnesses, where nothing becomes stable (R21); then with two of them; then old threads go cold. Beside
// it the author's logs: of small files, through a kill, and none where they are unplugged; and records sealed to another node's key.
import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CarBufferReader } from '@ipld/car/buffer-reader'
import { isKemAvailable } from '../../src/adapters/sealed/index.ts'
import { replayRecord } from '../../src/replay/index.ts'
import type { CheckpointSummary } from '../../src/rpc/index.ts'
import { NodeProcess, nodeEnvironment } from '../../src/testnet/index.ts'
import { endOf, type Finished, freshFolder, runCli, viewWhen } from '../support/testnet.ts'

const WINDOWS = { bidMs: 100, sealMs: 50, challengeMs: 100 }
const TEXT = Buffer.from('the quick brown fox jumps over the lazy dog').toString('base64')

/** How the field `kem` of a sealed file's header begins in CBOR: bytes that are 1,088 long, or null. */
const KEM_CIPHERTEXT = Buffer.from('636b656d590440', 'hex')
const NO_KEM = Buffer.from('636b656df6', 'hex')

describe('e2e/history', () => {
  const folder = freshFolder()
  const nodes: NodeProcess[] = []

  async function start(
    name: string,
    join_: NodeProcess[],
    settings: Record<string, string> = {}
  ): Promise<NodeProcess> {
    const role = {
      name,
      title: name,
      work: ['text/language'],
      verify: ['text/language'],
      bad: false
    }
    const env = {
      ...nodeEnvironment(process.env),
      CAN_SWARM_HISTORY_RETENTION_DAYS: '0',
      ...settings
    }
    const addresses = await Promise.all(
      join_.map(async node => (await node.client.call('node.id', {})).addresses[0] as string)
    )
    const listen = '/ip4/127.0.0.1/tcp/0'
    const home = join(folder, name)
    const node = new NodeProcess({ role, home, network: 'history', listen, join: addresses, env })
    await node.start(new AbortController().signal)
    nodes.push(node)
    return node
  }

  async function solo(node: NodeProcess): Promise<string> {
    const thread = await state(node)
    assert.equal((await endOf(node, thread)).phase, 'FINAL')
    return thread
  }

  async function state(
    node: NodeProcess,
    windows: { readonly challengeMs?: number } = {}
  ): Promise<string> {
    const name = 'in'
    const { cid } = await node.client.call('artifacts.addBytes', { base64: TEXT, pin: true, name })
    const request = { capability: 'text/language', inputCid: cid, solo: true, kPlan: 1, kResult: 1 }
    const { thread } = await node.client.call('need.state', {
      ...request,
      windows: { ...WINDOWS, ...windows }
    })
    return thread
  }

  /** Signs, and asks until it has as many threads and witnesses as are wanted: threads end when their groups have, some time later. */
  async function checkpoint(
    node: NodeProcess,
    witnesses: number,
    size = 1
  ): Promise<CheckpointSummary> {
    const until = Date.now() + 30_000
    for (;;) {
      const made = await node.client.call('checkpoint.make', {})
      const isThere = made.size >= size && made.witnesses.length >= witnesses
      if (isThere || Date.now() > until) return made
      await setTimeout(100)
    }
  }

  const cli = (node: NodeProcess, ...argv: string[]): Promise<Finished> =>
    runCli([...argv, '--home', node.home])

  after(async () => {
    await Promise.all(nodes.splice(0).map(node => node.stop()))
    rmSync(folder, { recursive: true, force: true })
  })

  let author: NodeProcess
  let newcomer: NodeProcess
  let reader: NodeProcess
  let threads: string[]

  before(async () => {
    author = await start('author', [], {
      CAN_SWARM_CONSENSUS_LINGER_MS: '1000',
      CAN_SWARM_HISTORY_LOG_BYTES: '8192'
    })
    newcomer = await start('newcomer', [author], {
      CAN_SWARM_NODE_UNPLUG: 'witness,gossip,pull,audit'
    })
    threads = [await solo(author)]
  })

  it('is stable for nobody while no node witnesses, and then every certificate is checked', async () => {
    const made = await checkpoint(author, 0)
    assert.deepEqual([made.size, made.witnesses, made.stable], [1, [], false])
    const synced = await cli(newcomer, 'sync', '--json')
    assert.equal(synced.status, 0, synced.stderr)
    assert.equal(JSON.parse(synced.stdout).trust, 'full')
    const idle = await author.client.call('history.compact', {})
    assert.deepEqual([idle.threads, idle.stays.unwitnessed], [0, 1])
  })

  it('reaches a newcomer by a checkpoint that two nodes recomputed', async () => {
    const settings = { CAN_SWARM_HISTORY_SYNC_AT_START: 'true' }
    const [eager, second] = await Promise.all([
      start('witness-1', [author], settings),
      start('witness-2', [author])
    ])
    reader = second
    threads.push(await solo(author))
    const made = await checkpoint(author, 2, 2)
    assert.deepEqual([made.size, made.stable], [2, true], JSON.stringify(made))
    const { stdout: note } = await cli(author, 'checkpoint', 'show')
    const file = join(folder, 'checkpoint.txt')
    writeFileSync(file, note)
    assert.match(note, /\nstanding 0 \d+\n/u, 'both threads ended just now and still bind')
    const { stdout: report } = await runCli(['checkpoint', 'verify', file, '--json'])
    assert.equal(JSON.parse(report).claim.witnesses.length, 2)

    const { trust, size, loaded } = await newcomer.client.call('history.sync', {})
    assert.deepEqual({ trust, size, loaded }, { trust: 'checkpoint', size: 2, loaded: 1 })
    const lines = await newcomer.client.call('threads.list', {})
    assert.deepEqual(lines.map(({ thread, phase }) => [thread, phase]).sort(), finals())
    const deadline = Date.now() + 15_000
    const hasFirst = async (): Promise<boolean> =>
      (await eager.client.call('threads.list', {})).some(({ thread }) => thread === threads[0])
    while (!(await hasFirst()) && Date.now() < deadline) await setTimeout(200)
    assert.ok(await hasFirst(), 'a new node loads what ended before it, by a setting')
  })

  it('leaves the archive when it is old and stable, and is read as before', async () => {
    const record = async (name: string): Promise<string[]> =>
      Promise.all(
        threads.map(async (thread, at) => {
          const path = join(folder, `${name}-${at}.jsonl`)
          await author.client.call('thread.record', { thread, path })
          return readFileSync(path, 'utf8')
        })
      )
    const before = await record('before')
    const { stdout } = await cli(author, 'compact', '--dry-run', '--json')
    assert.deepEqual(JSON.parse(stdout).files, [])
    const files: string[] = []
    const deadline = Date.now() + 15_000
    for (let live = 1; live > 0 && Date.now() < deadline; ) {
      const moved = await author.client.call('history.compact', {})
      files.push(...moved.files)
      live = moved.stays.live
      if (live > 0) await setTimeout(200)
    }
    assert.ok(files.length > 0, 'the threads left memory, and then the archive')
    assert.deepEqual(readdirSync(join(author.home, 'cold')).sort(), files.sort())
    await author.stop()
    await author.start(new AbortController().signal)
    assert.deepEqual(await record('after'), before)
  })

  const logOf = (node: NodeProcess, thread: string): string =>
    join(node.home, 'audit', `${thread}.jsonl`)

  it('has a log of each thread as it goes on, whole again after a kill, and none where that is unplugged', async () => {
    const thread = await state(author, { challengeMs: 3000 })
    await viewWhen(author, thread, ({ phase }) => phase === 'VERIFIED')
    const path = logOf(author, thread)
    // It is written once a second.
    const written = Date.now() + 20_000
    while (!existsSync(path) && Date.now() < written) await setTimeout(20)
    await author.kill()
    // What a crash in a write leaves.
    appendFileSync(path, readFileSync(path).subarray(0, 300))
    await author.start(new AbortController().signal)
    assert.equal((await endOf(author, thread)).phase, 'FINAL')
    const until = Date.now() + 20_000
    let report = await replayRecord(path)
    while (!report.ok && Date.now() < until) {
      await setTimeout(100)
      report = await replayRecord(path)
    }
    assert.deepEqual(report.problems, [])
    assert.ok(report.complete && report.finalizeBytesEqual)
    assert.ok(existsSync(`${path}.1`), 'the log was rotated')

    const other = await solo(newcomer)
    assert.equal(existsSync(join(newcomer.home, 'audit')), false, `nothing of ${other}`)
  })

  it('is read by the node to which a record was sealed, by nobody else, and replays there', async () => {
    const [thread = ''] = threads
    const sealed = join(folder, 'record.sealed')
    const { did } = reader
    const argv = ['audit', 'export', thread, '-o', sealed, '--for', did, '--artifacts']
    const exported = await cli(author, ...argv)
    assert.equal(exported.status, 0, exported.stderr)
    assert.match(exported.stderr, isKemAvailable ? /and ML-KEM-768/u : /X25519 alone/u)
    // The reader's manifest has come by gossip, and names its second key.
    const header = readFileSync(sealed).subarray(0, 256)
    assert.ok(
      header.includes(isKemAvailable ? KEM_CIPHERTEXT : NO_KEM),
      'both keys where there are'
    )
    assert.ok(!readFileSync(sealed).includes('"type":'), 'nothing is legible')
    const stranger = await cli(newcomer, 'audit', 'open', sealed, '-o', join(folder, 'stolen'))
    assert.notEqual(stranger.status, 0)
    assert.match(stranger.stderr, /SEALED_FILE/u)
    assert.equal(existsSync(join(folder, 'stolen')), false)
    const open = join(folder, 'opened.jsonl')
    const opened = await cli(reader, 'audit', 'open', sealed, '-o', open)
    assert.equal(opened.status, 0, opened.stderr)
    const plain = join(folder, 'plain.jsonl')
    await author.client.call('thread.record', { thread, path: plain })
    assert.deepEqual(readFileSync(open), readFileSync(plain))
    const car = await cli(
      reader,
      'audit',
      'open',
      `${sealed}.car`,
      '-o',
      join(folder, 'opened.car')
    )
    assert.equal(car.status, 0, car.stderr)
    const roots = CarBufferReader.fromBytes(readFileSync(join(folder, 'opened.car'))).getRoots()
    assert.ok(roots.length >= 2, 'input and output')
  })

  const finals = (): string[][] => threads.map(thread => [thread, 'FINAL']).sort()
})
