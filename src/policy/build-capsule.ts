import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  type CapsuleBlock,
  CapsuleRefusedError,
  type Judge,
  openWasm,
  type Vector
} from '../adapters/opa/index.ts'
import { cidOf, encode } from '../core/codec/index.ts'
import { METERING_RULES } from '../core/metering/index.ts'
import { type CapsuleDag, gatherCapsule } from './capsule-dag.ts'
import {
  CAPABILITIES_FILE,
  Compiler,
  type CompilerInit,
  OPA_VERSION,
  type Run
} from './compiler.ts'
import { VectorFailedError } from './errors.ts'
import { type PolicyFolder, readPolicyFolder, type WrittenVector } from './policy-folder.ts'
import { checkQuestion } from './question.ts'
import { capabilitiesPath } from './shipped.ts'

/** Multicodec of a block without structure. */
const RAW = 0x55

export type BuildInit = CompilerInit & {
  /** Takes the gas of vectors from this build instead of comparing it. */
  readonly reweigh?: boolean
  /** Runs the Rego unit tests as well. */
  readonly test?: boolean
  /** Keeps vectors that fail as they are written instead of rejecting: for a report of each. Nobody accepts such a capsule. */
  readonly keepFailing?: boolean
}

export type Built = {
  readonly dag: CapsuleDag
  /** What the Rego unit tests said; null when they were not asked for. */
  readonly tests: Run | null
}

/**
 * Makes a capsule of a folder: compiles the Rego under our capabilities, and runs the vectors. Equal sources, manifest and vectors give an equal
 * capsule on every machine, wherever the folder lies. Rejects with CompilerUnavailableError, CompilerFailedError, PolicySourceError,
 * VectorFailedError or CapsuleRefusedError. Needs no node and no network.
 */
export async function buildCapsule(directory: string, init: BuildInit): Promise<Built> {
  const folder = await readPolicyFolder(directory)
  const compiler = await Compiler.find(init)
  const capabilities = new Uint8Array(await readFile(capabilitiesPath()))
  const desk = await mkdtemp(join(tmpdir(), 'capsule-'))
  try {
    await layOut(desk, folder, capabilities)
    const tests = init.test === true ? await compiler.test(desk, folder.name) : null
    const wasm = await compiler.build(desk, folder.name, folder.entrypoint)
    const vectors = weigh(folder, wasm, init)
    return { dag: await assemble(folder, { wasm, capabilities, vectors }), tests }
  } finally {
    await rm(desk, { recursive: true, force: true })
  }
}

/** The folder under the policy's own name: paths end up in the wasm, so they must not be those of this machine. */
async function layOut(desk: string, folder: PolicyFolder, capabilities: Uint8Array): Promise<void> {
  await writeFile(join(desk, CAPABILITIES_FILE), capabilities)
  for (const { path, bytes } of folder.files) {
    const full = join(desk, folder.name, path)
    await mkdir(dirname(full), { recursive: true })
    await writeFile(full, bytes)
  }
}

/** The vectors with what each costs. Raises VectorFailedError, which names all that are decided another way. */
function weigh(folder: PolicyFolder, wasm: Uint8Array, init: BuildInit): Vector[] {
  const { entrypoint, limits, vectors, name } = folder
  const opened = openWasm(wasm, { entrypoint, limits })
  if (!opened.ok)
    throw new CapsuleRefusedError(name, `${opened.refusal.message} (${opened.refusal.code})`)
  const weighed = vectors.map(vector => weighOne(vector, opened.value, init.reweigh === true))
  const wrong = weighed.flatMap(({ flaw }) => flaw ?? [])
  if (wrong.length > 0 && init.keepFailing !== true)
    throw new VectorFailedError(
      `${wrong.length} of ${vectors.length} vectors of ${name} fail: ${wrong.slice(0, 3).join('; ')}`,
      { failed: wrong }
    )
  return weighed.map(({ vector }) => vector)
}

/** The vector with its gas, and what is wrong with it, if anything is. */
function weighOne(
  vector: WrittenVector,
  judge: Judge,
  reweigh: boolean
): { readonly vector: Vector; readonly flaw: string | null } {
  const { name } = vector
  const input = checkQuestion(vector.input, `the vector "${name}"`)
  const { gas, ...expected } = vector.decision
  const decision = judge(input)
  const { gas: cost, ...decided } = decision
  const written = { name, input, decision: { ...expected, gas: gas ?? cost } }
  if (!isDeepStrictEqual(decided, expected)) {
    const [is, not] = [JSON.stringify(decided), JSON.stringify(expected)]
    return { vector: written, flaw: `"${name}" is decided ${is}, not ${not}` }
  }
  if (!reweigh && gas !== undefined && gas !== cost)
    return { vector: written, flaw: `"${name}" costs ${cost} gas, not ${gas}` }
  return { vector: { name, input, decision }, flaw: null }
}

function assemble(
  folder: PolicyFolder,
  parts: {
    readonly wasm: Uint8Array
    readonly capabilities: Uint8Array
    readonly vectors: readonly Vector[]
  }
): Promise<CapsuleDag> {
  const { name, entrypoint, limits } = folder
  const { wasm, capabilities } = parts
  const sources = folder.files.filter(file => !file.isTest)
  const block: CapsuleBlock = {
    version: 2,
    name,
    entrypoint,
    opa: OPA_VERSION,
    capabilities: cidOf(capabilities, RAW),
    sources: sources.map(({ path, bytes }) => ({
      path: `${name}/${path}`,
      source: cidOf(bytes, RAW)
    })),
    wasm: cidOf(wasm, RAW),
    limits,
    metering: METERING_RULES,
    vectors: parts.vectors.map(({ decision, ...vector }) => ({
      ...vector,
      decision: { ...decision, reasons: [...decision.reasons] }
    }))
  }
  const root = encode(block)
  const blocks = new Map<string, Uint8Array>([[cidOf(root).toString(), root]])
  for (const bytes of [wasm, capabilities, ...sources.map(source => source.bytes)])
    blocks.set(cidOf(bytes, RAW).toString(), bytes)
  // Gathered as a stranger would, so that nothing is built that others refuse.
  return gatherCapsule(cidOf(root).toString(), cid => blocks.get(cid) ?? new Uint8Array())
}
