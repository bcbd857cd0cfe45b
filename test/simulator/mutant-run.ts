/** Builds the simulator with one deliberate bug in it, and runs it until a checker speaks up. */
import { strict as assert } from 'node:assert'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build, type Plugin } from 'esbuild'
import type { Violation } from '../../src/simulator/index.ts'
import type { Mutant } from './mutant.ts'

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url))

/** What a mutant came to: the violations of the first seed that breaks a rule that is named with it, or else of the first that breaks any; null when all seeds passed. */
export type Caught = { readonly seed: number; readonly violations: readonly Violation[] } | null

/** Runs in a thread of its own, so that nothing of a mutant stays behind. */
const ENTRY = `
import { parentPort, workerData } from 'node:worker_threads'
import { simulate } from './simulator/simulate.ts'
const { seeds, faults, rules } = workerData
let caught = null
for (const seed of seeds) {
  const { violations } = await simulate({ seed, signatures: 'fast', ...(faults ? { faults } : {}) })
  if (violations.length === 0) continue
  const isNamed = violations.some(({ rule }) => rules.includes(rule))
  if (caught === null || isNamed) caught = { seed, violations }
  if (isNamed) break
}
parentPort.postMessage(caught)
`

export async function runMutant(mutant: Mutant): Promise<Caught> {
  // A file, not a data URL: some modules look for what lies beside them.
  const folder = await mkdtemp(join(tmpdir(), 'can-swarm-mutant-'))
  try {
    const path = join(folder, 'mutant.mjs')
    await writeFile(path, await bundle(mutant))
    const worker = new Worker(path, {
      workerData: { seeds: seedsOf(mutant), faults: mutant.faults, rules: mutant.rules }
    })
    const { promise, resolve, reject } = Promise.withResolvers<Caught>()
    worker.once('message', resolve).once('error', reject)
    return await promise.finally(() => worker.terminate())
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Every seed once. */
function seedsOf({ seedsMax, seedSeen = 0 }: Mutant): readonly number[] {
  assert(seedSeen < seedsMax, 'the seed that showed it is one of the seeds')
  const others = Array.from({ length: seedsMax }, (_, seed) => seed)
  return [seedSeen, ...others.filter(seed => seed !== seedSeen)]
}

/** The sources with the bug in them, by path. Each text must stand in its file exactly once: a mutant that changes nothing proves nothing. */
export async function mutate(mutant: Mutant): Promise<ReadonlyMap<string, string>> {
  const changed = new Map<string, string>()
  for (const { file, find, replace } of [mutant, ...(mutant.also ?? [])]) {
    const path = `${SOURCES}${file}`
    const text = changed.get(path) ?? (await readFile(path, 'utf8'))
    const count = text.split(find).length - 1
    assert.equal(count, 1, `"${mutant.name}": the text stands ${count} times in ${file}, not once`)
    changed.set(
      path,
      text.replace(find, () => replace)
    )
  }
  return changed
}

/** Puts the bug into what esbuild bundles. */
export async function mutantPlugin(mutant: Mutant): Promise<Plugin> {
  const changed = await mutate(mutant)
  return {
    name: 'mutant',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = changed.get(path)
        return contents === undefined ? undefined : { contents, loader: 'ts' }
      })
    }
  }
}

async function bundle(mutant: Mutant): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: SOURCES, loader: 'js' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'error',
    plugins: [await mutantPlugin(mutant)],
    // Some dependencies are CommonJS and call require() for Node's own modules.
    banner: {
      js: "import { createRequire as canSwarmRequire } from 'node:module'; const require = canSwarmRequire('file:///');"
    }
  })
  const [output] = outputFiles
  assert(output !== undefined, 'esbuild gives one file')
  return output.text
}
