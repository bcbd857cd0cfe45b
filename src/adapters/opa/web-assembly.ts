/** A compiled module. The standard types come with the browser's library only, which this program does not use. */
export type WasmModule = { readonly [Symbol.toStringTag]: string }

type WebAssemblyApi = {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule
    exports(module: WasmModule): readonly { readonly name: string }[]
  }
  readonly RuntimeError: new () => Error
  validate(bytes: Uint8Array): boolean
}

/** The part of the global WebAssembly that this room uses. */
export const webAssembly: WebAssemblyApi = (
  globalThis as unknown as { WebAssembly: WebAssemblyApi }
).WebAssembly
