import type { Refusal } from '../base/index.ts'
import { ByteReader } from './byte-reader.ts'
import { Control, type Segment } from './control.ts'
import { type Instruction, readInstruction } from './instruction-reader.ts'
import { OPCODE } from './instructions.ts'
import { FRAME_SLOTS_MAX, LOCALS_MAX, NESTING_MAX } from './limits.ts'
import type { BodyContext, FunctionType, Part, PolicyModule } from './module.ts'
import { EMPTY_RESULT, F32, F64, I32, readValueType } from './value-types.ts'

/** What a metered body is put together from. */
export type Piece =
  | { readonly kind: 'copy'; readonly from: number; to: number }
  | { readonly kind: 'bytes'; readonly bytes: readonly number[] }
  | { readonly kind: 'call'; readonly from: number; readonly to: number }
  | { readonly kind: 'charge'; readonly segment: Segment }
  /** A charge by the size on the stack, which the local keeps meanwhile. */
  | { readonly kind: 'charge-bytes'; readonly local: number }
  /** Asks for as many pages as are on the stack. */
  | { readonly kind: 'grow'; readonly local: number }
  | { readonly kind: 'canonical-nan'; readonly type: number; readonly local: number }
  /** Leaves the function from within that many constructs. */
  | { readonly kind: 'return'; readonly depth: number }

export type Body = {
  readonly type: FunctionType
  readonly pieces: readonly Piece[]
  /** The groups of locals as they are written, without their number. */
  readonly groups: Part
  readonly localGroups: number
  /** Parameters and locals. */
  readonly locals: number
  /** Types of the locals that metering adds. */
  readonly scratch: readonly number[]
  /** Parameters, locals and the highest operand stack, in slots. */
  readonly slots: number
  /** It calls something, so that it can stand on the stack below others. */
  readonly hasCalls: boolean
}

/** Reads the body of one function and plans its metered form. */
export function planBody(module: PolicyModule, part: Part, type: FunctionType): Body | Refusal {
  const plan = new BodyPlan(module, part, type)
  return plan.run()
}

class BodyPlan {
  readonly #module: PolicyModule
  readonly #reader: ByteReader
  readonly #type: FunctionType
  readonly #pieces: Piece[] = []
  readonly #scratch: number[] = []
  #context: BodyContext
  #control: Control
  #hasCalls = false
  /** Open constructs inside of code that cannot be reached. */
  #deadDepth = 0

  constructor(module: PolicyModule, part: Part, type: FunctionType) {
    this.#module = module
    this.#reader = new ByteReader(module.bytes, part.from, part.to)
    this.#type = type
    this.#context = this.#contextOf(type.parameters.length)
    this.#control = new Control(0, 0, () => undefined)
  }

