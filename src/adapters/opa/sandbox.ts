import * as sdk from '@open-policy-agent/opa-wasm'
import { LARGE_MEMORY_PAGES, SMALL_INPUT_BYTES, SMALL_MEMORY_PAGES } from './limits.ts'
import { type WasmModule, webAssembly } from './web-assembly.ts'

// The package's ESM entry has no named `loadPolicySync`, against its types. The asynchronous one would load Node's fetch.
const { loadPolicySync } = (sdk as unknown as { default: typeof sdk }).default

type LoadedPolicy = ReturnType<typeof loadPolicySync>

/** All that a policy may ask of its host: memory, a way to give up, and builtins, of which it may use none. */
const IMPORTS: ReadonlySet<string> = new Set([
  'env.memory',
  'env.opa_abort',
  'env.opa_println',
  'env.opa_builtin0',
  'env.opa_builtin1',
  'env.opa_builtin2',
  'env.opa_builtin3',
  'env.opa_builtin4'
])

/** Why a compiled policy may not run here, or null. */
export function flawOf(module: WasmModule, entrypoint: string): string | null {
  const foreign = webAssembly.Module.imports(module)
    .map(({ module: from, name }) => `${from}.${name}`)
    .find(name => !IMPORTS.has(name))
  if (foreign !== undefined) return `it imports ${foreign}`
  const policy = instantiate(module, SMALL_MEMORY_PAGES)
  const builtins = Object.keys(builtinsOf(policy))
  // The host's versions of OPA's builtins differ from OPA's own, so only those inside the wasm are allowed (R17).
  if (builtins.length > 0) return `it needs the host builtins ${builtins.join(', ')}`
  return Object.hasOwn(policy.entrypoints, entrypoint) ? null : `it has no entrypoint ${entrypoint}`
}

/**
 * One compiled policy in two fixed memories. Which of them is used depends on the size of the input alone, and every evaluation
 * starts from the same bytes, so that equal inputs end equally on every machine.
 */
export class Sandbox {
  readonly #module: WasmModule
  readonly #entrypoint: string
  readonly #cells = new Map<number, Cell>()

  constructor(module: WasmModule, entrypoint: string) {
    this.#module = module
    this.#entrypoint = entrypoint
  }

  /** The policy's raw answer to a JSON text. Throws what the wasm throws: a trap, an abort, memory that ran out. */
  evaluate(input: string): unknown {
    const bytes = new TextEncoder().encode(input)
    const pages = bytes.length <= SMALL_INPUT_BYTES ? SMALL_MEMORY_PAGES : LARGE_MEMORY_PAGES
    const cell = this.#cells.get(pages) ?? newCell(this.#module, pages)
    // Taken out while it runs: globals of an instance that trapped are not what they were, so it is not used again.
    this.#cells.delete(pages)
    restore(cell)
    const answer: unknown = cell.policy.evaluate(bytes.buffer, this.#entrypoint)
    this.#cells.set(pages, cell)
    return answer
  }
}

/** An instance, and the part of its first memory that is not zero. */
type Cell = { readonly policy: LoadedPolicy; readonly snapshot: Uint8Array }

function newCell(module: WasmModule, pages: number): Cell {
  const policy = instantiate(module, pages)
  const memory = new Uint8Array(policy.mem.buffer)
  let used = memory.length
  while (used > 0 && memory[used - 1] === 0) used--
  return { policy, snapshot: memory.slice(0, used) }
}

function restore({ policy, snapshot }: Cell): void {
  const memory = new Uint8Array(policy.mem.buffer)
  memory.set(snapshot)
  memory.fill(0, snapshot.length)
}

function instantiate(module: WasmModule, pages: number): LoadedPolicy {
  return loadPolicySync(module, { initial: pages, maximum: pages })
}

/** Names that the wasm expects the host to provide. */
function builtinsOf(policy: LoadedPolicy): Record<string, number> {
  const { exports } = policy.wasmInstance as { exports: unknown }
  const { builtins, opa_json_dump: dump } = exports as Record<string, (address?: number) => number>
  const memory = new Uint8Array(policy.mem.buffer)
  const start = dump?.(builtins?.()) ?? 0
  return JSON.parse(new TextDecoder().decode(memory.subarray(start, memory.indexOf(0, start))))
}
