import type { Body, Piece } from './body.ts'
import { ByteWriter } from './byte-writer.ts'
import { OPCODE } from './instructions.ts'
import { EMPTY_RESULT, F32, I64 } from './value-types.ts'

/** Indexes of the globals that metering adds. */
export type Counters = { readonly gas: number; readonly stack: number }

/** Slots that a frame costs besides its locals and operands: return address, saved registers, scratch. */
const FRAME_SLOTS = 8

/** log2 of the bytes that one gas copies or fills. */
const BYTES_PER_GAS_LOG2 = 3

/** The metered form of a body: locals, then its pieces with their charges, within the frame that both counters need. */
export function writeBody(body: Body, source: Uint8Array, counters: Counters): Uint8Array {
  return new BodyWriter(body, source, counters).run()
}

class BodyWriter {
  readonly #out = new ByteWriter()
  readonly #body: Body
  readonly #source: Uint8Array
  readonly #counters: Counters
  /**
   * The local that holds the gas while the function runs, or null in functions that are charged once. A counter in a global
   * makes every charge wait for the one before to reach memory, which costs more than the charges themselves.
   */
  readonly #gasLocal: number | null
  /**
   * Whether a block around the body takes the place of the function's own label, so that every way out meets at its end, where
   * the counters are settled.
   */
  readonly #isFramed: boolean

  constructor(body: Body, source: Uint8Array, counters: Counters) {
    this.#body = body
    this.#source = source
    this.#counters = counters
    this.#gasLocal = hasOneCharge(body) ? null : body.locals + body.scratch.length
    this.#isFramed = body.hasCalls || this.#gasLocal !== null
  }

  run(): Uint8Array {
    const { type, hasCalls, pieces } = this.#body
    this.#locals()
    if (hasCalls) this.#takeStack()
    this.#loadGas()
    if (this.#isFramed) this.#out.raw([OPCODE.block, type.result])
    for (const piece of pieces) this.#piece(piece)
    if (this.#isFramed) this.#out.byte(OPCODE.end)
    this.#saveGas()
    if (hasCalls) this.#moveStack(OPCODE.i32Add)
    this.#out.byte(OPCODE.end)
    return this.#out.finish()
  }

  #locals(): void {
    const { localGroups, groups, scratch } = this.#body
    const added = this.#gasLocal === null ? scratch : [...scratch, I64]
    this.#out.u32(localGroups + added.length)
    this.#copy(groups)
    for (const type of added) this.#out.raw([1, type])
  }

  #piece(piece: Piece): void {
    switch (piece.kind) {
      case 'copy':
        this.#copy(piece)
        break
      case 'bytes':
        this.#out.raw(piece.bytes)
        break
      case 'call':
        this.#saveGas()
        this.#copy(piece)
        this.#loadGas()
        break
      case 'charge':
        if (piece.segment.cost > 0) this.#charge(piece.segment.cost)
        break
      case 'charge-bytes':
        this.#chargeBytes(piece.local)
        break
      case 'grow':
        this.#grow(piece.local)
        break
      case 'canonical-nan':
        this.#canonicalNan(piece.type, piece.local)
        break
      case 'return':
        if (this.#isFramed) this.#indexed(OPCODE.br, piece.depth)
        else this.#out.byte(OPCODE.return)
        break
    }
  }

  #charge(cost: number): void {
    this.#getGas()
    this.#out.byte(OPCODE.i64Const)
    this.#out.signed(cost)
    this.#settle()
  }

  /** With the size on the stack before and after. */
  #chargeBytes(local: number): void {
    this.#indexed(OPCODE.localTee, local)
    this.#getGas()
    this.#indexed(OPCODE.localGet, local)
    this.#out.raw([OPCODE.i64ExtendI32U, OPCODE.i64Const, BYTES_PER_GAS_LOG2, OPCODE.i64ShrU])
    this.#settle()
  }

  /** Of two i64 on the stack: the difference is the gas that is left, and below zero it traps. */
  #settle(): void {
    this.#out.byte(OPCODE.i64Sub)
    if (this.#gasLocal === null) {
      this.#indexed(OPCODE.globalSet, this.#counters.gas)
      this.#indexed(OPCODE.globalGet, this.#counters.gas)
    } else this.#indexed(OPCODE.localTee, this.#gasLocal)
    this.#out.raw([OPCODE.i64Const, 0, OPCODE.i64LtS, OPCODE.if, EMPTY_RESULT])
    // The host sees by the global that this was no other trap.
    this.#saveGas()
    this.#out.raw([OPCODE.unreachable, OPCODE.end])
  }

  #getGas(): void {
    if (this.#gasLocal === null) this.#indexed(OPCODE.globalGet, this.#counters.gas)
    else this.#indexed(OPCODE.localGet, this.#gasLocal)
  }

  #loadGas(): void {
    if (this.#gasLocal === null) return
    this.#indexed(OPCODE.globalGet, this.#counters.gas)
    this.#indexed(OPCODE.localSet, this.#gasLocal)
  }

  #saveGas(): void {
    if (this.#gasLocal === null) return
    this.#indexed(OPCODE.localGet, this.#gasLocal)
    this.#indexed(OPCODE.globalSet, this.#counters.gas)
  }

  #takeStack(): void {
    this.#moveStack(OPCODE.i32Sub)
    this.#indexed(OPCODE.globalGet, this.#counters.stack)
    this.#out.raw([OPCODE.i32Const, 0, OPCODE.i32LtS])
    this.#out.raw([OPCODE.if, EMPTY_RESULT, OPCODE.unreachable, OPCODE.end])
  }

  #moveStack(opcode: number): void {
    this.#indexed(OPCODE.globalGet, this.#counters.stack)
    this.#out.byte(OPCODE.i32Const)
    this.#out.signed(this.#body.slots + FRAME_SLOTS)
    this.#out.byte(opcode)
    this.#indexed(OPCODE.globalSet, this.#counters.stack)
  }

  /** Memory is fixed, whatever the host made: no page more is its size, any more is -1. */
  #grow(local: number): void {
    this.#indexed(OPCODE.localSet, local)
    this.#out.raw([OPCODE.memorySize, 0, OPCODE.i32Const, 0x7f])
    this.#indexed(OPCODE.localGet, local)
    this.#out.raw([OPCODE.i32Eqz, OPCODE.select])
  }

  /** A NaN on the stack becomes the one NaN; any other number stays. */
  #canonicalNan(type: number, local: number): void {
    const isSmall = type === F32
    this.#indexed(OPCODE.localTee, local)
    this.#out.byte(isSmall ? OPCODE.f32Const : OPCODE.f64Const)
    this.#out.raw(isSmall ? NAN_F32 : NAN_F64)
    for (let i = 0; i < 2; i++) this.#indexed(OPCODE.localGet, local)
    this.#out.raw([isSmall ? OPCODE.f32Eq : OPCODE.f64Eq, OPCODE.select])
  }

  #indexed(opcode: number, index: number): void {
    this.#out.byte(opcode)
    this.#out.u32(index)
  }

  #copy({ from, to }: { readonly from: number; readonly to: number }): void {
    this.#out.raw(this.#source.subarray(from, to))
  }
}

const NAN_F32 = [0x00, 0x00, 0xc0, 0x7f]
const NAN_F64 = [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f]

function hasOneCharge({ pieces }: Body): boolean {
  const charges = pieces.filter(
    piece => piece.kind === 'charge-bytes' || (piece.kind === 'charge' && piece.segment.cost > 0)
  )
  return charges.length <= 1
}
