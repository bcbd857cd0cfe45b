// The global WebAssembly, typed as far as tests use it: its standard types come with the browser's library only.
export type WasmMemory = { readonly buffer: ArrayBuffer }
export type WasmFunction = (...values: (number | bigint)[]) => number | bigint | undefined
export type WasmGlobal = { value: number | bigint }
export type WasmExports = Readonly<Record<string, WasmFunction & WasmGlobal>>
type WasmModule = { readonly [Symbol.toStringTag]: string }

export const webAssembly: {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  ) => { readonly exports: WasmExports }
  readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory
  readonly RuntimeError: new (message: string) => Error
  validate(bytes: Uint8Array): boolean
} = (globalThis as unknown as { WebAssembly: never }).WebAssembly

/** The imports of OPA's ABI, each of which gives up. */
export function policyImports(memory: WasmMemory): { env: Readonly<Record<string, unknown>> } {
  const giveUp = (): never => {
    throw new webAssembly.RuntimeError('the policy gave up')
  }
  const names = ['opa_abort', 'opa_println', ...[0, 1, 2, 3, 4].map(i => `opa_builtin${i}`)]
  return { env: { memory, ...Object.fromEntries(names.map(name => [name, giveUp])) } }
}