  run(): Body | Refusal {
    const localGroups = this.#reader.count(LOCALS_MAX, 'groups of locals')
    const from = this.#reader.position
    const count = this.#readLocals(localGroups)
    const groups = { from, to: this.#reader.position }
    this.#context = this.#contextOf(this.#type.parameters.length + count)
    const results = this.#type.result === EMPTY_RESULT ? 0 : 1
    this.#control = new Control(count, results, segment =>
      this.#pieces.push({ kind: 'charge', segment })
    )
    while (this.#control.frames.length > 0 && this.#reader.refusal === null) {
      const instruction = readInstruction(this.#reader, this.#context)
      if (instruction === null) break
      if (this.#control.isDead) this.#passOver(instruction)
      else this.#take(instruction)
    }
    if (!this.#reader.isAtEnd) this.#reader.fail('METERING_MALFORMED', 'code follows a function')
    const slots = this.#context.locals + this.#control.heightMax
    if (slots > FRAME_SLOTS_MAX)
      this.#reader.fail('METERING_LIMIT', `a frame has ${slots} slots, above ${FRAME_SLOTS_MAX}`)
    if (this.#reader.refusal !== null) return this.#reader.refusal
    return {
      type: this.#type,
      pieces: this.#pieces,
      groups,
      localGroups,
      locals: this.#context.locals,
      scratch: this.#scratch,
      slots,
      hasCalls: this.#hasCalls
    }
  }

  #contextOf(locals: number): BodyContext {
    const { types, functions, host, globals } = this.#module
    return { types, functions, host, globals: globals.length, locals }
  }

  #readLocals(groups: number): number {
    let count = this.#type.parameters.length
    for (let i = 0; i < groups && this.#reader.refusal === null; i++) {
      count += this.#reader.u32()
      readValueType(this.#reader)
      if (count > LOCALS_MAX)
        this.#reader.fail('METERING_LIMIT', `${count} locals: at most ${LOCALS_MAX} are allowed`)
    }
    return count - this.#type.parameters.length
  }

  /** Code that cannot be reached is read for what it may hold, and left out. */
  #passOver(instruction: Instruction): void {
    const { opcode } = instruction
    if (opcode === OPCODE.block || opcode === OPCODE.loop || opcode === OPCODE.if) {
      this.#deadDepth++
      this.#checkNesting()
    } else if (opcode === OPCODE.end && this.#deadDepth > 0) this.#deadDepth--
    else if (opcode === OPCODE.end || (opcode === OPCODE.else && this.#deadDepth === 0))
      this.#take(instruction)
  }

  #take(instruction: Instruction): void {
    const { opcode, row } = instruction
    const control = this.#control
    control.segment.cost += row.cost
    control.move(row.pops, row.pushes)
    switch (opcode) {
      case OPCODE.block:
      case OPCODE.loop:
      case OPCODE.if:
        this.#open(instruction)
        break
      case OPCODE.else:
        this.#copy(instruction)
        if (!control.else())
          this.#reader.fail('METERING_MALFORMED', 'there is an else without its if')
        break
      case OPCODE.end:
        this.#end(instruction)
        break
      case OPCODE.br:
      case OPCODE.brIf:
      case OPCODE.brTable:
        this.#branch(instruction)
        break
      case OPCODE.return:
        control.branch([control.frames.length - 1])
        this.#pieces.push({ kind: 'return', depth: control.frames.length - 1 })
        control.isDead = true
        break
      case OPCODE.unreachable:
        this.#copy(instruction)
        control.isDead = true
        break
      case OPCODE.call:
        this.#call(instruction)
        break
      case OPCODE.callIndirect:
        this.#hasCalls = true
        this.#moveCall(this.#context.types[instruction.index])
        this.#pieces.push({ kind: 'call', from: instruction.from, to: instruction.to })
        break
      case OPCODE.memoryGrow:
        this.#pieces.push({ kind: 'grow', local: this.#scratchLocal(I32) })
        break
      case OPCODE.memoryCopy:
      case OPCODE.memoryFill:
        this.#pieces.push({ kind: 'charge-bytes', local: this.#scratchLocal(I32) })
        this.#copy(instruction)
        break
      default:
        this.#copy(instruction)
        this.#canonicalNan(row.nan)
    }
  }

  #open(instruction: Instruction): void {
    const { opcode, result } = instruction
    const kind = opcode === OPCODE.block ? 'block' : opcode === OPCODE.loop ? 'loop' : 'if'
    this.#copy(instruction)
    this.#control.open(kind, result === EMPTY_RESULT ? 0 : 1)
    this.#checkNesting()
  }

  #checkNesting(): void {
    if (this.#control.frames.length + this.#deadDepth > NESTING_MAX + 1)
      this.#reader.fail('METERING_LIMIT', `blocks nest deeper than ${NESTING_MAX}`)
  }

  #end(instruction: Instruction): void {
    const control = this.#control
    // The end of the whole function is written with the frame around it.
    if (control.frames.length > 1) this.#copy(instruction)
    control.end()
    if (control.frames.length === 0) return
    // Validators take the end of a construct for reachable; what follows is left out, so they are told.
    if (control.isDead) this.#pieces.push({ kind: 'bytes', bytes: [OPCODE.unreachable] })
  }

  #branch(instruction: Instruction): void {
    const { opcode, labels } = instruction
    this.#copy(instruction)
    if (!this.#control.branch(labels))
      this.#reader.fail('METERING_INDEX', 'a branch leads out of its function')
    if (opcode === OPCODE.brIf) this.#control.continue()
    else this.#control.isDead = true
  }

  #call(instruction: Instruction): void {
    const { index } = instruction
    const host = this.#context.host[index]
    this.#moveCall(this.#context.types[this.#context.functions[index] ?? 0])
    if (host === undefined) {
      this.#hasCalls = true
      this.#pieces.push({ kind: 'call', from: instruction.from, to: instruction.to })
    } else if (host === 'print') this.#pieces.push({ kind: 'bytes', bytes: [OPCODE.drop] })
    else {
      this.#pieces.push({ kind: 'bytes', bytes: [OPCODE.unreachable] })
      this.#control.isDead = true
    }
  }

  #moveCall(type: FunctionType | undefined): void {
    this.#control.move(type?.parameters.length ?? 0, type?.result === EMPTY_RESULT ? 0 : 1)
  }

  #canonicalNan(nan: 'f32' | 'f64' | null): void {
    if (nan === null) return
    const type = nan === 'f32' ? F32 : F64
    this.#pieces.push({ kind: 'canonical-nan', type, local: this.#scratchLocal(type) })
  }

  #scratchLocal(type: number): number {
    const known = this.#scratch.indexOf(type)
    if (known >= 0) return this.#context.locals + known
    this.#scratch.push(type)
    return this.#context.locals + this.#scratch.length - 1
  }

  #copy({ from, to }: Instruction): void {
    const last = this.#pieces.at(-1)
    if (last?.kind === 'copy' && last.to === from) last.to = to
    else this.#pieces.push({ kind: 'copy', from, to })
  }
}
