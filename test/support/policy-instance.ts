// A compiled policy, called by hand: what the evaluator does, without its worker. With or without metering.
import { EXPORTS, INITIAL_STACK } from '../../src/core/metering/index.ts'
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
  const snapshot = bytes.slice()

  return {
    evaluate(input, gas) {
      bytes.set(snapshot)
      if (gas !== undefined && isMetered) {
        counter(EXPORTS.gas).value = BigInt(gas)
        counter(EXPORTS.stack).value = INITIAL_STACK
      }
      const json = new TextEncoder().encode(input)
      bytes.set(json, heap)
      const end = heap + json.length
      const answer = call('opa_eval', 0, 0, data, heap, json.length, end, 0)
      return {
        answer: new TextDecoder().decode(bytes.subarray(answer, bytes.indexOf(0, answer))),
        gas: gas === undefined || !isMetered ? 0 : gas - this.gasLeft()
      }
    },
    gasLeft: () => Number(counter(EXPORTS.gas).value),
    stackLeft: () => Number(counter(EXPORTS.stack).value)
  }
}
