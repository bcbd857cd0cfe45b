// A compiled policy, called by hand: what the evaluator does, without its worker. With or without metering.
import { EXPORTS, INITIAL_GAS, INITIAL_STACK } from '../../src/core/metering/index.ts'
import { policyImports, type WasmGlobal, webAssembly } from './web-assembly.ts'

/** Pages of 64 KiB, as the small memory of the evaluator. */
const PAGES = 16

export type PolicyInstance = {
  /** Evaluates JSON text from fresh state. `gas` is the limit, and what was used; 0 without metering. */
  evaluate(input: string, gas?: number): { answer: string; gas: number }
  gasLeft(): number
  stackLeft(): number
}

export function policyInstance(wasm: Uint8Array, pages: number = PAGES): PolicyInstance {
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages })
  const { exports } = new webAssembly.Instance(new webAssembly.Module(wasm), policyImports(memory))
  const call = (name: string, ...values: number[]): number => Number(exports[name]?.(...values))
  const counter = (name: string): WasmGlobal => exports[name] as WasmGlobal
  const bytes = new Uint8Array(memory.buffer)
  const isMetered = exports[EXPORTS.gas] !== undefined

  const text = new TextEncoder().encode('{}')
  const address = call('opa_malloc', text.length)
  bytes.set(text, address)
  const data = call('opa_json_parse', address, text.length)
  const heap = call('opa_heap_ptr_get')
  let used = bytes.length
  while (used > 0 && bytes[used - 1] === 0) used--
  const snapshot = bytes.slice(0, used)
  /** From here on memory is zero: OPA's allocator gave out nothing beyond. */
  let touched = used

  /** Where the memory ends that was given out. Asking costs gas and stack, which are put back. */
  const allocated = (): number => {
    if (!isMetered) return call('opa_heap_ptr_get')
    const [gas, stack] = [counter(EXPORTS.gas), counter(EXPORTS.stack)]
    const left = [gas.value, stack.value] as const
    gas.value = BigInt(INITIAL_GAS)
    const end = call('opa_heap_ptr_get')
    gas.value = left[0]
    stack.value = left[1]
    return end
  }

  return {
    evaluate(input, gas) {
      bytes.set(snapshot)
      bytes.fill(0, used, touched)
      touched = bytes.length
      if (gas !== undefined && isMetered) {
        counter(EXPORTS.gas).value = BigInt(gas)
        counter(EXPORTS.stack).value = INITIAL_STACK
      }
      const json = new TextEncoder().encode(input)
      bytes.set(json, heap)
      const end = heap + json.length
      const answer = call('opa_eval', 0, 0, data, heap, json.length, end, 0)
      const left = gas === undefined || !isMetered ? 0 : this.gasLeft()
      touched = allocated()
      return {
        answer: new TextDecoder().decode(bytes.subarray(answer, bytes.indexOf(0, answer))),
        gas: gas === undefined || !isMetered ? 0 : gas - left
      }
    },
    gasLeft: () => Number(counter(EXPORTS.gas).value),
    stackLeft: () => Number(counter(EXPORTS.stack).value)
  }
}
