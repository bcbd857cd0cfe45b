import { ok, type Refusal, type Result } from '../base/index.ts'
import { planBody } from './body.ts'
import { ByteWriter } from './byte-writer.ts'
import { type Part, type PolicyModule, readModule } from './module.ts'
import { EXPORT_PREFIX, SECTION } from './sections.ts'
import { I32, I64 } from './value-types.ts'
import { type Counters, writeBody } from './write-body.ts'

/** Export names of what metering adds to a module. */
export const EXPORTS = {
  /** Mutable i64: gas left. Below zero after a trap: it ran out. */
  gas: `${EXPORT_PREFIX}gas`,
  /** Mutable i32: slots of stack left. Below zero after a trap: it ran out. */
  stack: `${EXPORT_PREFIX}stack`,
  /**
   * Start of the names of the module's own mutable globals; their index follows. With the memory they are its whole state.
   */
  global: `${EXPORT_PREFIX}global:`
} as const

/** Gas and slots that a new instance starts with: enough to set itself up, before a host gives it a limit. */
export const INITIAL_GAS = 10_000_000
export const INITIAL_STACK = 16_384

/**
 * Meters a policy: the same module, which pays for each instruction before it runs it, counts its stack, never grows its
 * memory, calls nothing of the host, and computes the same on every machine. Equal bytes in, equal bytes out. Refusals have the
 * codes METERING_...; a module must be valid: that is the caller's to check.
 */
export function meterModule(bytes: Uint8Array): Result<Uint8Array> {
  const read = readModule(bytes)
  if (!read.ok) return read
  const module = read.value
  const code = meterBodies(module)
  if (!(code instanceof Uint8Array)) return { ok: false, refusal: code }
  return ok(writeModule(module, code))
}

function countersOf(module: PolicyModule): Counters {
  return { gas: module.globals.length, stack: module.globals.length + 1 }
}

function meterBodies(module: PolicyModule): Uint8Array | Refusal {
  const out = new ByteWriter()
  out.u32(module.bodies.length)
  for (const [i, part] of module.bodies.entries()) {
    const type = module.types[module.functions[module.host.length + i] ?? 0]
    if (type === undefined) continue
    const body = planBody(module, part, type)
    if ('code' in body) return body
    out.sized(writeBody(body, module.bytes, countersOf(module)))
  }
  return out.finish()
}

function writeModule(module: PolicyModule, code: Uint8Array): Uint8Array {
  const out = new ByteWriter()
  out.raw(module.bytes.subarray(0, 8))
  for (const id of [SECTION.type, SECTION.import, SECTION.function, SECTION.table])
    copySection(out, id, module)
  section(out, SECTION.global, globalSection(module))
  section(out, SECTION.export, exportSection(module))
  copySection(out, SECTION.start, module)
  copySection(out, SECTION.element, module)
  if (module.bodies.length > 0) section(out, SECTION.code, code)
  copySection(out, SECTION.data, module)
  return out.finish()
}

function globalSection(module: PolicyModule): Uint8Array {
  const out = new ByteWriter()
  out.u32(module.globals.length + 2)
  out.raw(bytesOf(module, SECTION.global))
  out.raw([I64, 1, 0x42])
  out.signed(INITIAL_GAS)
  out.raw([0x0b, I32, 1, 0x41])
  out.signed(INITIAL_STACK)
  out.byte(0x0b)
  return out.finish()
}

function exportSection(module: PolicyModule): Uint8Array {
  const out = new ByteWriter()
  const { gas, stack } = countersOf(module)
  const own = mutableGlobals(module)
  out.u32(module.exportCount + 2 + own.length)
  out.raw(bytesOf(module, SECTION.export))
  const exportGlobal = (name: string, index: number): void => {
    out.name(name)
    out.byte(3)
    out.u32(index)
  }
  exportGlobal(EXPORTS.gas, gas)
  exportGlobal(EXPORTS.stack, stack)
  for (const index of own) exportGlobal(`${EXPORTS.global}${index}`, index)
  return out.finish()
}

function mutableGlobals(module: PolicyModule): number[] {
  return module.globals.flatMap((isMutable, index) => (isMutable ? [index] : []))
}

function copySection(out: ByteWriter, id: number, module: PolicyModule): void {
  if (module.sections.has(id)) section(out, id, bytesOf(module, id))
}

function bytesOf(module: PolicyModule, id: number): Uint8Array {
  const { from, to }: Part = module.sections.get(id) ?? { from: 0, to: 0 }
  return module.bytes.subarray(from, to)
}

function section(out: ByteWriter, id: number, content: Uint8Array): void {
  out.byte(id)
  out.sized(content)
}
