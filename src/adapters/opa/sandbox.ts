import { ok, type Result, refuse } from '../../core/base/index.ts'
import { EXPORTS, INITIAL_GAS, meterModule } from '../../core/metering/index.ts'
import type { Stop } from './answer.ts'
import { type PolicyInstance, setUp, textAt } from './instance.ts'
import { LARGE_MEMORY_PAGES, SMALL_INPUT_BYTES, SMALL_MEMORY_PAGES } from './limits.ts'
import { type WasmExport, type WasmModule, webAssembly } from './web-assembly.ts'

/** What one evaluation may use. */
export type EvaluationLimits = {
  readonly gas: number
  /** Slots of stack: locals, operands, and eight for each frame. */
  readonly stack: number
}

export type SandboxInit = {
  readonly entrypoint: string
  readonly limits: EvaluationLimits
  /**
   * The wasm is metered already, and OPA's compiler wrote it. Only for files of this program: a stranger could say so of anything. Memory that such a policy
   * never allocated is taken to be untouched.
   */
  readonly isMetered: boolean
}

/** How an evaluation ended. `text` is the policy's answer as JSON; null when it is longer than any answer may be, or no UTF-8. */
export type Evaluated =
  | { readonly kind: 'answered'; readonly text: string | null; readonly gas: number }
  | { readonly kind: Stop }

/**
 * One policy, metered and compiled, in two fixed memories. Which of them is used depends on the size of the input alone, and
 * every evaluation starts from the same memory and globals, so that equal inputs end equally, at equal cost, on every machine.
 */
export class Sandbox {
  readonly #module: WasmModule
  readonly #globals: readonly string[]
  readonly #entrypoint: string
  readonly #isOwn: boolean
  readonly limits: EvaluationLimits
  readonly #cells = new Map<number, Cell>()

  private constructor(module: WasmModule, { entrypoint, limits, isMetered }: SandboxInit) {
    this.#module = module
    this.#globals = webAssembly.Module.exports(module)
      .map(({ name }) => name)
      .filter(name => name.startsWith(EXPORTS.global))
    this.#entrypoint = entrypoint
    this.#isOwn = isMetered
    this.limits = limits
  }

  /**
   * Compiles, and meters first unless this program's own build did. Refuses what may not run here, with the reason. Throws what
   * the policy throws while it sets itself up.
   */
  static create(wasm: Uint8Array, init: SandboxInit): Result<Sandbox> {
    const metered = init.isMetered ? ok(wasm) : meterValid(wasm)
    if (!metered.ok) return metered
    const module = new webAssembly.Module(metered.value)
    const sandbox = new Sandbox(module, init)
    const flaw = sandbox.#flaw()
    return flaw === null ? ok(sandbox) : refuse('WASM_UNUSABLE', flaw)
  }

  /** With so much gas. Throws only for faults of this machine: no memory, no stack of its own. */
  evaluate(input: string, gas: number): Evaluated {
    const bytes = new TextEncoder().encode(input)
    const pages = bytes.length <= SMALL_INPUT_BYTES ? SMALL_MEMORY_PAGES : LARGE_MEMORY_PAGES
    try {
      const cell = this.#cell(pages)
      return cell === null ? { kind: 'trap' } : this.#run(cell, bytes, gas)
    } catch (error) {
      if (!(error instanceof webAssembly.RuntimeError)) throw error
      return { kind: this.#stopOf(pages) }
    }
  }

  #run(cell: Cell, input: Uint8Array, gas: number): Evaluated {
    restore(cell)
    cell.gas.value = BigInt(gas)
    cell.stack.value = this.limits.stack
    cell.touched = cell.memory.length
    // The text begins where the policy's own memory ends; it works behind the text.
    const end = cell.heap + input.length
    if (end > cell.memory.length) return { kind: 'trap' }
    cell.memory.set(input, cell.heap)
    const answer = cell.evaluate(0, cell.entrypoint, cell.data, cell.heap, input.length, end, 0)
    const left = Number(cell.gas.value)
    if (this.#isOwn) cell.touched = allocated(cell)
    return { kind: 'answered', text: textAt(cell.memory, answer), gas: gas - left }
  }

  #stopOf(pages: number): Stop {
    const cell = this.#cells.get(pages)
    if (cell === undefined) return 'trap'
    if (cell.gas.value < 0) return 'out-of-gas'
    return cell.stack.value < 0 ? 'out-of-stack' : 'trap'
  }

  #flaw(): string | null {
    const policy = setUp(this.#module, SMALL_MEMORY_PAGES)
    if (!policy.ok) return policy.refusal.message
    return policy.value.entrypoints.has(this.#entrypoint)
      ? null
      : `it has no entrypoint ${this.#entrypoint}`
  }

  /** Null when a policy that could be set up in the small memory cannot in the large one: it was made to. */
  #cell(pages: number): Cell | null {
    const known = this.#cells.get(pages)
    if (known !== undefined) return known
    const policy = setUp(this.#module, pages)
    if (!policy.ok) return null
    const cell = newCell(policy.value, this.#globals, this.#entrypoint)
    this.#cells.set(pages, cell)
    return cell
  }
}

function meterValid(wasm: Uint8Array): Result<Uint8Array> {
  const metered = meterModule(wasm)
  if (!metered.ok) return metered
  return webAssembly.validate(wasm)
    ? ok(metered.value)
    : refuse('WASM_INVALID', 'it is not valid WebAssembly')
}

/**
 * An instance, and all of it that can change: the part of its first memory that is not zero, its globals, its counters. Tables
 * cannot change, so that even after a trap the instance can be made as new.
 */
type Cell = {
  readonly memory: Uint8Array
  readonly snapshot: Uint8Array
  readonly globals: readonly { readonly global: WasmExport; readonly first: number | bigint }[]
  readonly gas: WasmExport
  readonly stack: WasmExport
  readonly evaluate: WasmExport
  readonly entrypoint: number
  /** Addresses of the empty data document, and of the first byte that is free. */
  readonly data: number
  readonly heap: number
  readonly heapPointer: WasmExport
  /** From here on memory is zero. */
  touched: number
}

function newCell(policy: PolicyInstance, globals: readonly string[], entrypoint: string): Cell {
  const { memory } = policy
  let used = memory.length
  while (used > 0 && memory[used - 1] === 0) used--
  const exported = (name: string): WasmExport => policy.exports[name] as WasmExport
  return {
    memory,
    snapshot: memory.slice(0, used),
    globals: globals.map(exported).map(global => ({ global, first: global.value })),
    gas: exported(EXPORTS.gas),
    stack: exported(EXPORTS.stack),
    evaluate: exported('opa_eval'),
    entrypoint: policy.entrypoints.get(entrypoint) ?? 0,
    data: policy.data,
    heap: policy.heap,
    heapPointer: exported('opa_heap_ptr_get'),
    touched: used
  }
}

function restore({ memory, snapshot, globals, touched }: Cell): void {
  memory.set(snapshot)
  if (touched > snapshot.length) memory.fill(0, snapshot.length, touched)
  for (const { global, first } of globals) global.value = first
}

/** Where the memory ends that OPA's allocator has given out: its heap pointer never goes back within an evaluation. Zeroing what lies beyond would take a third of one. */
function allocated({ gas, heapPointer }: Cell): number {
  gas.value = BigInt(INITIAL_GAS)
  return heapPointer() >>> 0
}
