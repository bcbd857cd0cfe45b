// Runs wasm-program's programs by walking them, and adds up what protocols/policy/metering.md says that each instruction costs.
// It shares nothing with the metering that it checks: no bytes, no tables, no segments.
import type { Code, Procedure, Program } from './wasm-program.ts'

/** Costs that are not 1. */
const COST: Readonly<Partial<Record<Code['op'], number>>> = {
  nop: 0,
  block: 0,
  loop: 0,
  br_table: 3,
  call: 5,
  call_indirect: 10,
  'i32.div_u': 10,
  'memory.copy': 10,
  'memory.fill': 10
}

/** Calls within calls that the interpreter follows. */
const DEPTH_MAX = 200
const MEMORY_BYTES = 65_536

export type Outcome =
  | { readonly kind: 'value'; readonly value: number; readonly gas: number }
  | { readonly kind: 'trap' | 'out-of-gas' | 'too-deep' }

class Stopped {
  readonly kind: 'trap' | 'out-of-gas' | 'too-deep'
  constructor(kind: Stopped['kind']) {
    this.kind = kind
  }
}

/** How a list of instructions was left: by its end, or by a branch to the label. The function itself is the outermost label. */
type Exit = null | number

export function interpret(program: Program, input: readonly number[], gasMax: number): Outcome {
  const run = new Run(program, gasMax)
  try {
    const value = run.call(program.procedures[0] as Procedure, input, 0)
    return { kind: 'value', value, gas: run.gas }
  } catch (error) {
    if (error instanceof Stopped) return { kind: error.kind }
    throw error
  }
}

class Run {
  gas = 0
  readonly #program: Program
  readonly #gasMax: number
  readonly #globals: number[]
  readonly #memory = new DataView(new ArrayBuffer(MEMORY_BYTES))

  constructor(program: Program, gasMax: number) {
    this.#program = program
    this.#gasMax = gasMax
    this.#globals = [...program.globals]
  }

  call(procedure: Procedure, values: readonly number[], depth: number): number {
    if (depth > DEPTH_MAX) throw new Stopped('too-deep')
    this.#pay(procedure.locals)
    const locals = [...values, ...Array.from({ length: procedure.locals }, () => 0)]
    const stack: number[] = []
    this.#list(procedure.body, { locals, stack, depth })
    return pop(stack)
  }

  #pay(gas: number): void {
    this.gas += gas
    if (this.gas > this.#gasMax) throw new Stopped('out-of-gas')
  }

