/**
 * Compiles a capsule: Rego sources to wasm, and the block that names both. Same sources, same compiler, same bytes.
 *
 *     node policies/build.ts            writes policies/base/capsule.wasm and capsule.json
 *     node policies/build.ts --check    compares them with a fresh compilation
 *
 * Exit status: 0 done, 1 the committed capsule differs or the compiler objects, 69 no usable compiler (not for --check).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode as encodeDagJson } from '@ipld/dag-json'
import { parseCapsule } from '../src/adapters/opa/capsule.ts'
import { equals } from '../src/core/base/index.ts'
import { type CID, cidOf, encode } from '../src/core/codec/index.ts'

/** The one compiler whose output is committed. Another version compiles other bytes. */
const OPA = 'v1.22.0'
const RAW = 0x55
const ROOT = import.meta.dirname
const NAME = 'base'
const ENTRYPOINT = 'base/decision'
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
  const block = encode(capsuleBlock(wasm))
  const { cid } = parseCapsule(block, wasm)
  return check ? compare(cid, wasm) : write(cid, wasm)
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

function capsuleBlock(wasm: Uint8Array): Record<string, unknown> {
  return {
    version: 1,
    name: NAME,
    entrypoint: ENTRYPOINT,
    opa: OPA,
    capabilities: linkTo(join(ROOT, 'capabilities.json')),
    sources: sources().map(path => ({ path, source: linkTo(join(ROOT, path)) })),
    wasm: cidOf(wasm, RAW),
    vectors: JSON.parse(readFileSync(join(ROOT, 'vectors', `${NAME}.json`), 'utf8'))
  }
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

function write(cid: string, wasm: Uint8Array): number {
  writeFileSync(join(ROOT, NAME, 'capsule.wasm'), wasm)
  writeFileSync(join(ROOT, NAME, 'capsule.json'), capsuleText(wasm))
  console.log(`${cid} ${wasm.length} bytes of wasm`)
  return 0
}

function compare(cid: string, wasm: Uint8Array): number {
  const same =
    equals(readFileSync(join(ROOT, NAME, 'capsule.wasm')), wasm) &&
    readFileSync(join(ROOT, NAME, 'capsule.json'), 'utf8') === capsuleText(wasm)
  if (same) console.log(`${cid} is what the sources compile to`)
  else
    console.error(
      `the committed capsule is not what the sources compile to (${cid}): run node policies/build.ts`
    )
  return same ? 0 : 1
}

function capsuleText(wasm: Uint8Array): string {
  const dagJson = new TextDecoder().decode(encodeDagJson(capsuleBlock(wasm)))
  return `${JSON.stringify(JSON.parse(dagJson), null, 1)}\n`
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
