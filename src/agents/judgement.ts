import type { ThreadView } from '../core/swarm/index.ts'
import type { SwarmClient } from '../rpc/index.ts'
import { type FetchInit, fetchAll, fetchArtifact } from './artifacts.ts'
import { ArtifactMissingError, ArtifactTooLargeError } from './errors.ts'
import { ARTIFACT_BYTES_MAX, TASK_OUTPUTS_MAX } from './limits.ts'
import type { Program } from './program.ts'
import { outputsOf, runProgram } from './run-program.ts'

/** What a verifier found. */
export type Finding = { readonly pass: boolean; readonly reasons: readonly string[] }

/** Compares what the verifier's own run gave with what the worker committed. */
export type Compare = (own: Uint8Array, committed: Uint8Array) => Finding | Promise<Finding>

/** A finding, or null and why there is none: then the verifier abstains. */
export type Judgement =
  | { readonly finding: Finding }
  | { readonly finding: null; readonly because: string }

/** Equal bytes: for deterministic programs. */
export const sameBytes: Compare = (own, committed) => {
  if (Buffer.compare(own, committed) === 0) return { pass: true, reasons: [] }
  const at = own.findIndex((byte, index) => byte !== committed[index])
  const where = at === -1 ? Math.min(own.length, committed.length) : at
  const sizes = `${committed.length} bytes committed, ${own.length} expected`
  return { pass: false, reasons: [`output_mismatch: first difference at byte ${where}; ${sizes}`] }
}

/**
 * Does the work again and compares. An output that nobody delivers is the worker's fault and fails; an input that nobody
 * delivers is not, and neither is a program that does not run here: then there is no finding. Rejects when `signal` aborts.
 */
export async function judge(
  client: SwarmClient,
  view: ThreadView,
  init: {
    readonly program: Program
    readonly compare: Compare | undefined
    readonly signal: AbortSignal
    readonly timeoutMs: number
    readonly fetchTimeoutMs: number
  }
): Promise<Judgement> {
  const compare = init.compare ?? (view.taskClass === 'deterministic' ? sameBytes : null)
  if (compare === null) return abstain('an open task needs a compare function of its own')
  const outputs = view.commit?.outputs ?? []
  if (outputs.length === 0 || outputs.length > TASK_OUTPUTS_MAX)
    return fail(
      `schema_violation: 1 to ${TASK_OUTPUTS_MAX} outputs are expected, ${outputs.length} were committed`
    )
  const fetching = { signal: init.signal, timeoutMs: init.fetchTimeoutMs }
  const committed = await fetchOutputs(client, outputs, fetching)
  if (!Array.isArray(committed)) return { finding: committed as Finding }
  try {
    const input = await fetchAll(client, view.inputs, fetching)
    const { signal, timeoutMs } = init
    const context = { signal, timeoutMs, inputs: view.inputs, progress: () => undefined }
    const own = outputsOf(await runProgram(init.program, input, context))
    return { finding: await compareAll(compare, own, committed as Uint8Array[]) }
  } catch (error) {
    if (init.signal.aborted) throw error
    return abstain(error instanceof Error ? error.message : String(error))
  }
}

/** As many outputs, and each like its counterpart. The reasons of the first that is not. */
async function compareAll(
  compare: Compare,
  own: readonly Uint8Array[],
  committed: readonly Uint8Array[]
): Promise<Finding> {
  if (own.length !== committed.length)
    return {
      pass: false,
      reasons: [
        `output_mismatch: ${own.length} output(s) expected, ${committed.length} were committed`
      ]
    }
  const reasons: string[] = []
  for (const [index, output] of own.entries()) {
    const finding = await compare(output, committed[index] as Uint8Array)
    if (!finding.pass) return finding
    reasons.push(...finding.reasons)
  }
  return { pass: true, reasons }
}

/** The bytes of all outputs, or what is wrong with the first that cannot be had. They share one limit. */
async function fetchOutputs(
  client: SwarmClient,
  outputs: readonly string[],
  fetching: FetchInit
): Promise<Uint8Array[] | Finding> {
  const fetched: Uint8Array[] = []
  let left = ARTIFACT_BYTES_MAX
  for (const output of outputs) {
    const bytes = await fetchOutput(client, output, { ...fetching, bytesMax: left })
    if (!(bytes instanceof Uint8Array)) return bytes
    left -= bytes.length
    fetched.push(bytes)
  }
  return fetched
}

async function fetchOutput(
  client: SwarmClient,
  output: string,
  fetching: FetchInit
): Promise<Uint8Array | Finding> {
  try {
    return await fetchArtifact(client, output, fetching)
  } catch (error) {
    if (error instanceof ArtifactMissingError || error instanceof ArtifactTooLargeError)
      return { pass: false, reasons: [error.message] }
    const { code, message } = error as { code?: string; message: string }
    if (NOT_A_RESULT.has(code ?? '')) return { pass: false, reasons: [message] }
    throw error
  }
}

/** Codes of a node that found something else than a file behind the CID. */
const NOT_A_RESULT: ReadonlySet<string> = new Set(['NOT_A_FILE', 'ARTIFACT_MALFORMED', 'BAD_CID'])

function fail(reason: string): Judgement {
  return { finding: { pass: false, reasons: [reason] } }
}

function abstain(because: string): Judgement {
  return { finding: null, because }
}
