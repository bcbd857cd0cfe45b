/**
 * The instructions that a policy may use: WebAssembly 1.0, sign extension, saturating truncation, memory.copy and memory.fill.
 * All else is refused. Table of protocols/policy/metering.md.
 */

/** What follows the opcode. */
export type Immediate =
  | 'none'
  | 'block-type'
  | 'label'
  | 'labels'
  | 'function'
  | 'indirect'
  | 'local'
  | 'global'
  | 'memory-access'
  | 'memory'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'two-memories'

export type InstructionRow = {
  readonly immediate: Immediate
  /** Operands taken from the stack and results left on it. Calls and the ends of blocks depend on types instead. */
  readonly pops: number
  readonly pushes: number
  /** Gas. About a tenth of a nanosecond in compiled code. */
  readonly cost: number
  /** The type of a result that may be a NaN of any bits, which machines choose differently; else null. */
  readonly nan: 'f32' | 'f64' | null
}

/** Opcodes with a meaning of their own for metering. */
export const OPCODE = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32LtS: 0x48,
  i64LtS: 0x53,
  f32Eq: 0x5b,
  f64Eq: 0x61,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i64Sub: 0x7d,
  i64ShrU: 0x88,
  i64ExtendI32U: 0xad,
  prefix: 0xfc,
  /** Two-byte opcodes carry their second byte below the prefix. */
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b
} as const

/** Gas of a branch that must be looked up, a division, and so on: the plain instruction costs 1. */
const JUMP_TABLE = 3
const DIVISION = 10
const CALL = 5
const CALL_INDIRECT = 10
const BULK = 10

type Shape = readonly [immediate: Immediate, pops: number, pushes: number, cost: number]
type Row = readonly [from: number, to: number, ...Shape]

const NULLARY: Shape = ['none', 0, 0, 1]
const FREE: Shape = ['none', 0, 0, 0]
const UNARY: Shape = ['none', 1, 1, 1]
const BINARY: Shape = ['none', 2, 1, 1]
const DIVIDE: Shape = ['none', 2, 1, DIVISION]

const ROWS: readonly Row[] = [
  [0x00, 0x00, ...NULLARY], // unreachable
  [0x01, 0x01, ...FREE], // nop
  [0x02, 0x03, 'block-type', 0, 0, 0], // block loop
  [0x04, 0x04, 'block-type', 1, 0, 1], // if
  [0x05, 0x05, ...FREE], // else
  [0x0b, 0x0b, ...FREE], // end
  [0x0c, 0x0c, 'label', 0, 0, 1], // br
  [0x0d, 0x0d, 'label', 1, 0, 1], // br_if
  [0x0e, 0x0e, 'labels', 1, 0, JUMP_TABLE], // br_table
  [0x0f, 0x0f, ...NULLARY], // return
  [0x10, 0x10, 'function', 0, 0, CALL], // call
  [0x11, 0x11, 'indirect', 1, 0, CALL_INDIRECT], // call_indirect
  [0x1a, 0x1a, 'none', 1, 0, 1], // drop
  [0x1b, 0x1b, 'none', 3, 1, 1], // select
  [0x20, 0x20, 'local', 0, 1, 1], // local.get
  [0x21, 0x21, 'local', 1, 0, 1], // local.set
  [0x22, 0x22, 'local', 1, 1, 1], // local.tee
  [0x23, 0x23, 'global', 0, 1, 1], // global.get
  [0x24, 0x24, 'global', 1, 0, 1], // global.set
  [0x28, 0x35, 'memory-access', 1, 1, 1], // loads
  [0x36, 0x3e, 'memory-access', 2, 0, 1], // stores
  [0x3f, 0x3f, 'memory', 0, 1, 1], // memory.size
  [0x40, 0x40, 'memory', 1, 1, 1], // memory.grow
  [0x41, 0x41, 'i32', 0, 1, 1],
  [0x42, 0x42, 'i64', 0, 1, 1],
  [0x43, 0x43, 'f32', 0, 1, 1],
  [0x44, 0x44, 'f64', 0, 1, 1],
  [0x45, 0x45, ...UNARY], // i32.eqz
  [0x46, 0x4f, ...BINARY], // comparisons of i32
  [0x50, 0x50, ...UNARY], // i64.eqz
  [0x51, 0x66, ...BINARY], // comparisons of i64, f32, f64
  [0x67, 0x69, ...UNARY], // i32.clz ctz popcnt
  [0x6a, 0x6c, ...BINARY], // i32.add sub mul
  [0x6d, 0x70, ...DIVIDE], // i32.div rem
  [0x71, 0x78, ...BINARY], // i32.and to rotr
  [0x79, 0x7b, ...UNARY], // i64.clz ctz popcnt
  [0x7c, 0x7e, ...BINARY], // i64.add sub mul
  [0x7f, 0x82, ...DIVIDE], // i64.div rem
  [0x83, 0x8a, ...BINARY], // i64.and to rotr
  [0x8b, 0x90, ...UNARY], // f32.abs to nearest
  [0x91, 0x91, 'none', 1, 1, DIVISION], // f32.sqrt
  [0x92, 0x94, ...BINARY], // f32.add sub mul
  [0x95, 0x95, ...DIVIDE], // f32.div
  [0x96, 0x98, ...BINARY], // f32.min max copysign
  [0x99, 0x9e, ...UNARY], // f64.abs to nearest
  [0x9f, 0x9f, 'none', 1, 1, DIVISION], // f64.sqrt
  [0xa0, 0xa2, ...BINARY], // f64.add sub mul
  [0xa3, 0xa3, ...DIVIDE], // f64.div
  [0xa4, 0xa6, ...BINARY], // f64.min max copysign
  [0xa7, 0xc4, ...UNARY], // conversions, sign extension
  [0xfc00, 0xfc07, ...UNARY], // saturating truncation
  [0xfc0a, 0xfc0a, 'two-memories', 3, 0, BULK], // memory.copy
  [0xfc0b, 0xfc0b, 'memory', 3, 0, BULK] // memory.fill
]

/** Arithmetic whose NaN results differ between processors: not abs, neg and copysign, which move bits. */
const NAN_F32: readonly (readonly [from: number, to: number])[] = [
  [0x8d, 0x97],
  [0xb6, 0xb6]
]
const NAN_F64: readonly (readonly [from: number, to: number])[] = [
  [0x9b, 0xa5],
  [0xbb, 0xbb]
]

const ROW_OF: ReadonlyMap<number, InstructionRow> = new Map(
  ROWS.flatMap(([from, to, immediate, pops, pushes, cost]) =>
    Array.from({ length: to - from + 1 }, (_, i) => {
      const opcode = from + i
      return [opcode, { immediate, pops, pushes, cost, nan: nanOf(opcode) }] as const
    })
  )
)

/** Rows of opcodes of one byte, for speed: modules are read when a node starts. */
const ROW_OF_BYTE = Array.from({ length: 256 }, (_, opcode) => ROW_OF.get(opcode))

/** The row of an opcode, or undefined when it is not allowed. */
export function rowOf(opcode: number): InstructionRow | undefined {
  return opcode < 256 ? ROW_OF_BYTE[opcode] : ROW_OF.get(opcode)
}

function nanOf(opcode: number): 'f32' | 'f64' | null {
  const isIn = (ranges: typeof NAN_F32): boolean =>
    ranges.some(([from, to]) => opcode >= from && opcode <= to)
  return isIn(NAN_F32) ? 'f32' : isIn(NAN_F64) ? 'f64' : null
}
