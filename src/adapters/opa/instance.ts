import { ok, type Result, refuse } from '../../core/base/index.ts'
import { ANSWER_BYTES_MAX } from './limits.ts'
import { type WasmExport, type WasmModule, webAssembly } from './web-assembly.ts'

/** The empty data document. */
const NO_DATA: Uint8Array = new TextEncoder().encode('{}')

/** A policy that is set up and has not judged anything yet. */
export type PolicyInstance = {
  readonly memory: Uint8Array
  readonly exports: Readonly<Record<string, WasmExport>>
  /** Numbers of the entrypoints by Rego path. */
  readonly entrypoints: ReadonlyMap<string, number>
  /** Addresses of the empty data document, and of the first byte that is free. */
  readonly data: number
  readonly heap: number
}

/**
 * Instantiates a metered module in a memory of its own and calls what comes before the first evaluation, in the order of POL-13.
 * The module may be a stranger's: it runs on the gas that metering gives to set-up, and nothing that it returns is believed. Throws what it throws.
 */
export function setUp(module: WasmModule, pages: number): Result<PolicyInstance> {
  const wasmMemory = new webAssembly.Memory({ initial: pages, maximum: pages })
  const { exports } = new webAssembly.Instance(module, { env: { memory: wasmMemory, ...HOST } })
  const missing = CALLED.filter(name => typeof exports[name] !== 'function')
  if (missing.length > 0) return unusable(`it does not export ${missing.join(', ')}`)
  const memory = new Uint8Array(wasmMemory.buffer)
  const call = (name: Called, ...values: number[]): number =>
    (exports[name] as WasmExport)(...values) >>> 0

  // The host's versions of OPA's builtins differ from OPA's own, so only those inside the wasm are allowed (R17).
  const builtins = numbersIn(textAt(memory, call('opa_json_dump', call('builtins'))))
  if (builtins === null) return unusable('its table of builtins cannot be read')
  if (builtins.size > 0) return unusable(`it needs the host builtins ${list(builtins)}`)

  const address = call('opa_malloc', NO_DATA.length)
  if (address + NO_DATA.length > memory.length) return unusable('its memory is not the one it got')
  memory.set(NO_DATA, address)
  const data = call('opa_json_parse', address, NO_DATA.length)
  if (data === 0) return unusable('it cannot read the empty data document')
  const heap = call('opa_heap_ptr_get')
  const entrypoints = numbersIn(textAt(memory, call('opa_json_dump', call('entrypoints'))))
  if (entrypoints === null) return unusable('its table of entrypoints cannot be read')
  return ok({ memory, exports, entrypoints, data, heap })
}

/** The text that ends with a zero byte; null when it does not end in time, or is not UTF-8. */
export function textAt(memory: Uint8Array, address: number): string | null {
  const part = memory.subarray(address, address + ANSWER_BYTES_MAX)
  const length = part.indexOf(0)
  if (length < 0) return null
  try {
    return decoder.decode(part.subarray(0, length))
  } catch {
    return null
  }
}

/** Strict, so that another decoder makes no other text of the same bytes. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What this file and the evaluation call. `opa_eval` is there since ABI 1.2. */
const CALLED = [
  'builtins',
  'entrypoints',
  'opa_eval',
  'opa_heap_ptr_get',
  'opa_json_dump',
  'opa_json_parse',
  'opa_malloc'
] as const
type Called = (typeof CALLED)[number]

/** Imports that a policy may name. The metered module calls none of them: MET-8 has replaced the calls. */
const HOST: Readonly<Record<string, () => never>> = Object.fromEntries(
  ['opa_abort', 'opa_println', ...[0, 1, 2, 3, 4].map(count => `opa_builtin${count}`)].map(name => [
    name,
    () => {
      throw new webAssembly.RuntimeError(`${name} was called`)
    }
  ])
)

/** The map from names to numbers that a JSON text is; null when it is anything else. */
function numbersIn(text: string | null): ReadonlyMap<string, number> | null {
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    const entries = Object.entries(value)
    const isMap = entries.every(([, number]) => Number.isInteger(number))
    return isMap ? new Map(entries as [string, number][]) : null
  } catch {
    return null
  }
}

/** Names for a message; a stranger may have given many and long ones. */
function list(names: ReadonlyMap<string, number>): string {
  return [...names.keys()]
    .slice(0, 8)
    .map(name => name.slice(0, 64))
    .join(', ')
}

function unusable(flaw: string): Result<never> {
  return refuse('WASM_UNUSABLE', flaw)
}
