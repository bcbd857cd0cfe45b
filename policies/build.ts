/**
 * Compiles the base capsule: Rego sources to wasm, what its vectors cost, and the block that names all. Same sources, same compiler,
 * same bytes. Each sample becomes one file, as `can-swarm policy build` makes it.
 *
 *     node policies/build.ts            writes policies/base/capsule.{wasm,metered.wasm,json}, the gas into the vectors, and policies/samples/*.car
 *     node policies/build.ts --check    compares them with a fresh compilation
 *
 * Exit status: 0 done, 1 the committed capsule differs or the compiler objects, 69 no usable compiler (not for --check).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode as encodeDagJson } from '@ipld/dag-json'
import type { Capsule, Vector } from '../src/adapters/opa/index.ts'
import { assert, equals, SwarmError } from '../src/core/base/index.ts'
import { meterModule } from '../src/core/metering/index.ts'
import {
  basePath,
  buildCapsule,
  type CapsuleDag,
  CompilerUnavailableError,
  encodeCapsuleFile,
  VECTORS_FILE
} from '../src/policy/index.ts'

const UNAVAILABLE = 69
const SAMPLES_PATH: string = join(import.meta.dirname, 'samples')
/** Folders of samples. */
const SAMPLES = ['strict'] as const

class RegoTestsFailed extends Error {}

process.exitCode = await main(process.argv.includes('--check'))

async function main(check: boolean): Promise<number> {
  try {
    const base = await tested(basePath(), !check)
    const files = filesOf(base)
    for (const sample of SAMPLES) {
      const dag = await tested(join(SAMPLES_PATH, sample), false)
      files.set(join(SAMPLES_PATH, `${sample}.car`), encodeCapsuleFile(dag))
    }
    const { cid } = base.capsule
    return check ? compare(cid, files) : write(cid, files)
  } catch (error) {
    if (error instanceof RegoTestsFailed) return failed(error.message)
    if (!(error instanceof SwarmError)) throw error
    const status = failed(error.message)
    if (!(error instanceof CompilerUnavailableError)) return status
    return check ? 0 : UNAVAILABLE
  }
}

/** A policy folder as a capsule, once its Rego tests have passed. Raises RegoTestsFailed. */
async function tested(path: string, reweigh: boolean): Promise<CapsuleDag> {
  const { dag, tests } = await buildCapsule(path, { env: process.env, test: true, reweigh })
  if (tests?.ok !== true) throw new RegoTestsFailed(tests?.output ?? 'no tests were run')
  return dag
}

/** What is committed of the base capsule, by path. */
function filesOf({ capsule }: CapsuleDag): Map<string, Uint8Array> {
  const dagJson = new TextDecoder().decode(encodeDagJson(capsule.manifest))
  const lines = weighedVectors(capsule).map(vector => `  ${lineOf(vector)}`)
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  const metered = meterModule(capsule.wasm)
  assert(metered.ok, 'the vectors were weighed with it')
  const files: [string, Uint8Array][] = [
    ['capsule.wasm', capsule.wasm],
    ['capsule.metered.wasm', metered.value],
    ['capsule.json', bytes(`${JSON.stringify(JSON.parse(dagJson), null, 1)}\n`)],
    [VECTORS_FILE, bytes(`[\n${lines.join(',\n')}\n]\n`)]
  ]
  return new Map(files.map(([name, content]) => [join(basePath(), name), content]))
}

/** The vectors as they are written, with the gas of the capsule: a block sorts the keys of inputs, people do not. */
function weighedVectors({ vectors }: Capsule): unknown[] {
  const written: Vector[] = JSON.parse(readFileSync(join(basePath(), VECTORS_FILE), 'utf8'))
  return written.map((vector, i) => ({
    ...vector,
    decision: { ...vector.decision, gas: vectors[i]?.decision.gas }
  }))
}

/** One line of the vectors, spaced as people write it. */
function lineOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(lineOf).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${lineOf(item)}`
  )
  return `{${entries.join(', ')}}`
}

function write(cid: string, files: ReadonlyMap<string, Uint8Array>): number {
  for (const [path, bytes] of files) writeFileSync(path, bytes)
  console.log(cid)
  return 0
}

function compare(cid: string, files: ReadonlyMap<string, Uint8Array>): number {
  const same = [...files].every(([path, bytes]) => equals(readFileSync(path), bytes))
  if (!same)
    return failed(
      `the committed capsule is not what the sources compile to (${cid}): run node policies/build.ts`
    )
  console.log(`${cid} is what the sources compile to`)
  return 0
}

function failed(message: string): number {
  console.error(message)
  return 1
}
