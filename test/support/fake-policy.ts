// A module with OPA's ABI around one hand-written function, for policies that no compiler would write.
import { name, sized, unsigned, vector, wasm } from './wasm-program.ts'

const I32 = 0x7f
/** Types of functions by their number of parameters, each with one result. */
const TYPES = [0, 1, 2, 7].map(count => [0x60, ...sized(Array(count).fill(I32)), 1, I32])
const TYPE_OF_EVAL = 3

/** Where its texts are. */
export const TEXT = { builtins: 16, entrypoints: 32, allow: 256, free: 4096 } as const

const constant = (value: number): number[] => [0x41, ...signedOf(value)]
const signedOf = (value: number): number[] =>
  value < 64 ? [value] : [(value & 0x7f) | 0x80, ...signedOf(Math.floor(value / 128))]

type Function = readonly [name: string, type: number, body: readonly number[]]

/**
 * `body`: the instructions of `opa_eval` (seven i32 in, the address of the answer out), without the last end. Global 0 is a
 * mutable i32 that starts at 0; function 0 is `opa_eval` itself.
 * `others`: instructions of its other functions, by name.
 */
export function fakePolicy(
  body: readonly number[],
  others: Readonly<Record<string, readonly number[]>> = {}
): Uint8Array {
  const usual: Function[] = [
    ['opa_eval', TYPE_OF_EVAL, body],
    ['opa_malloc', 1, constant(1024)],
    ['opa_json_parse', 2, constant(8)],
    ['opa_heap_ptr_get', 0, constant(TEXT.free)],
    ['opa_json_dump', 1, [0x20, 0]],
    ['builtins', 0, constant(TEXT.builtins)],
    ['entrypoints', 0, constant(TEXT.entrypoints)]
  ]
  const functions = usual.map(([text, type, code]): Function => [text, type, others[text] ?? code])
  const exportOf = (text: string, kind: number, index: number): number[] => [
    ...name(text),
    kind,
    ...unsigned(index)
  ]
  return wasm([
    [1, vector(TYPES)],
    [2, vector([[...name('env'), ...name('memory'), 2, 0, 1]])],
    [3, vector(functions.map(([, type]) => [type]))],
    [6, vector([[I32, 1, 0x41, 0, 0x0b], ...[1, 2].map(value => [I32, 0, 0x41, value, 0x0b])])],
    [
      7,
      vector([
        ...functions.map(([text], i) => exportOf(text, 0, i)),
        exportOf('opa_wasm_abi_version', 3, 1),
        exportOf('opa_wasm_abi_minor_version', 3, 2)
      ])
    ],
    [10, vector(functions.map(([, , code]) => sized([0, ...code, 0x0b])))],
    [
      11,
      vector([
        dataAt(TEXT.builtins, '{}'),
        dataAt(TEXT.entrypoints, '{"base/decision":0}'),
        dataAt(TEXT.allow, '[{"result":{"allow":true,"reasons":[]}}]')
      ])
    ]
  ])
}

function dataAt(address: number, text: string): number[] {
  return [0, ...constant(address), 0x0b, ...name(text)]
}
