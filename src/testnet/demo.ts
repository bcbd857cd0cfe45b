import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fetchArtifact, parseIdentified, waitForThread } from '../agents/index.ts'
import type { ThreadView } from '../core/swarm/index.ts'
import { type DemoReport, type ReplayVerdict, threadReport, threadTimings } from './demo-report.ts'
import { TestnetUsageError } from './errors.ts'
import { checkInput, defaultInput } from './input-file.ts'
import {
  DEMO_GRACE_MS,
  DEMO_NODES_MIN,
  DEMO_TTL_MS,
  DEMO_WINDOWS,
  NODES_DEFAULT,
  RESULT_ROWS_MAX
} from './limits.ts'
import { disagreements } from './outcome.ts'
import { replayThread } from './replay-thread.ts'
import { Screen } from './screen.ts'
import { ThreadShow } from './show-thread.ts'
import { checkSize, Testnet } from './testnet.ts'
import { type TestnetIo, withDefaults } from './testnet-io.ts'

export type DemoInit = TestnetIo & {
  readonly nodes?: number
  /** File of one text per line. Default: ten articles in ten languages. */
  readonly input?: string
  /** Folder for homes and record. Default: a new one under the system's temporary folder. */
  readonly dir?: string
  /** Nodes that run a liar. */
  readonly bad?: number
  /** The last line is one JSON object, a DemoReport. */
  readonly json?: boolean
  /** Life of the NEED in ms. */
  readonly ttlMs?: number
}

const CAPABILITY = 'text/language'
/** One JSON object per line, as the workers wrote it. */
const RESULT_FILE = 'result.jsonl'

/**
 * A real job on a testnet of real processes: which language is each text of a file in? Shows what happens, then the result, the
 * record of the thread, and what replaying it says. Returns 0 only if the thread is FINAL, all nodes agree, and the replay
 * derives the same bytes; 1 otherwise. Bad input is refused before any node starts.
 */
export async function runDemo(init: DemoInit = {}): Promise<number> {
  const io = withDefaults(init)
  try {
    const nodes = init.nodes ?? NODES_DEFAULT
    if (nodes < DEMO_NODES_MIN)
      throw new TestnetUsageError(`the demo needs ${DEMO_NODES_MIN} nodes or more, not ${nodes}`)
    checkSize({ nodes, bad: init.bad ?? 0 })
    const input = await checkInput(init.input ?? defaultInput())
    const screen = new Screen(init.json === true ? io.stderr : io.stdout, io.env)
    const report = await new Demo({ ...init, ...io, nodes }, screen).run(input)
    if (init.json === true) io.stdout.write(`${JSON.stringify(report)}\n`)
    return report.ok ? 0 : 1
  } finally {
    io.release()
  }
}

/** ms from a NEED until every node must have ended its thread, one way or another: the demo never hangs. */
function longestMs(ttlMs: number): number {
  const { verifyMs, sealMs, revealMs, challengeMs } = DEMO_WINDOWS
  return ttlMs + 2 * verifyMs + sealMs + revealMs + challengeMs + DEMO_GRACE_MS
}

type Setup = DemoInit & Required<TestnetIo> & { readonly nodes: number }

class Demo {
  readonly #setup: Setup
  readonly #screen: Screen
  readonly #startedAt: number = performance.now()
  readonly #note = (line: string): void => this.#screen.line(line)

  constructor(setup: Setup, screen: Screen) {
    this.#setup = setup
    this.#screen = screen
  }

