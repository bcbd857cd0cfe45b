import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  addArtifact,
  builtinProgram,
  decodeCounts,
  fetchArtifact,
  waitForThread
} from '../agents/index.ts'
import { assert } from '../core/base/index.ts'
import type { ThreadView } from '../core/swarm/index.ts'
import { TestnetUsageError } from './errors.ts'
import {
  DEMO_GRACE_MS,
  DEMO_NODES_MIN,
  NODES_DEFAULT,
  PLAN_TTL_MS,
  PLAN_WINDOWS,
  WORDS_SHOWN
} from './limits.ts'
import { disagreements } from './outcome.ts'
import { type PlanInput, planInput } from './plan-input.ts'
import { type PlanReport, taskReports } from './plan-report.ts'
import { TaskShow } from './plan-show.ts'
import { replayThread } from './replay-thread.ts'
import { Screen } from './screen.ts'
import { ThreadShow } from './show-thread.ts'
import { checkSize, Testnet } from './testnet.ts'
import { type TestnetIo, withDefaults } from './testnet-io.ts'

export type PlanDemoInit = TestnetIo & {
  readonly nodes?: number
  /** UTF-8 text. Default: the program's own protocol documents. */
  readonly input?: string
  /** Folder for homes and records. Default: a new one under the system's temporary folder. */
  readonly dir?: string
  /** The last line is one JSON object, a PlanReport. */
  readonly json?: boolean
  /** Life of the NEED in ms. */
  readonly ttlMs?: number
}

const CAPABILITY = 'text/word-count'
const TASK_CAPABILITIES = ['text/split', 'text/count-words', 'text/merge-counts']
const RESULT_FILE = 'result.json'

/**
 * A plan on a testnet of real processes: a text is split, its parts are counted by several nodes, and the counts are merged. Shows who does what.
 * Returns 0 only if the thread is FINAL, all nodes agree, the count is what counting in this process gives, more than one node did tasks, each after
 * those that it waits for, and all records replay to the same bytes; 1 otherwise. Bad input is refused before any node starts.
 */
export async function runPlanDemo(init: PlanDemoInit = {}): Promise<number> {
  const io = withDefaults(init)
  try {
    const nodes = init.nodes ?? NODES_DEFAULT
    if (nodes < DEMO_NODES_MIN)
      throw new TestnetUsageError(`the demo needs ${DEMO_NODES_MIN} nodes or more, not ${nodes}`)
    checkSize({ nodes })
    const input = await planInput(init.input)
    const screen = new Screen(init.json === true ? io.stderr : io.stdout, io.env)
    const report = await new PlanDemo({ ...init, ...io, nodes }, screen).run(input)
    if (init.json === true) io.stdout.write(`${JSON.stringify(report)}\n`)
    return report.ok ? 0 : 1
  } finally {
    io.release()
  }
}

type Setup = PlanDemoInit & Required<TestnetIo> & { readonly nodes: number }

class PlanDemo {
  readonly #setup: Setup
  readonly #screen: Screen
  readonly #startedAt: number = performance.now()
  readonly #note = (line: string): void => this.#screen.line(line)

  constructor(setup: Setup, screen: Screen) {
    this.#setup = setup
    this.#screen = screen
  }

