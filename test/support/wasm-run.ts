// Runs the export `run` of a module, with and without metering.
import { EXPORTS, INITIAL_STACK } from '../../src/core/metering/index.ts'
import { policyImports, type WasmExports, webAssembly } from './web-assembly.ts'

export type Ran =
  | { readonly kind: 'value'; readonly value: number; readonly gas: number }
  | { readonly kind: 'trap' | 'out-of-gas' | 'out-of-stack' }

export function runMetered(
  wasm: Uint8Array,
  input: readonly number[],
  gas: number,
  stack: number = INITIAL_STACK
): Ran {
  const exports = instantiate(wasm)
  const gasLeft = exports[EXPORTS.gas]
  const stackLeft = exports[EXPORTS.stack]
  if (gasLeft === undefined || stackLeft === undefined) throw new RangeError('it is not metered')
  gasLeft.value = BigInt(gas)
  stackLeft.value = stack
  try {
    const value = Number(exports['run']?.(...input))
    if (stackLeft.value !== stack) throw new RangeError('the stack is not given back')
    return { kind: 'value', value, gas: gas - Number(gasLeft.value) }
  } catch (error) {
    if (!(error instanceof webAssembly.RuntimeError)) throw error
    if (gasLeft.value < 0) return { kind: 'out-of-gas' }
    return { kind: stackLeft.value < 0 ? 'out-of-stack' : 'trap' }
  }
}

export function runPlain(wasm: Uint8Array, input: readonly number[]): { value: number } {
  return { value: Number(instantiate(wasm)['run']?.(...input)) }
}

/** One page of memory, as the programs import it. */
function instantiate(wasm: Uint8Array): WasmExports {
  const memory = new webAssembly.Memory({ initial: 1, maximum: 1 })
  return new webAssembly.Instance(new webAssembly.Module(wasm), policyImports(memory)).exports
}