  async run(input: { readonly path: string; readonly texts: number }): Promise<DemoReport> {
    const { nodes, signal, env, bad = 0, dir } = this.#setup
    this.#screen.line(`${nodes} nodes start, each in its own process and home`)
    if (dir !== undefined) mkdirSync(dir, { recursive: true, mode: 0o700 })
    const own = dir === undefined ? {} : { dir: resolve(dir) }
    const testnet = await Testnet.start({
      nodes,
      bad,
      signal,
      env,
      capability: CAPABILITY,
      note: this.#note,
      ...own
    })
    let report: DemoReport | null = null
    try {
      const startMs = this.#elapsed()
      await testnet.connected(signal)
      const connectMs = this.#elapsed() - startMs
      this.#screen.line(`all see each other after ${startMs + connectMs} ms`)
      this.#screen.line(
        `node-0 wants to know the language of ${input.texts} text(s) in ${input.path}`
      )
      this.#screen.line()
      const view = await this.#job(testnet, input.path)
      report = await this.#conclude(testnet, view, { startMs, connectMs })
      return report
    } finally {
      this.#screen.live([])
      await testnet.stop()
      this.#tidy(testnet, report?.ok === true)
    }
  }

  /** A folder that the user named keeps its homes. */
  #tidy(testnet: Testnet, ok: boolean): void {
    const { dir, signal } = this.#setup
    if (dir === undefined) testnet.tidy(ok || signal.aborted, this.#note)
    else this.#note(`homes and logs of the nodes are in ${testnet.dir}`)
  }

  /** States the NEED and follows the thread to its end. */
  async #job(testnet: Testnet, inputPath: string): Promise<ThreadView> {
    const { client } = testnet.first
    const { signal, ttlMs = DEMO_TTL_MS } = this.#setup
    const needAt = Date.now()
    const show = new ThreadShow(this.#screen, testnet, needAt)
    const { thread } = await client.call(
      'need.state',
      { capability: CAPABILITY, inputPath, windows: DEMO_WINDOWS, ttlMs, budget: '100' },
      { signal }
    )
    let latest: ThreadView | null = null
    const onView = (view: ThreadView): void => {
      latest = view
      show.update(view)
    }
    const bound = AbortSignal.timeout(longestMs(ttlMs))
    try {
      return await waitForThread(client, thread, {
        signal: AbortSignal.any([signal, bound]),
        onView
      })
    } catch (error) {
      if (!bound.aborted || latest === null) throw error
      return latest
    }
  }

  async #conclude(
    testnet: Testnet,
    view: ThreadView,
    times: { readonly startMs: number; readonly connectMs: number }
  ): Promise<DemoReport> {
    const { signal, nodes } = this.#setup
    this.#screen.live([])
    this.#screen.line()
    const problems: string[] = []
    let resultPath: string | null = null
    if (view.phase === 'FINAL') resultPath = await this.#showResult(testnet, view)
    else problems.push(`the thread is ${view.phase}: ${view.reason}`)
    const others = testnet.running.filter(node => node !== testnet.first && !node.role.bad)
    // Without a certificate each node gives up by itself, and there is nothing to agree on.
    if (view.finalize !== null) problems.push(...(await disagreements(others, view, signal)))
    const { record, replay } = await this.#replay(testnet, view, problems)
    const ok = problems.length === 0 && replay.ok && replay.finalizeBytesEqual
    for (const problem of problems) this.#screen.line(this.#screen.style('red', problem))
    if (ok) this.#screen.line(this.#screen.style('green', `FINAL, and all ${nodes} nodes agree`))
    return {
      schema: 'can-swarm/testnet-demo/1',
      ok,
      ...threadReport(view),
      record,
      resultPath,
      replay,
      nodes,
      problems,
      timings: { ...times, ...threadTimings(view), totalMs: this.#elapsed() }
    }
  }

  /** Shows the result and keeps it beside the record, for it outlives the nodes. Returns the path of the file. */
  async #showResult(testnet: Testnet, view: ThreadView): Promise<string | null> {
    const [output] = view.commit?.outputs ?? []
    if (output === undefined) return null
    const bytes = await fetchArtifact(testnet.first.client, output, { signal: this.#setup.signal })
    const path = join(testnet.dir, RESULT_FILE)
    writeFileSync(path, bytes, { mode: 0o600 })
    const texts = parseIdentified(bytes)
    for (const text of texts.slice(0, RESULT_ROWS_MAX)) {
      const language = `${text.language}  ${text.name.padEnd(18)}`
      this.#screen.line(`${String(text.line).padStart(4)}  ${language}  ${text.text}`)
    }
    if (texts.length > RESULT_ROWS_MAX)
      this.#screen.line(`      and ${texts.length - RESULT_ROWS_MAX} more`)
    this.#screen.line()
    this.#screen.line(`result   ${path}`)
    this.#screen.line(`         ${output}`)
    return path
  }

  async #replay(
    testnet: Testnet,
    view: ThreadView,
    problems: string[]
  ): Promise<{ readonly record: string | null; readonly replay: ReplayVerdict }> {
    const { signal } = this.#setup
    const replayed = await replayThread(testnet.first, view, { dir: testnet.dir, signal })
    const { record, replay } = replayed
    problems.push(...replayed.problems)
    if (record === null) return { record, replay }
    const isSame = replay.ok && replay.finalizeBytesEqual
    const verdict = isSame ? 'FINALIZE is the same, byte for byte' : 'not the same'
    this.#screen.line(`record   ${record}`)
    this.#screen.line(`replay   ${replay.events} events: ${verdict}`)
    return { record, replay }
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#startedAt)
  }
}
