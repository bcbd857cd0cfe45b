import type { ByteReader, MeteringCode } from './byte-reader.ts'
import { type InstructionRow, OPCODE, rowOf } from './instructions.ts'
import { BRANCH_TABLE_MAX } from './limits.ts'
import type { BodyContext } from './module.ts'
import { EMPTY_RESULT, readValueType } from './value-types.ts'

/** One instruction, as far as metering looks at it. */
export type Instruction = {
  readonly opcode: number
  readonly row: InstructionRow
  /** Where its bytes are. */
  readonly from: number
  readonly to: number
  /** Label, local, global, function or type that it names; 0 where it names none. */
  readonly index: number
  /** All labels of a br_table; of a branch its one label; else none. */
  readonly labels: readonly number[]
  /** Of a block: the type of its result, or EMPTY_RESULT. */
  readonly result: number
}

const NO_LABELS: readonly number[] = []

/** Reads one instruction; null when it is not allowed or malformed, which the reader's refusal tells. */
export function readInstruction(reader: ByteReader, context: BodyContext): Instruction | null {
  const from = reader.position
  const opcode = readOpcode(reader)
  const row = rowOf(opcode)
  if (row === undefined) {
    reader.fail(...objection(opcode))
    return null
  }
  let index = 0
  let labels = NO_LABELS
  let result = EMPTY_RESULT
  // The frequent ones first.
  switch (row.immediate) {
    case 'local':
      index = reader.index(context.locals, 'local')
      break
    case 'none':
      break
    case 'i32':
      reader.skipSigned(5)
      break
    case 'block-type':
      result = readBlockType(reader)
      break
    case 'label':
      index = reader.u32()
      labels = [index]
      break
    case 'labels':
      labels = readLabels(reader)
      break
    case 'function':
      index = reader.index(context.functions.length, 'function')
      break
    case 'indirect':
      index = reader.index(context.types.length, 'type')
      if (reader.byte() !== 0) reader.fail('METERING_REFERENCE', 'there is one function table')
      break
    case 'global':
      index = reader.index(context.globals, 'global')
      break
    case 'memory-access':
      if (reader.u32() >= 32) reader.fail('METERING_MULTI_MEMORY', 'there is one memory')
      reader.u32()
      break
    case 'two-memories':
      readMemory(reader)
      readMemory(reader)
      break
    case 'memory':
      readMemory(reader)
      break
    case 'i64':
      reader.skipSigned(10)
      break
    case 'f32':
      reader.skip(4)
      break
    case 'f64':
      reader.skip(8)
      break
  }
  if (reader.refusal !== null) return null
  return { opcode, row, from, to: reader.position, index, labels, result }
}

function readOpcode(reader: ByteReader): number {
  const byte = reader.byte()
  if (byte < 0xfb || byte === 0xff) return byte
  const second = reader.u32()
  return second < 0x100 ? byte * 0x100 + second : byte * 0x100 + 0xff
}

function readMemory(reader: ByteReader): void {
  if (reader.byte() !== 0) reader.fail('METERING_MULTI_MEMORY', 'there is one memory')
}

function readBlockType(reader: ByteReader): number {
  const byte = reader.byte()
  if (byte === EMPTY_RESULT) return byte
  // A number from 0 upwards is the index of a function type: blocks with parameters or several results.
  if ((byte & 0x40) === 0 || byte >= 0x80) {
    reader.fail('METERING_MULTI_VALUE', 'blocks take nothing and give at most one value')
    return EMPTY_RESULT
  }
  reader.position -= 1
  return readValueType(reader)
}

function readLabels(reader: ByteReader): readonly number[] {
  const count = reader.count(BRANCH_TABLE_MAX, 'labels of a br_table')
  const labels: number[] = []
  for (let i = 0; i <= count && reader.refusal === null; i++) labels.push(reader.u32())
  return labels
}

/** What a module is told that uses another instruction. */
function objection(opcode: number): [code: MeteringCode, message: string] {
  const name = `0x${opcode.toString(16)}`
  const prefix = opcode > 0xff ? opcode >> 8 : opcode
  if (prefix === 0xfd) return ['METERING_SIMD', `vector instruction ${name}`]
  if (prefix === 0xfe) return ['METERING_THREADS', `atomic instruction ${name}`]
  if (prefix === 0xfb || (prefix >= 0xd0 && prefix <= 0xd6) || prefix === 0x14)
    return ['METERING_REFERENCE', `reference instruction ${name}`]
  if (prefix === 0x12 || prefix === 0x13 || prefix === 0x15)
    return ['METERING_TAIL_CALL', `tail call ${name}`]
  if ((prefix >= 0x06 && prefix <= 0x0a) || prefix === 0x18 || prefix === 0x19 || prefix === 0x1f)
    return ['METERING_EXCEPTION', `exception instruction ${name}`]
  if (prefix === 0x1c || prefix === 0x25 || prefix === 0x26)
    return ['METERING_REFERENCE', `reference instruction ${name}`]
  if (prefix === OPCODE.prefix) return bulkObjection(opcode, name)
  return ['METERING_INSTRUCTION', `unknown instruction ${name}`]
}

function bulkObjection(opcode: number, name: string): [code: MeteringCode, message: string] {
  const second = opcode & 0xff
  if (second === 0x08 || second === 0x09)
    return ['METERING_BULK_MEMORY', `passive data segment used by ${name}`]
  if (second >= 0x0c && second <= 0x11) return ['METERING_REFERENCE', `table instruction ${name}`]
  return ['METERING_INSTRUCTION', `unknown instruction ${name}`]
}
