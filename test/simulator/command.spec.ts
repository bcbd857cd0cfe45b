/**
 * Goal: whoever runs `can-swarm simulate` learns of a broken rule by status, document, text and trace, and can run it again. Method: the
 * program as a process, bundled with a deliberate bug in it.
 */
import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { mutantPlugin } from './mutant-run.ts'
import { MUTANTS } from './mutants.ts'

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url))
/** Set off by most seeds. */
const BUG = 'a JOIN is not durable'

type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

describe('simulator: command', function () {
  this.timeout(120_000)
  let folder: string

  const run = async (...argv: readonly string[]): Promise<Finished> => {
    const main = join(folder, 'cli', 'main.js')
    const child = spawn(process.execPath, [main, 'simulate', ...argv], { cwd: folder })
    const exit = once(child, 'exit')
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    await exit
    return { code: child.exitCode, stdout, stderr }
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'can-swarm-command-'))
    const mutant = MUTANTS.find(({ name }) => name === BUG)
    assert(mutant !== undefined, 'the list has the bug')
    await buildWith(await mutantPlugin(mutant), folder)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('ends with status 1 and a document when a rule is broken', async () => {
    const { code, stdout } = await run('--seeds', '3', '--json')
    assert.equal(code, 1)
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    assert.deepEqual([report.seeds, report.from], [3, 0])
    assert(report.simulatedMs > 0 && report.realMs > 0)
    const [violation] = report.violations
    assert.equal(violation.rule, 'durability')
    assert.equal(typeof violation.plan.nodes, 'number')
    const trace = readFileSync(violation.trace, 'utf8').split('\n')
    assert.deepEqual(JSON.parse(trace[0] ?? ''), violation.plan)
    assert(trace.length > 100, 'every event')
  })

  it('prints seed, options, trace and the command that shows the same again', async () => {
    const first = await run('--seeds', '3', '--faults', 'none', '--trace', 'a')
    assert.equal(first.code, 1)
    const [, seed] = /^FAILED {2}seed (\d+)$/mu.exec(first.stdout) ?? []
    assert(seed !== undefined, first.stdout)
    assert.match(first.stdout, new RegExp(`trace +.*${join('a', `seed-${seed}.txt`)}$`, 'mu'))
    const [, again] = /again +can-swarm simulate (.*)$/mu.exec(first.stdout) ?? []
    const second = await run(...(again ?? '').split(' '), '--trace', 'b')
    assert.equal(second.code, 1, second.stderr)
    const traces = ['a', 'b'].map(dir =>
      readFileSync(join(folder, dir, `seed-${seed}.txt`), 'utf8')
    )
    assert.equal(traces[0], traces[1])
  })

  it('refuses a folder for traces that is none before the first seed', async () => {
    writeFileSync(join(folder, 'taken'), '')
    for (const trace of ['taken', join('taken', 'x')]) {
      const { code, stdout, stderr } = await run('--seeds', '1000000', '--trace', trace)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, /--trace .*\[TRACE_FAILED\]\n$/u)
    }
  })

  it('tells what was done when it is not given the time for all', async () => {
    const { code, stdout } = await run('--seeds', '1000000', '--timeout', '1ms', '--json')
    const report = JSON.parse(stdout)
    assert.equal(code, report.violations.length > 0 ? 1 : 5)
    assert(report.seeds < 1_000_000)
  })
})

function buildWith(plugin: Plugin, outdir: string): Promise<unknown> {
  writeFileSync(join(outdir, 'package.json'), '{"type":"module"}')
  return build({
    entryPoints: ['cli/main.ts', 'simulator/worker.ts'].map(entry => join(SOURCES, entry)),
    outbase: SOURCES,
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'error',
    plugins: [plugin],
    // Never loaded by this command.
    external: ['classic-level', '@automerge/automerge'],
    // Some dependencies are CommonJS and call require() for Node's own modules.
    banner: {
      js: "import { createRequire as canSwarmRequire } from 'node:module'; const require = canSwarmRequire(import.meta.url);"
    }
  })
}
