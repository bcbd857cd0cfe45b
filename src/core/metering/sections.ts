import type { ByteReader } from './byte-reader.ts'
import { readImport } from './imports.ts'
import {
  BODY_BYTES_MAX,
  EXPORTS_MAX,
  FUNCTIONS_MAX,
  GLOBALS_MAX,
  IMPORTS_MAX,
  PARAMETERS_MAX,
  SEGMENTS_MAX,
  TABLE_MAX,
  TYPES_MAX
} from './limits.ts'
import type { PolicyModule } from './module.ts'
import { EMPTY_RESULT, readValueType } from './value-types.ts'

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13
} as const

/** Names that metering adds to the exports start so. */
export const EXPORT_PREFIX = 'metering:'

/** Reads the content of one section into the module. What it leaves unread is a flaw. */
type SectionReader = (section: ByteReader, module: PolicyModule) => void

export const SECTION_READERS: ReadonlyMap<number, SectionReader> = new Map<number, SectionReader>([
  [SECTION.type, readTypes],
  [SECTION.import, readImports],
  [SECTION.function, readFunctions],
  [SECTION.table, readTables],
  [
    SECTION.memory,
    section => section.fail('METERING_MEMORY', 'a policy brings no memory, it imports env.memory')
  ],
  [SECTION.global, readGlobals],
  [SECTION.export, readExports],
  [SECTION.start, readStart],
  [SECTION.element, readElements],
  [SECTION.code, readBodies],
  [SECTION.data, readData],
  [
    SECTION.dataCount,
    section => section.fail('METERING_BULK_MEMORY', 'a policy has no passive data segments')
  ],
  [SECTION.tag, section => section.fail('METERING_EXCEPTION', 'a policy has no exceptions')]
])

function readTypes(section: ByteReader, module: PolicyModule): void {
  keep(SECTION.type, section, module)
  const count = section.count(TYPES_MAX, 'types')
  for (let i = 0; i < count && section.refusal === null; i++) {
    if (section.byte() !== 0x60) section.fail('METERING_REFERENCE', 'a type is not a function type')
    const parameters: number[] = []
    const length = section.count(PARAMETERS_MAX, 'parameters')
    for (let j = 0; j < length && section.refusal === null; j++)
      parameters.push(readValueType(section))
    const results = section.u32()
    if (results > 1) section.fail('METERING_MULTI_VALUE', 'a function gives at most one value')
    module.types.push({
      parameters,
      result: results === 1 ? readValueType(section) : EMPTY_RESULT
    })
  }
}

function readImports(section: ByteReader, module: PolicyModule): void {
  keep(SECTION.import, section, module)
  const count = section.count(IMPORTS_MAX, 'imports')
  for (let i = 0; i < count && section.refusal === null; i++) readImport(section, module)
}

function readFunctions(section: ByteReader, module: PolicyModule): void {
  keep(SECTION.function, section, module)
  const count = section.count(FUNCTIONS_MAX, 'functions')
  for (let i = 0; i < count && section.refusal === null; i++)
    module.functions.push(section.index(module.types.length, 'type'))
}

function readTables(section: ByteReader, module: PolicyModule): void {
  keep(SECTION.table, section, module)
  const count = section.u32()
  if (count > 1) section.fail('METERING_TABLE', 'a policy has at most one table')
  if (count === 0 || section.refusal !== null) return
  if (section.byte() !== 0x70) section.fail('METERING_REFERENCE', 'a table holds functions only')
  const flags = section.byte()
  if (flags > 1) section.fail('METERING_TABLE', 'a table is neither shared nor of 64 bits')
  module.tables.push(section.count(TABLE_MAX, 'table entries'))
  if (flags === 1) section.u32()
}

function readGlobals(section: ByteReader, module: PolicyModule): void {
  const count = section.count(GLOBALS_MAX, 'globals')
  keep(SECTION.global, section, module)
  for (let i = 0; i < count && section.refusal === null; i++) {
    readValueType(section)
    const mutability = section.byte()
    if (mutability > 1) section.fail('METERING_MALFORMED', 'a global is mutable or not')
    skipConstant(section)
    module.globals.push(mutability === 1)
  }
}

function readExports(section: ByteReader, module: PolicyModule): void {
  module.exportCount = section.count(EXPORTS_MAX, 'exports')
  keep(SECTION.export, section, module)
  for (let i = 0; i < module.exportCount && section.refusal === null; i++) {
    const name = section.name()
    if (name.startsWith(EXPORT_PREFIX))
      section.fail('METERING_EXPORT', `the name ${name} is reserved`)
    const kind = section.byte()
    const counts = [module.functions, module.tables, module.memories, module.globals]
    const index = section.index(counts[kind]?.length ?? 0, `export of kind ${kind} at index`)
    if (kind === 0 && index < module.host.length)
      section.fail('METERING_EXPORT', `${name} exports an imported function`)
  }
}

/** OPA's compiler fills its tables of functions in one. It is metered like any other. */
function readStart(section: ByteReader, module: PolicyModule): void {
  keep(SECTION.start, section, module)
  if (section.index(module.functions.length, 'function') < module.host.length)
    section.fail('METERING_START', 'the start function is an imported one')
}

function readElements(section: ByteReader, module: PolicyModule): void {
  keep(SECTION.element, section, module)
  const count = section.count(SEGMENTS_MAX, 'element segments')
  for (let i = 0; i < count && section.refusal === null; i++) {
    if (section.u32() !== 0)
      section.fail('METERING_SEGMENT', 'an element segment lists functions for the one table')
    skipConstant(section)
    const length = section.count(TABLE_MAX, 'elements')
    for (let j = 0; j < length && section.refusal === null; j++)
      if (section.index(module.functions.length, 'function') < module.host.length)
        section.fail('METERING_IMPORT', 'an imported function is in the table')
  }
}

function readBodies(section: ByteReader, module: PolicyModule): void {
  const count = section.count(FUNCTIONS_MAX, 'bodies')
  for (let i = 0; i < count && section.refusal === null; i++) {
    const size = section.count(BODY_BYTES_MAX, 'bytes of a function')
    const from = section.position
    section.skip(size)
    module.bodies.push({ from, to: section.position })
  }
}

function readData(section: ByteReader, module: PolicyModule): void {
  keep(SECTION.data, section, module)
  const count = section.count(SEGMENTS_MAX, 'data segments')
  for (let i = 0; i < count && section.refusal === null; i++) {
    if (section.u32() !== 0)
      section.fail('METERING_SEGMENT', 'a data segment fills the one memory at its start')
    skipConstant(section)
    section.skip(section.u32())
  }
}

/** One constant and its end: nothing else may start a global or place a segment. */
function skipConstant(section: ByteReader): void {
  const opcode = section.byte()
  if (opcode === 0x41) section.skipSigned(5)
  else if (opcode === 0x42) section.skipSigned(10)
  else if (opcode === 0x43) section.skip(4)
  else if (opcode === 0x44) section.skip(8)
  else section.fail('METERING_INSTRUCTION', 'a global or an offset is not a plain constant')
  if (section.byte() !== 0x0b)
    section.fail('METERING_INSTRUCTION', 'a global or an offset is not a plain constant')
}

function keep(id: number, section: ByteReader, module: PolicyModule): void {
  module.sections.set(id, { from: section.position, to: section.end })
}
