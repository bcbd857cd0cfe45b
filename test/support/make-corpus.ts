/**
 * Adds threads to test/corpus: records of every kind of end, with the base capsule of this release inside. Run it with
 * `node test/support/make-corpus.ts NAME`, NAME being that of the release. What is there stays: an upgrade that changes what came of an
 * old thread is a mistake, or a new version of the protocol. With `KIND=FILE` it adds that record, which real nodes wrote, and nothing else: the plan comes
 * from `can-swarm testnet demo --plan --dir DIR`, as `DIR/THREAD.jsonl`.
 */
import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { CID } from '../../src/core/codec/index.ts'
import { shippedCapsule } from '../../src/policy/index.ts'
import { checkRecord } from '../../src/replay/check-record.ts'
import { writeRecord } from '../../src/replay/index.ts'
import { realPolicy } from './real-policy.ts'
import { type Script, script } from './swarm-agents.ts'
import { stateNeed } from './swarm-attacks.ts'
import { type ClusterNode, SwarmCluster, testDraft } from './swarm-cluster.ts'

const FOLDER = fileURLToPath(new URL('../corpus/', import.meta.url))
const policy = realPolicy()
const capsule = CID.parse(policy.capsule)

type Thread = { readonly cluster: SwarmCluster; readonly thread: string }
type NeedFields = NonNullable<Parameters<typeof stateNeed>[1]>

function world(nodes: number, seed: number, roles: (index: number) => Script): SwarmCluster {
  const cluster = new SwarmCluster({ nodes, seed, policy })
  for (const [index, node] of cluster.nodes.entries()) script(cluster, node, roles(index))
  return cluster
}

function run(cluster: SwarmCluster, need: NeedFields = {}): Thread {
  return { cluster, thread: stateNeed(cluster, { capsule, ...need }) }
}

function runUntil({ cluster, thread }: Thread, phase: string): void {
  const isThere = (): boolean =>
    cluster.nodes.every(node => node.swarm.view(thread)?.phase === phase)
  assert(cluster.runUntil(isThere, 20_000), `the thread is ${phase} everywhere`)
}

const honest = (index: number): Script => ({ works: index === 1, verifies: index >= 2 })

const THREADS: Readonly<Record<string, () => Thread>> = {
  final: () => run(world(5, 21, honest)),
  invalid: () => run(world(5, 22, index => ({ ...honest(index), pass: false }))),
  expired: () => {
    const cluster = world(5, 23, () => ({}))
    return run(cluster, { expiresAt: cluster.nowMs + 2_000 })
  },
  solo: () =>
    run(
      world(1, 24, () => ({ works: true, verifies: true })),
      { solo: true }
    ),
  // The worker of the first epoch never takes its lease: the epoch is sealed, and the decision carried over.
  'two-epochs': () => {
    const found = run(world(6, 25, index => ({ ...honest(index), claims: epoch => epoch > 0 })))
    runUntil(found, 'DECIDED')
    const { cluster, thread } = found
    cluster.command(cluster.nodes[0] as ClusterNode, { type: 'reform', thread })
    return found
  },
  'dispute-upheld': () => dispute(26, false),
  'dispute-dismissed': () => dispute(27, true)
}

/** One verifier passes the result, another node challenges it, a third judges. */
function dispute(seed: number, pass: boolean): Thread {
  const cluster = world(6, seed, index => ({ works: index === 1, verifies: index === 2 }))
  // Long enough that nodes outside the group hear of the verdict in time to challenge it.
  const { windows } = cluster.need().payload
  const found = run(cluster, { windows: { ...windows, challengeMs: 5_000 } })
  runUntil(found, 'VERIFIED')
  const { thread } = found
  const [, , , , challenger, judge] = cluster.nodes as ClusterNode[]
  assert(challenger !== undefined && judge !== undefined)
  const view = cluster.view(challenger, thread)
  const commit = view.commit?.id ?? ''
  const draft = testDraft(cluster.nowMs, 'CHALLENGE', CID.parse(thread), {
    task: CID.parse(view.decide?.proposal ?? ''),
    commit: CID.parse(commit),
    bond: 1n,
    proof: { type: 'output_mismatch', evidence: [], note: 'differs' }
  })
  cluster.command(challenger, { type: 'publish', draft })
  cluster.run(60)
  const verdict = { pass, evaluation: new Uint8Array(32), reasons: ['looked again'] }
  cluster.command(judge, { type: 'verdict', thread, commit, ...verdict })
  return found
}

/** Puts a record into the corpus, with what a replay says of it. */
async function add(target: string, path: string): Promise<void> {
  const { path: _, ...report } = await checkRecord(path, { policies: true, replay: true })
  assert(report.ok, `${path}: ${JSON.stringify(report.problems)}`)
  writeFileSync(`${target}.jsonl.gz`, gzipSync(readFileSync(path), { level: 9 }))
  writeFileSync(`${target}.json`, `${JSON.stringify(report, null, 2)}\n`)
}

async function record(target: string, make: () => Thread): Promise<void> {
  const { cluster, thread } = make()
  const [node] = cluster.nodes as [ClusterNode]
  const isComplete = (): boolean => node.swarm.record(thread)?.complete === true
  const isDone = cluster.runUntil(isComplete, 30_000)
  assert(isDone, `${target} ends: ${cluster.view(node, thread).reason}`)
  const items = node.swarm.record(thread)
  assert(items !== undefined)
  const path = join(tmpdir(), `can-swarm-corpus-${process.pid}.jsonl`)
  const { engine, capsule: base } = policy
  const { blocks } = await shippedCapsule()
  await writeRecord(path, { thread, base, engine, blocks, ...items }, node.keys)
  await add(target, path)
  rmSync(path)
}

const [release, given] = process.argv.slice(2)
assert(release !== undefined && /^[\w.-]+$/u.test(release), 'give the name of the release')
const targetOf = (name: string): string => join(FOLDER, `${name}-${release}`)
const [, kind, file] = /^([\w-]+)=(.+)$/u.exec(given ?? '') ?? []
if (kind !== undefined && file !== undefined) {
  assert(!existsSync(`${targetOf(kind)}.jsonl.gz`), 'what is there stays')
  await add(targetOf(kind), file)
} else {
  for (const [name, make] of Object.entries(THREADS))
    if (!existsSync(`${targetOf(name)}.jsonl.gz`)) await record(targetOf(name), make)
}