  /** A branch out of `n` enclosing lists is `n`; the caller of each list counts down. */
  #list(codes: readonly Code[], frame: Frame): Exit {
    for (const code of codes) {
      this.#pay(COST[code.op] ?? 1)
      const exit = this.#one(code, frame)
      if (exit !== null) return exit
    }
    return null
  }

  #one(code: Code, frame: Frame): Exit {
    const { stack, locals } = frame
    switch (code.op) {
      case 'block':
        return this.#construct(code.body, frame, code.result === true)
      case 'if': {
        const arm = pop(stack) === 0 ? (code.otherwise ?? []) : code.body
        return this.#construct(arm, frame, code.result === true)
      }
      case 'loop':
        for (;;) {
          const height = stack.length
          const exit = this.#list(code.body, frame)
          if (exit === null) return null
          if (exit > 0) return exit - 1
          stack.length = height
        }
      case 'br':
        return code.index
      case 'br_if':
        return pop(stack) === 0 ? null : code.index
      case 'br_table': {
        const index = Math.min(pop(stack) >>> 0, code.labels.length - 1)
        return code.labels[index] ?? 0
      }
      case 'return':
        return Number.POSITIVE_INFINITY
      case 'call':
        return this.#call(code.index, frame)
      case 'call_indirect': {
        const index = pop(stack) >>> 0
        const target = this.#program.procedures[index]
        if (target?.parameters !== code.index) throw new Stopped('trap')
        return this.#call(index, frame)
      }
      case 'i32.const':
        stack.push(code.value | 0)
        return null
      case 'local.get':
        stack.push(locals[code.index] ?? 0)
        return null
      case 'local.set':
        locals[code.index] = pop(stack)
        return null
      case 'local.tee':
        locals[code.index] = stack.at(-1) ?? 0
        return null
      case 'global.get':
        stack.push(this.#globals[code.index] ?? 0)
        return null
      case 'global.set':
        this.#globals[code.index] = pop(stack)
        return null
      default:
        this.#plain(code.op, stack)
        return code.op === 'unreachable' ? 0 : null
    }
  }

  #construct(body: readonly Code[], frame: Frame, hasResult: boolean): Exit {
    const { stack } = frame
    const height = stack.length
    const exit = this.#list(body, frame)
    if (exit === null) return null
    if (exit > 0) return exit - 1
    // A branch carries the result and drops what lies below it.
    const result = hasResult ? [pop(stack)] : []
    stack.splice(height, stack.length, ...result)
    return null
  }

  #call(index: number, { stack, depth }: Frame): null {
    const procedure = this.#program.procedures[index] as Procedure
    const values = stack.splice(stack.length - procedure.parameters)
    stack.push(this.call(procedure, values, depth + 1))
    return null
  }

  #plain(name: string, stack: number[]): void {
    if (name === 'nop') return
    if (name === 'unreachable') throw new Stopped('trap')
    if (name === 'memory.size') stack.push(1)
    else if (name === 'memory.grow') stack.push(pop(stack) === 0 ? 1 : -1)
    else if (name === 'drop') pop(stack)
    else if (name === 'i32.eqz') stack.push(pop(stack) === 0 ? 1 : 0)
    else if (name === 'i32.load')
      stack.push(this.#memory.getInt32(this.#address(pop(stack), 4), true))
    else if (name === 'i32.store') this.#store(stack)
    else if (name === 'memory.fill' || name === 'memory.copy') this.#bulk(name, stack)
    else if (name === 'select') {
      const isFirst = pop(stack) !== 0
      const second = pop(stack)
      if (!isFirst) stack.splice(-1, 1, second)
    } else {
      const right = pop(stack)
      stack.push(binary(name, pop(stack), right))
    }
  }

  #store(stack: number[]): void {
    const value = pop(stack)
    this.#memory.setInt32(this.#address(pop(stack), 4), value, true)
  }

  #bulk(name: string, stack: number[]): void {
    const size = pop(stack) >>> 0
    this.#pay(Math.floor(size / 8))
    const second = pop(stack)
    const to = this.#address(pop(stack), size)
    const bytes = new Uint8Array(this.#memory.buffer)
    if (name === 'memory.fill') bytes.fill(second, to, to + size)
    else {
      const from = this.#address(second, size)
      bytes.copyWithin(to, from, from + size)
    }
  }

  #address(value: number, size: number): number {
    const address = value >>> 0
    if (address + size > MEMORY_BYTES) throw new Stopped('trap')
    return address
  }
}

type Frame = {
  readonly locals: number[]
  readonly stack: number[]
  readonly depth: number
}

function pop(stack: number[]): number {
  const value = stack.pop()
  if (value === undefined) throw new RangeError('the program under test is not valid')
  return value
}

function binary(name: string, left: number, right: number): number {
  switch (name) {
    case 'i32.add':
      return (left + right) | 0
    case 'i32.sub':
      return (left - right) | 0
    case 'i32.mul':
      return Math.imul(left, right)
    case 'i32.xor':
      return left ^ right
    case 'i32.lt_u':
      return left >>> 0 < right >>> 0 ? 1 : 0
    case 'i32.div_u':
      if (right === 0) throw new Stopped('trap')
      return ((left >>> 0) / (right >>> 0)) | 0
    default:
      throw new RangeError(`no such instruction: ${name}`)
  }
}
