/**
 * Compiles a capsule: Rego sources to wasm, what its vectors cost, and the block that names all. Same sources, same compiler,
 * same bytes.
 *
 *     node policies/build.ts            writes policies/base/capsule.{wasm,metered.wasm,json}, and the gas into the vectors
 *     node policies/build.ts --check    compares them with a fresh compilation
 *
 * Exit status: 0 done, 1 the committed capsule differs or the compiler objects, 69 no usable compiler (not for --check).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { encode as encodeDagJson } from '@ipld/dag-json'
import { type CapsuleBlock, parseCapsule, type Vector } from '../src/adapters/opa/capsule.ts'
import { decide } from '../src/adapters/opa/decide.ts'
import { Sandbox } from '../src/adapters/opa/sandbox.ts'
import { assert, equals } from '../src/core/base/index.ts'
import { type CID, cidOf, encode } from '../src/core/codec/index.ts'
import { METERING_RULES, meterModule } from '../src/core/metering/index.ts'
import { policyText } from '../src/core/policy/index.ts'

/** The one compiler whose output is committed. Another version compiles other bytes. */
const OPA = 'v1.22.0'
const RAW = 0x55
const ROOT = import.meta.dirname
const NAME = 'base'
const ENTRYPOINT = 'base/decision'
/**
 * Gas: about twice what the dearest envelope of 64 KiB costs. Stack: JSON of more than 400 levels, where an envelope has 32.
 */
const LIMITS = { gas: 50_000_000, stack: 16_384 }
const VECTORS = join(ROOT, 'vectors', `${NAME}.json`)
const UNAVAILABLE = 69

process.exitCode = main(process.argv.includes('--check'))

function main(check: boolean): number {
  const problem = compilerProblem()
  if (problem !== null) {
    console.error(problem)
    return check ? 0 : UNAVAILABLE
  }
  const tested = opa(['test', '--capabilities', 'capabilities.json', '--ignore', '*.json', NAME])
  if (tested.status !== 0) return fail(tested)
  const wasm = compile()
  if (wasm === null) return 1
  const vectors = weighedVectors(wasm)
  if (vectors === null) return 1
  const block = capsuleBlock(wasm, vectors)
  const { cid } = parseCapsule(encode(block), wasm)
  const files = filesOf(block, wasm)
  return check ? compare(cid, files) : write(cid, files)
}

function compilerProblem(): string | null {
  const { error, stdout } = opa(['version'])
  const install = `install it with: go install github.com/open-policy-agent/opa@${OPA}`
  if (error !== undefined)
    return `opa is not on the PATH, so the capsule is not compiled; ${install}`
  const version = /^Version: (\S+)/u.exec(stdout)?.[1] ?? 'unknown'
  return `v${version}` === OPA
    ? null
    : `opa is version ${version}, the capsule needs ${OPA}; ${install}`
}

function compile(): Uint8Array | null {
  const folder = mkdtempSync(join(tmpdir(), 'capsule-'))
  try {
    const bundle = join(folder, 'bundle.tar.gz')
    // Relative paths only: they end up in the wasm.
    const built = opa([
      'build',
      '--target',
      'wasm',
      '--optimize',
      '1',
      '--entrypoint',
      ENTRYPOINT,
      '--capabilities',
      'capabilities.json',
      '--ignore',
      '*_test.rego',
      '--ignore',
      '*.json',
      '--output',
      bundle,
      NAME
    ])
    if (built.status !== 0) return failed(built)
    const unpacked = spawnSync('tar', ['-xzOf', bundle, '/policy.wasm'], { maxBuffer: 1 << 24 })
    return unpacked.status === 0
      ? new Uint8Array(unpacked.stdout)
      : failed({ stderr: String(unpacked.stderr) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The vectors, each with the gas that it costs; null when the policy decides another way than one says. */
function weighedVectors(wasm: Uint8Array): Vector[] | null {
  const created = Sandbox.create(wasm, {
    entrypoint: ENTRYPOINT,
    limits: LIMITS,
    isMetered: false
  })
  if (!created.ok) return failed({ stderr: created.refusal.message })
  const vectors: Vector[] = JSON.parse(readFileSync(VECTORS, 'utf8'))
  const weighed = vectors.map(({ name, input, decision }) => {
    const decided = decide(created.value, policyText(input))
    const asWritten = { ...decision, gas: decided.gas }
    return isDeepStrictEqual(decided, asWritten) ? { name, input, decision: decided } : name
  })
  const wrong = weighed.filter(vector => typeof vector === 'string')
  if (wrong.length > 0) return failed({ stderr: `decided another way: ${wrong.join(', ')}` })
  return weighed.filter(vector => typeof vector !== 'string')
}

function capsuleBlock(wasm: Uint8Array, vectors: Vector[]): CapsuleBlock {
  return {
    version: 2,
    name: NAME,
    entrypoint: ENTRYPOINT,
    opa: OPA,
    capabilities: linkTo(join(ROOT, 'capabilities.json')),
    sources: sources().map(path => ({ path, source: linkTo(join(ROOT, path)) })),
    wasm: cidOf(wasm, RAW),
    limits: LIMITS,
    metering: METERING_RULES,
    vectors
  }
}

/** What is committed, by path. */
function filesOf(block: CapsuleBlock, wasm: Uint8Array): Map<string, Uint8Array> {
  const dagJson = new TextDecoder().decode(encodeDagJson(block))
  const lines = block.vectors.map(vector => `  ${lineOf(vector)}`)
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  return new Map([
    [join(ROOT, NAME, 'capsule.wasm'), wasm],
    [join(ROOT, NAME, 'capsule.metered.wasm'), metered(wasm)],
    [join(ROOT, NAME, 'capsule.json'), bytes(`${JSON.stringify(JSON.parse(dagJson), null, 1)}\n`)],
    [VECTORS, bytes(`[\n${lines.join(',\n')}\n]\n`)]
  ])
}

function metered(wasm: Uint8Array): Uint8Array {
  const result = meterModule(wasm)
  assert(result.ok, 'the vectors were weighed with it')
  return result.value
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

function sources(): string[] {
  return readdirSync(join(ROOT, NAME))
    .filter(file => file.endsWith('.rego') && !file.endsWith('_test.rego'))
    .sort()
    .map(file => `${NAME}/${file}`)
}

function linkTo(path: string): CID {
  return cidOf(readFileSync(path), RAW)
}

function write(cid: string, files: ReadonlyMap<string, Uint8Array>): number {
  for (const [path, bytes] of files) writeFileSync(path, bytes)
  console.log(cid)
  return 0
}

function compare(cid: string, files: ReadonlyMap<string, Uint8Array>): number {
  const same = [...files].every(([path, bytes]) => equals(readFileSync(path), bytes))
  if (same) console.log(`${cid} is what the sources compile to`)
  else
    console.error(
      `the committed capsule is not what the sources compile to (${cid}): run node policies/build.ts`
    )
  return same ? 0 : 1
}

function opa(args: string[]): {
  status: number | null
  stdout: string
  stderr: string
  error?: Error
} {
  return spawnSync('opa', args, { cwd: ROOT, encoding: 'utf8' })
}

function fail({ stdout, stderr }: { stdout: string; stderr: string }): number {
  console.error(stdout + stderr)
  return 1
}

function failed({ stderr }: { stderr: string }): null {
  console.error(stderr)
  return null
}
