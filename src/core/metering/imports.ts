import type { ByteReader } from './byte-reader.ts'
import { MEMORY_PAGES_MAX_MIN, MEMORY_PAGES_MIN_MAX } from './limits.ts'
import type { HostFunction, PolicyModule } from './module.ts'
import { EMPTY_RESULT, I32 } from './value-types.ts'

type HostRow = {
  readonly becomes: HostFunction
  readonly parameters: number
  readonly result: number
}

const giveUp = (parameters: number): HostRow => ({ becomes: 'give-up', parameters, result: I32 })

/** The functions of OPA's ABI that a module may import, by name in `env`; all values are i32. */
const HOST: ReadonlyMap<string, HostRow> = new Map([
  ['opa_abort', { becomes: 'give-up', parameters: 1, result: EMPTY_RESULT }],
  ['opa_println', { becomes: 'print', parameters: 1, result: EMPTY_RESULT }],
  // Builtin number and context come first.
  ['opa_builtin0', giveUp(2)],
  ['opa_builtin1', giveUp(3)],
  ['opa_builtin2', giveUp(4)],
  ['opa_builtin3', giveUp(5)],
  ['opa_builtin4', giveUp(6)]
])

const KIND = { function: 0, memory: 2 } as const

export function readImport(section: ByteReader, module: PolicyModule): void {
  const from = section.name()
  const name = section.name()
  const kind = section.byte()
  if (section.refusal !== null) return
  const host = HOST.get(name)
  if (from === 'env' && kind === KIND.function && host !== undefined)
    readHostFunction(section, module, { name, host })
  else if (from === 'env' && kind === KIND.memory && name === 'memory') readMemory(section, module)
  else section.fail('METERING_IMPORT', `it imports ${from}.${name}`)
}

function readHostFunction(
  section: ByteReader,
  module: PolicyModule,
  { name, host }: { readonly name: string; readonly host: HostRow }
): void {
  const index = section.index(module.types.length, 'type')
  const type = module.types[index]
  if (type === undefined) return
  const { parameters, result } = type
  const fits =
    parameters.length === host.parameters &&
    parameters.every(parameter => parameter === I32) &&
    result === host.result
  if (!fits) section.fail('METERING_IMPORT', `env.${name} has another type`)
  module.host.push(host.becomes)
  module.functions.push(index)
}

function readMemory(section: ByteReader, module: PolicyModule): void {
  const flags = section.byte()
  if ((flags & 2) !== 0) section.fail('METERING_THREADS', 'the memory is shared')
  if (flags > 1) section.fail('METERING_MEMORY', 'the memory is of another kind')
  const pages = section.u32()
  if (pages > MEMORY_PAGES_MIN_MAX)
    section.fail('METERING_MEMORY', `it wants ${pages} pages, above ${MEMORY_PAGES_MIN_MAX}`)
  if (flags === 1 && section.u32() < MEMORY_PAGES_MAX_MIN)
    section.fail('METERING_MEMORY', `it takes less than ${MEMORY_PAGES_MAX_MIN} pages`)
  if (module.memories.length > 0) section.fail('METERING_MULTI_MEMORY', 'there is one memory')
  module.memories.push(pages)
}
