import { equals, ok, type Refusal, type Result, refuse } from '../base/index.ts'
import { ByteReader } from './byte-reader.ts'
import { MODULE_BYTES_MAX } from './limits.ts'
import { SECTION, SECTION_READERS } from './sections.ts'

export type FunctionType = {
  readonly parameters: readonly number[]
  /** Type of the one result, or EMPTY_RESULT. */
  readonly result: number
}

/** What a call of an import becomes. The printed text goes nowhere, and no builtin of the host is allowed. */
export type HostFunction = 'print' | 'give-up'

/** A module that keeps to the rules, as far as it was read. */
export type PolicyModule = {
  readonly bytes: Uint8Array
  readonly types: FunctionType[]
  /** The imported functions, which come first in `functions`. */
  readonly host: HostFunction[]
  /** Type index of every function. */
  readonly functions: number[]
  /** Of each global: whether it can change. */
  readonly globals: boolean[]
  readonly memories: number[]
  readonly tables: number[]
  readonly bodies: Part[]
  /** Contents of the sections that stay as they are, by id; of those that grow, without their count. */
  readonly sections: Map<number, Part>
  exportCount: number
}

/** A range of the module's bytes. */
export type Part = { readonly from: number; readonly to: number }

/** What the instructions of one body may name. */
export type BodyContext = {
  readonly types: readonly FunctionType[]
  readonly functions: readonly number[]
  readonly host: readonly HostFunction[]
  readonly globals: number
  readonly locals: number
}

const HEADER = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)

/**
 * Reads the sections of a module and refuses what the rules do not allow. Bodies are found and not read. Types are not checked:
 * that is the validator's part, before and after.
 */
export function readModule(bytes: Uint8Array): Result<PolicyModule> {
  if (bytes.length > MODULE_BYTES_MAX)
    return refuse('METERING_LIMIT', `the module has more than ${MODULE_BYTES_MAX} bytes`)
  if (!equals(bytes.subarray(0, HEADER.length), HEADER))
    return refuse('METERING_MALFORMED', 'this is not a WebAssembly module of version 1')
  const module = emptyModule(bytes)
  const refusal = readSections(module) ?? completeness(module)
  return refusal === null ? ok(module) : { ok: false, refusal }
}

function emptyModule(bytes: Uint8Array): PolicyModule {
  return {
    bytes,
    types: [],
    host: [],
    functions: [],
    globals: [],
    memories: [],
    tables: [],
    bodies: [],
    sections: new Map(),
    exportCount: 0
  }
}

function readSections(module: PolicyModule): Refusal | null {
  const reader = new ByteReader(module.bytes, HEADER.length, module.bytes.length)
  let last = 0
  while (!reader.isAtEnd) {
    const id = reader.byte()
    const section = reader.part(reader.u32())
    if (reader.refusal !== null) break
    if (id === SECTION.custom) continue
    const read = SECTION_READERS.get(id)
    if (read === undefined) reader.fail('METERING_MALFORMED', `there is no section ${id}`)
    else if (id <= last) reader.fail('METERING_MALFORMED', `section ${id} is out of order`)
    else {
      read(section, module)
      if (!section.isAtEnd) section.fail('METERING_MALFORMED', `section ${id} is too long`)
      if (section.refusal !== null) return section.refusal
    }
    last = id
  }
  return reader.refusal
}

function completeness(module: PolicyModule): Refusal | null {
  if (module.memories.length !== 1)
    return refuse('METERING_MEMORY', 'a policy imports one memory, env.memory').refusal
  if (module.bodies.length !== module.functions.length - module.host.length)
    return refuse('METERING_MALFORMED', 'functions and bodies differ in number').refusal
  return null
}
