/** A compiled module. The standard types come with the browser's library only, which this program does not use. */
export type WasmModule = { readonly [Symbol.toStringTag]: string }

/** A function or a global of an instance. */
export type WasmExport = ((...values: number[]) => number) & { value: number | bigint }

type WasmMemory = { readonly buffer: ArrayBuffer }

type WebAssemblyApi = {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule
    exports(module: WasmModule): readonly { readonly name: string }[]
  }
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => WasmMemory
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  ) => { readonly exports: Readonly<Record<string, WasmExport>> }
  readonly RuntimeError: new (message?: string) => Error
  validate(bytes: Uint8Array): boolean
}

/** The part of the global WebAssembly that this room uses. */
export const webAssembly: WebAssemblyApi = (
  globalThis as unknown as { WebAssembly: WebAssemblyApi }
).WebAssembly
