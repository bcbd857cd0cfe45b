// Little WebAssembly programs as data, for tests that need to know what they do: written to bytes here, run by wasm-interpreter.
// Types are left to the author: everything is i32, but for what an instruction says.

/** One instruction. Names are those of the text format. */
export type Code =
  | { readonly op: Plain }
  | { readonly op: Indexed; readonly index: number }
  | { readonly op: 'i32.const'; readonly value: number }
  | { readonly op: 'br_table'; readonly labels: readonly number[] }
  | { readonly op: 'block' | 'loop'; readonly result?: boolean; readonly body: readonly Code[] }
  | {
      readonly op: 'if'
      readonly result?: boolean
      readonly body: readonly Code[]
      readonly otherwise?: readonly Code[]
    }

export type Plain = keyof typeof PLAIN
export type Indexed = keyof typeof INDEXED

export const PLAIN = {
  unreachable: [0x00],
  nop: [0x01],
  return: [0x0f],
  drop: [0x1a],
  select: [0x1b],
  'i32.load': [0x28, 2, 0],
  'i32.store': [0x36, 2, 0],
  'memory.size': [0x3f, 0],
  'memory.grow': [0x40, 0],
  'i32.eqz': [0x45],
  'i32.lt_u': [0x49],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i32.mul': [0x6c],
  'i32.div_u': [0x6e],
  'i32.xor': [0x73],
  'memory.copy': [0xfc, 0x0a, 0, 0],
  'memory.fill': [0xfc, 0x0b, 0]
} as const

export const INDEXED = {
  br: 0x0c,
  br_if: 0x0d,
  call: 0x10,
  call_indirect: 0x11,
  'local.get': 0x20,
  'local.set': 0x21,
  'local.tee': 0x22,
  'global.get': 0x23,
  'global.set': 0x24
} as const

/** A function from `parameters` i32 to one i32. */
export type Procedure = {
  readonly parameters: number
  readonly locals: number
  readonly body: readonly Code[]
}

export type Program = {
  /** The first is exported as `run`. All are in the table, in this order. */
  readonly procedures: readonly Procedure[]
  /** First values of mutable globals. */
  readonly globals: readonly number[]
}

export const i32 = (value: number): Code => ({ op: 'i32.const', value })
export const get = (index: number): Code => ({ op: 'local.get', index })
export const set = (index: number): Code => ({ op: 'local.set', index })
export const op = (name: Plain): Code => ({ op: name })
export const br = (index: number): Code => ({ op: 'br', index })
export const brIf = (index: number): Code => ({ op: 'br_if', index })
export const block = (...body: Code[]): Code => ({ op: 'block', body })
export const loop = (...body: Code[]): Code => ({ op: 'loop', body })

/** The most parameters of a procedure: type i is that of i parameters. */
export const PARAMETERS_MAX = 3

/** The module's bytes: imports env.memory and, as type says, nothing else. */
export function assemble({ procedures, globals }: Program): Uint8Array {
  const types = Array.from({ length: PARAMETERS_MAX + 1 }, (_, i) => [
    0x60,
    ...vector(Array.from({ length: i }, () => [0x7f])),
    1,
    0x7f
  ])
  return wasm([
    [1, vector(types)],
    [2, vector([[...name('env'), ...name('memory'), 2, 0, 1]])],
    [3, vector(procedures.map(({ parameters }) => [parameters]))],
    [4, [1, 0x70, 0, ...unsigned(procedures.length)]],
    [6, vector(globals.map(value => [0x7f, 1, 0x41, ...signed(value), 0x0b]))],
    [7, vector([[...name('run'), 0, 0]])],
    [9, [1, 0, 0x41, 0, 0x0b, ...vector(procedures.map((_, i) => unsigned(i)))]],
    [10, vector(procedures.map(procedure => sized(bodyOf(procedure))))]
  ])
}

/** A module of sections, each an id and its content. */
export function wasm(
  sections: readonly (readonly [id: number, content: readonly number[]])[]
): Uint8Array {
  const content = sections.flatMap(([id, bytes]) => [id, ...sized(bytes)])
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...content])
}

/** Items after their number. */
export function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

/** Text after its length. */
export function name(text: string): number[] {
  return sized([...new TextEncoder().encode(text)])
}

/** Bytes after their number. */
export function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes]
}

export function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(Math.floor(value / 0x80))]
}

function signed(value: number): number[] {
  const rest = value >> 7
  const isLast = (rest === 0 && (value & 0x40) === 0) || (rest === -1 && (value & 0x40) !== 0)
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(rest)]
}

function bodyOf({ locals, body }: Procedure): number[] {
  const groups = locals === 0 ? [] : [[...unsigned(locals), 0x7f]]
  return [...vector(groups), ...body.flatMap(bytesOf), 0x0b]
}

function bytesOf(code: Code): number[] {
  switch (code.op) {
    case 'i32.const':
      return [0x41, ...signed(code.value)]
    case 'br_table':
      return [
        0x0e,
        ...unsigned(code.labels.length - 1),
        ...code.labels.flatMap(label => unsigned(label))
      ]
    case 'block':
    case 'loop':
      return [
        code.op === 'block' ? 0x02 : 0x03,
        code.result ? 0x7f : 0x40,
        ...code.body.flatMap(bytesOf),
        0x0b
      ]
    case 'if': {
      const otherwise = code.otherwise ? [0x05, ...code.otherwise.flatMap(bytesOf)] : []
      return [0x04, code.result ? 0x7f : 0x40, ...code.body.flatMap(bytesOf), ...otherwise, 0x0b]
    }
    case 'call_indirect':
      return [0x11, ...unsigned(code.index), 0]
    default:
      return 'index' in code ? [INDEXED[code.op], ...unsigned(code.index)] : [...PLAIN[code.op]]
  }
}
