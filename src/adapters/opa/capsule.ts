import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decode as decodeDagJson } from '@ipld/dag-json'
import * as v from 'valibot'
import { equals } from '../../core/base/index.ts'
import { CID, cidOf, decodeStrict, encode } from '../../core/codec/index.ts'
import { METERING_RULES } from '../../core/metering/index.ts'
import type { PolicyDecision, PolicyInput } from '../../core/policy/index.ts'
import { CapsuleRefusedError } from './errors.ts'
import {
  CAPSULE_BLOCK_BYTES_MAX,
  CAPSULE_GAS_MAX,
  CAPSULE_STACK_MAX,
  CAPSULE_VECTORS_GAS_MAX,
  CAPSULE_VECTORS_MAX,
  CAPSULE_WASM_BYTES_MAX,
  REASON_LENGTH_MAX,
  REASONS_MAX
} from './limits.ts'
import type { EvaluationLimits } from './sandbox.ts'

/** Multicodec of a block without structure. */
const RAW = 0x55

/** An input with the decision, and the gas, that every engine must give. */
export type Vector = {
  readonly name: string
  readonly input: PolicyInput
  readonly decision: PolicyDecision
}

/** A policy: compiled Rego and the block that names it (protocols/policy). */
export type Capsule = {
  /** Text CID of `block`: the capsule's name everywhere. */
  readonly cid: string
  readonly name: string
  /** Rego path of the rule that answers, such as base/decision. */
  readonly entrypoint: string
  /** Text CID of the capabilities file that it was compiled under. */
  readonly capabilities: string
  /** What one evaluation may use. */
  readonly limits: EvaluationLimits
  readonly vectors: readonly Vector[]
  /** What the block says, links included. */
  readonly manifest: CapsuleBlock
  readonly block: Uint8Array
  readonly wasm: Uint8Array
  /** `wasm` as this program's build metered it; null when that is still to be done. */
  readonly metered: Uint8Array | null
}

const text = v.pipe(v.string(), v.maxLength(256))
const link = v.custom<CID>(input => CID.asCID(input)?.code === RAW, 'must be a link to a raw block')
const upTo = (max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(max))
const vector = v.strictObject({
  name: text,
  input: v.custom<PolicyInput>(
    input => typeof input === 'object' && input !== null,
    'must be an object'
  ),
  decision: v.strictObject({
    allow: v.boolean(),
    reasons: v.pipe(
      v.array(v.pipe(v.string(), v.maxLength(REASON_LENGTH_MAX))),
      v.maxLength(REASONS_MAX)
    ),
    gas: upTo(CAPSULE_GAS_MAX)
  })
})

const capsuleBlock = v.strictObject({
  version: v.literal(2),
  name: text,
  entrypoint: text,
  /** Version of the compiler, such as v1.22.0. */
  opa: text,
  capabilities: link,
  sources: v.pipe(v.array(v.strictObject({ path: text, source: link })), v.maxLength(64)),
  /** As the compiler wrote it: whoever runs it meters it. */
  wasm: link,
  limits: v.strictObject({ gas: upTo(CAPSULE_GAS_MAX), stack: upTo(CAPSULE_STACK_MAX) }),
  /** Hash of the rules by which `gas` of the vectors is counted. */
  metering: v.custom<Uint8Array>(
    input => input instanceof Uint8Array && equals(input, METERING_RULES),
    'must be the hash of the metering rules of this version'
  ),
  vectors: v.pipe(
    v.array(vector),
    v.minLength(1),
    v.maxLength(CAPSULE_VECTORS_MAX),
    v.check(
      vectors =>
        vectors.reduce((sum, { decision }) => sum + decision.gas, 0) <= CAPSULE_VECTORS_GAS_MAX,
      `cost more than ${CAPSULE_VECTORS_GAS_MAX} gas together`
    )
  )
})

/** What the block of a capsule says. */
export type CapsuleBlock = v.InferOutput<typeof capsuleBlock>

/**
 * Reads a shipped capsule: `capsule.json` (the block as DAG-JSON) and `capsule.wasm`. Raises CapsuleRefusedError when a part
 * is missing or does not match the block. Its vectors are run later, where it is evaluated.
 */
export function loadCapsule(directory: string): Capsule {
  try {
    const block = encode(decodeDagJson(readFileSync(join(directory, 'capsule.json'))))
    return parseCapsule(block, readFileSync(join(directory, 'capsule.wasm')))
  } catch (error) {
    if (error instanceof CapsuleRefusedError) throw error
    throw new CapsuleRefusedError(`in ${directory}`, (error as Error).message)
  }
}

/**
 * Reads the capsule that ships with the program, with `capsule.metered.wasm` if the build left one: metering takes time and memory
 * at every start. The file is trusted like the program beside it; a test compares it.
 */
export function loadShippedCapsule(directory: string): Capsule {
  const metered = join(directory, 'capsule.metered.wasm')
  const capsule = loadCapsule(directory)
  return existsSync(metered) ? { ...capsule, metered: readFileSync(metered) } : capsule
}

/** Checks a block by itself: size, canonical form, fields, limits. Raises CapsuleRefusedError. */
export function parseCapsuleBlock(block: Uint8Array): CapsuleBlock {
  const cid = cidOf(block).toString()
  if (block.length > CAPSULE_BLOCK_BYTES_MAX)
    throw new CapsuleRefusedError(cid, 'its block is too large')
  const decoded = decodeStrict(block)
  if (!decoded.ok) throw new CapsuleRefusedError(cid, decoded.refusal.message)
  const parsed = v.safeParse(capsuleBlock, decoded.value)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw new CapsuleRefusedError(cid, `${v.getDotPath(issue) ?? 'the block'}: ${issue.message}`)
}

/** Checks a block and the wasm that it links to. Raises CapsuleRefusedError. */
export function parseCapsule(block: Uint8Array, wasm: Uint8Array): Capsule {
  const manifest = parseCapsuleBlock(block)
  const cid = cidOf(block).toString()
  if (wasm.length > CAPSULE_WASM_BYTES_MAX)
    throw new CapsuleRefusedError(cid, 'its wasm is too large')
  if (!cidOf(wasm, RAW).equals(manifest.wasm)) {
    throw new CapsuleRefusedError(cid, 'its wasm is not the one that its block links to')
  }
  const { name, entrypoint, limits, vectors } = manifest
  const capabilities = manifest.capabilities.toString()
  return {
    cid,
    name,
    entrypoint,
    capabilities,
    limits,
    vectors,
    manifest,
    block,
    wasm,
    metered: null
  }
}
