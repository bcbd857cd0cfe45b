import type { Body, Piece } from './body.ts'
import { ByteWriter } from './byte-writer.ts'
import { OPCODE } from './instructions.ts'
import { EMPTY_RESULT, F32 } from './value-types.ts'

/** Indexes of the globals that metering adds. */
export type Counters = { readonly gas: number; readonly stack: number }

/** Slots that a frame costs besides its locals and operands: return address, saved registers, scratch. */
export const FRAME_SLOTS = 8

/** log2 of the bytes that one gas copies or fills. */
const BYTES_PER_GAS_LOG2 = 3

/**
 * The metered form of a body. A function that calls nothing is charged and otherwise as it was. In the others a block around
 * the body takes the place of the function's own label, so that every way out meets at its end, where the stack is given back.
 */
export function writeBody(body: Body, source: Uint8Array, counters: Counters): Uint8Array {
  const out = new ByteWriter()
  out.u32(body.localGroups + body.scratch.length)
  out.raw(source.subarray(body.locals.from, body.locals.to))
  for (const type of body.scratch) out.raw([1, type])
  const slots = body.slots + FRAME_SLOTS
  if (body.hasCalls) {
    takeStack(out, counters.stack, slots)
    out.raw([OPCODE.block, body.type.result])
  }
  for (const piece of body.pieces) writePiece(out, piece, { body, source, counters })
  if (body.hasCalls) {
    out.byte(OPCODE.end)
    giveStack(out, counters.stack, slots)
  }
  out.byte(OPCODE.end)
  return out.finish()
}

type Surroundings = {
  readonly body: Body
  readonly source: Uint8Array
  readonly counters: Counters
}

function writePiece(out: ByteWriter, piece: Piece, { body, source, counters }: Surroundings): void {
  switch (piece.kind) {
    case 'copy':
      out.raw(source.subarray(piece.from, piece.to))
      break
    case 'bytes':
      out.raw(piece.bytes)
      break
    case 'charge':
      if (piece.segment.cost > 0) charge(out, counters.gas, piece.segment.cost)
      break
    case 'charge-bytes':
      chargeBytes(out, counters.gas, piece.local)
      break
    case 'canonical-nan':
      canonicalNan(out, piece.type, piece.local)
      break
    case 'return':
      if (body.hasCalls) {
        out.byte(OPCODE.br)
        out.u32(piece.depth)
      } else out.byte(OPCODE.return)
      break
  }
}

/** gas = gas - cost; below zero it traps. */
function charge(out: ByteWriter, gas: number, cost: number): void {
  out.byte(OPCODE.globalGet)
  out.u32(gas)
  out.byte(OPCODE.i64Const)
  out.signed(cost)
  settle(out, gas)
}

/** gas = gas - (size >> 3), with the size on the stack before and after. */
function chargeBytes(out: ByteWriter, gas: number, local: number): void {
  out.byte(OPCODE.localTee)
  out.u32(local)
  out.byte(OPCODE.globalGet)
  out.u32(gas)
  out.byte(OPCODE.localGet)
  out.u32(local)
  out.raw([OPCODE.i64ExtendI32U, OPCODE.i64Const, BYTES_PER_GAS_LOG2, OPCODE.i64ShrU])
  settle(out, gas)
}

/** Of two i64 on the stack: the difference becomes the gas, and below zero it traps. */
function settle(out: ByteWriter, gas: number): void {
  out.byte(OPCODE.i64Sub)
  out.byte(OPCODE.globalSet)
  out.u32(gas)
  out.byte(OPCODE.globalGet)
  out.u32(gas)
  out.raw([OPCODE.i64Const, 0, OPCODE.i64LtS])
  trapIf(out)
}

function takeStack(out: ByteWriter, stack: number, slots: number): void {
  moveStack(out, stack, { slots, opcode: OPCODE.i32Sub })
  out.byte(OPCODE.globalGet)
  out.u32(stack)
  out.raw([OPCODE.i32Const, 0, OPCODE.i32LtS])
  trapIf(out)
}

function giveStack(out: ByteWriter, stack: number, slots: number): void {
  moveStack(out, stack, { slots, opcode: OPCODE.i32Add })
}

function moveStack(
  out: ByteWriter,
  stack: number,
  { slots, opcode }: { readonly slots: number; readonly opcode: number }
): void {
  out.byte(OPCODE.globalGet)
  out.u32(stack)
  out.byte(OPCODE.i32Const)
  out.signed(slots)
  out.byte(opcode)
  out.byte(OPCODE.globalSet)
  out.u32(stack)
}

function trapIf(out: ByteWriter): void {
  out.raw([OPCODE.if, EMPTY_RESULT, OPCODE.unreachable, OPCODE.end])
}

const NAN_F32 = [0x00, 0x00, 0xc0, 0x7f]
const NAN_F64 = [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f]

/** A NaN on the stack becomes the one NaN; any other number stays. */
function canonicalNan(out: ByteWriter, type: number, local: number): void {
  const isSmall = type === F32
  out.byte(OPCODE.localTee)
  out.u32(local)
  out.byte(isSmall ? OPCODE.f32Const : OPCODE.f64Const)
  out.raw(isSmall ? NAN_F32 : NAN_F64)
  for (let i = 0; i < 2; i++) {
    out.byte(OPCODE.localGet)
    out.u32(local)
  }
  out.raw([isSmall ? OPCODE.f32Eq : OPCODE.f64Eq, OPCODE.select])
}