  async run(input: PlanInput): Promise<PlanReport> {
    const { nodes, signal, env, dir } = this.#setup
    this.#screen.line(`${nodes} nodes start, each in its own process and home`)
    if (dir !== undefined) mkdirSync(dir, { recursive: true, mode: 0o700 })
    const testnet = await Testnet.start({
      nodes,
      signal,
      env,
      capability: CAPABILITY,
      more: TASK_CAPABILITIES,
      workers: nodes - 1,
      note: this.#note,
      ...(dir === undefined ? {} : { dir: resolve(dir) })
    })
    let report: PlanReport | null = null
    try {
      await testnet.connected(signal)
      this.#screen.line(`node-0 wants the words of ${input.name} counted`)
      this.#screen.line()
      report = await this.#conclude(testnet, await this.#job(testnet, input), input)
      return report
    } finally {
      this.#screen.live([])
      await testnet.stop()
      if (dir === undefined) testnet.tidy(report?.ok === true || signal.aborted, this.#note)
      else this.#note(`homes and logs of the nodes are in ${testnet.dir}`)
    }
  }

  /** States the NEED and follows the thread, and those of its tasks, to the end. */
  async #job(testnet: Testnet, { bytes }: PlanInput): Promise<ThreadView> {
    const { client } = testnet.first
    const { signal, ttlMs = PLAN_TTL_MS } = this.#setup
    const show = new ThreadShow(this.#screen, testnet, Date.now())
    const tasks = new TaskShow(this.#screen, testnet, Date.now())
    const inputCid = await addArtifact(client, bytes, { name: 'text', signal })
    const { thread } = await client.call(
      'need.state',
      { capability: CAPABILITY, inputCid, windows: PLAN_WINDOWS, ttlMs, budget: '100' },
      { signal }
    )
    const bound = AbortSignal.timeout(ttlMs + 2 * PLAN_WINDOWS.verifyMs + DEMO_GRACE_MS)
    const following = new AbortController()
    const watching = tasks.follow(client, thread, AbortSignal.any([signal, following.signal]))
    try {
      return await waitForThread(client, thread, {
        signal: AbortSignal.any([signal, bound]),
        onView: view => show.update(view)
      })
    } catch (error) {
      if (!bound.aborted) throw error
      return await client.call('thread.get', { thread }, { signal })
    } finally {
      following.abort()
      await watching
    }
  }

  async #conclude(testnet: Testnet, view: ThreadView, input: PlanInput): Promise<PlanReport> {
    const { signal, nodes } = this.#setup
    this.#screen.live([])
    this.#screen.line()
    const problems: string[] = []
    if (view.phase !== 'FINAL') problems.push(`the thread is ${view.phase}: ${view.reason}`)
    const coordinator = testnet.running.find(node => node.hasDid(view.decide?.worker ?? ''))
    const tasks =
      coordinator === undefined
        ? []
        : await taskReports(testnet, { parent: view, coordinator, signal, problems })
    const workers = [...new Set(tasks.flatMap(({ worker }) => worker ?? []))].sort()
    if (view.phase === 'FINAL' && workers.length < 2) problems.push('one node did all of it')
    for (const { task, type, worker, statedMs, finalMs } of tasks)
      this.#screen.line(
        `${task.padEnd(10)}  ${type.padEnd(18)}  ${(worker ?? 'nobody').padEnd(8)}  +${statedMs} to ${finalMs === null ? '?' : `+${finalMs}`} ms`
      )
    const result = await this.#result(testnet, view, input, problems)
    const others = testnet.running.filter(node => node !== testnet.first)
    if (view.finalize !== null) problems.push(...(await disagreements(others, view, signal)))
    const replayed = await replayThread(testnet.first, view, { dir: testnet.dir, signal })
    problems.push(...replayed.problems)
    const { record, replay } = replayed
    const ok = problems.length === 0 && replay.ok && replay.finalizeBytesEqual
    for (const problem of problems) this.#screen.line(this.#screen.style('red', problem))
    if (ok)
      this.#screen.line(
        this.#screen.style(
          'green',
          `FINAL: ${tasks.length} tasks by ${workers.length} nodes, the count is right, and ${tasks.length + 1} records replay to the same bytes`
        )
      )
    return {
      schema: 'can-swarm/testnet-plan-demo/1',
      ok,
      phase: view.phase,
      reason: view.reason,
      thread: view.thread,
      coordinator: coordinator?.name ?? null,
      tasks,
      workers,
      ...result,
      record,
      replay,
      nodes,
      problems,
      totalMs: Math.round(performance.now() - this.#startedAt)
    }
  }

  /** Shows the most frequent words, keeps the result beside the record, and counts the text here to compare. */
  async #result(
    testnet: Testnet,
    view: ThreadView,
    input: PlanInput,
    problems: string[]
  ): Promise<Pick<PlanReport, 'words' | 'countIsRight' | 'resultPath'>> {
    const [output] = view.phase === 'FINAL' ? (view.commit?.outputs ?? []) : []
    if (output === undefined) return { words: null, countIsRight: false, resultPath: null }
    const { signal } = this.#setup
    const bytes = await fetchArtifact(testnet.first.client, output, { signal })
    const program = builtinProgram('text/count-words')
    assert(program !== null, 'words are counted by a builtin program')
    const own = await program.run(input.bytes, { signal, progress: () => undefined, inputs: [] })
    const countIsRight = Buffer.compare(own.output, bytes) === 0
    if (!countIsRight) problems.push('counting in this process gives another result')
    const path = join(testnet.dir, RESULT_FILE)
    writeFileSync(path, bytes, { mode: 0o600 })
    const [counts = new Map<string, number>()] = decodeCounts(bytes)
    const words = [...counts].sort(([, a], [, b]) => b - a)
    const total = words.reduce((sum, [, count]) => sum + count, 0)
    this.#screen.line()
    for (const [word, count] of words.slice(0, WORDS_SHOWN))
      this.#screen.line(`${String(count).padStart(8)}  ${word}`)
    this.#screen.line(`${String(total).padStart(8)}  in all, ${words.length} different ones`)
    this.#screen.line()
    this.#screen.line(`result   ${path}`)
    return { words: total, countIsRight, resultPath: path }
  }
}
