// Random programs that are always valid. Statements leave the stack as they found it; expressions leave one value more.
import type { Code, Procedure, Program } from './wasm-program.ts'
import { PARAMETERS_MAX } from './wasm-program.ts'

/** A whole number from 0 to below `count`. */
export type Choose = (count: number) => number

const GLOBALS = 2
const LOCALS = 3

/** Labels in scope, innermost first: whether a branch to each carries a value. */
type Scope = { readonly labels: readonly boolean[]; readonly locals: number; readonly size: number }

export function randomProgram(choose: Choose): Program {
  const count = 1 + choose(4)
  const shapes = Array.from({ length: count }, () => choose(PARAMETERS_MAX + 1))
  return {
    procedures: shapes.map(parameters => new Generator(choose, shapes).procedure(parameters)),
    globals: Array.from({ length: GLOBALS }, () => choose(1000))
  }
}

class Generator {
  readonly #choose: Choose
  readonly #shapes: readonly number[]

  constructor(choose: Choose, shapes: readonly number[]) {
    this.#choose = choose
    this.#shapes = shapes
  }

  procedure(parameters: number): Procedure {
    const locals = this.#choose(LOCALS) + 1
    const scope = { labels: [true], locals: parameters + locals, size: 4 }
    return { parameters, locals, body: [...this.#statements(scope), ...this.#expression(scope)] }
  }

  #statements(scope: Scope): Code[] {
    const count = this.#choose(scope.size + 1)
    return Array.from({ length: count }, () => this.#statement(scope)).flat()
  }

  #statement(scope: Scope): Code[] {
    const local = this.#choose(scope.locals)
    switch (this.#choose(14)) {
      case 0:
      case 1:
        return [{ op: 'block', body: this.#statements(inner(scope, false)) }]
      case 2:
        return this.#countedLoop(scope)
      case 3:
        return [{ op: 'loop', body: this.#statements(inner(scope, false)) }]
      case 4:
        return [
          ...this.#expression(scope),
          { op: 'if', body: this.#statements(inner(scope, false)) }
        ]
      case 5:
        return [
          ...this.#expression(scope),
          {
            op: 'if',
            body: this.#statements(inner(scope, false)),
            otherwise: this.#statements(inner(scope, false))
          }
        ]
      case 6:
        return this.#branch(scope)
      case 7:
        return this.#table(scope)
      case 8:
        return [...this.#expression(scope), { op: 'global.set', index: this.#choose(GLOBALS) }]
      case 9:
        return [...this.#address(), ...this.#expression(scope), { op: 'i32.store' }]
      case 10:
        return [...this.#address(), ...this.#address(), ...this.#address(), this.#bulk()]
      case 11:
        return this.#choose(8) === 0 ? [{ op: 'unreachable' }] : [{ op: 'nop' }]
      default:
        return [...this.#expression(scope), { op: 'local.set', index: local }]
    }
  }

  /** A loop that ends: most random ones do not. */
  #countedLoop(scope: Scope): Code[] {
    const index = this.#choose(scope.locals)
    const body = this.#statements(inner(scope, false))
    return [
      { op: 'i32.const', value: this.#choose(10) },
      { op: 'local.set', index },
      {
        op: 'loop',
        body: [
          ...body,
          { op: 'local.get', index },
          { op: 'i32.const', value: 1 },
          { op: 'i32.sub' },
          { op: 'local.tee', index },
          { op: 'br_if', index: 0 }
        ]
      }
    ]
  }

  #branch(scope: Scope): Code[] {
    const index = this.#choose(scope.labels.length)
    const value = scope.labels[index] ? this.#expression(scope) : []
    if (this.#choose(8) === 0) return [...this.#expression(scope), { op: 'return' }]
    if (this.#choose(3) === 0) return [...value, { op: 'br', index }]
    const rest: Code[] = scope.labels[index] ? [{ op: 'drop' }] : []
    return [...value, ...this.#expression(scope), { op: 'br_if', index }, ...rest]
  }

  #table(scope: Scope): Code[] {
    const plain = scope.labels.flatMap((carries, label) => (carries ? [] : [label]))
    if (plain.length === 0) return []
    const labels = Array.from(
      { length: 1 + this.#choose(3) },
      () => plain[this.#choose(plain.length)] ?? 0
    )
    return [...this.#expression(scope), { op: 'br_table', labels }]
  }

  #expression(scope: Scope): Code[] {
    if (scope.size === 0) return [{ op: 'local.get', index: this.#choose(scope.locals) }]
    const less = { ...scope, size: scope.size - 1 }
    switch (this.#choose(12)) {
      case 0:
        return [{ op: 'i32.const', value: this.#choose(200) - 100 }]
      case 1:
        return [{ op: 'global.get', index: this.#choose(GLOBALS) }]
      case 2:
        return [...this.#address(), { op: 'i32.load' }]
      case 3:
        return [
          {
            op: 'block',
            result: true,
            body: [...this.#statements(inner(less, true)), ...this.#expression(inner(less, true))]
          }
        ]
      case 4:
        return [
          ...this.#expression(less),
          {
            op: 'if',
            result: true,
            body: this.#expression(inner(less, true)),
            otherwise: [
              ...this.#statements(inner(less, true)),
              ...this.#expression(inner(less, true))
            ]
          }
        ]
      case 5:
        return this.#call(less)
      case 6:
        return [...this.#expression(less), { op: 'i32.eqz' }]
      case 7:
        return [
          ...this.#expression(less),
          ...this.#expression(less),
          ...this.#expression(less),
          { op: 'select' }
        ]
      case 8:
        return [...this.#expression(less), { op: 'memory.grow' }]
      case 9:
      case 10:
        return [...this.#expression(less), ...this.#expression(less), { op: this.#binary() }]
      default:
        return [{ op: 'local.get', index: this.#choose(scope.locals) }]
    }
  }

  #call(scope: Scope): Code[] {
    const index = this.#choose(this.#shapes.length)
    const parameters = this.#shapes[index] ?? 0
    const values = Array.from({ length: parameters }, () => this.#expression(scope)).flat()
    if (this.#choose(2) === 0) return [...values, { op: 'call', index }]
    return [
      ...values,
      { op: 'i32.const', value: this.#choose(8) === 0 ? this.#choose(6) : index },
      { op: 'call_indirect', index: parameters }
    ]
  }

  #binary(): 'i32.add' | 'i32.sub' | 'i32.mul' | 'i32.div_u' | 'i32.xor' | 'i32.lt_u' {
    const names = ['i32.add', 'i32.sub', 'i32.mul', 'i32.div_u', 'i32.xor', 'i32.lt_u'] as const
    return names[this.#choose(names.length)] ?? 'i32.add'
  }

  #bulk(): Code {
    return { op: this.#choose(2) === 0 ? 'memory.fill' : 'memory.copy' }
  }

  /** Mostly within the memory. */
  #address(): Code[] {
    const value = this.#choose(100) === 0 ? 70_000 : this.#choose(16_000)
    return [{ op: 'i32.const', value }]
  }
}

function inner(scope: Scope, carries: boolean): Scope {
  return { ...scope, labels: [carries, ...scope.labels], size: Math.max(scope.size - 1, 0) }
}
