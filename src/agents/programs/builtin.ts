import type { Program } from '../program.ts'
import { languageProgram } from './language-program.ts'

/** The programs that ship with the node, by capability. `BUILTIN_CAPABILITIES` of the settings names the same ones. */
const BUILTIN: ReadonlyMap<string, () => Program> = new Map([['text/language', languageProgram]])

/** The builtin program of a capability, or null when there is none. */
export function builtinProgram(capability: string): Program | null {
  return BUILTIN.get(capability)?.() ?? null
}
