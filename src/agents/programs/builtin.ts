import type { Program } from '../program.ts'
import { languageProgram } from './language-program.ts'
import {
  countWordsProgram,
  mergeCountsProgram,
  splitProgram,
  wordCountProgram
} from './word-programs.ts'

/** The programs that ship with the node, by capability. `BUILTIN_CAPABILITIES` of the settings names the same ones. */
const BUILTIN: ReadonlyMap<string, () => Program> = new Map<string, () => Program>([
  ['text/language', languageProgram],
  ['text/split', splitProgram],
  ['text/count-words', countWordsProgram],
  ['text/merge-counts', mergeCountsProgram],
  ['text/word-count', wordCountProgram]
])

/** The builtin program of a capability, or null when there is none. */
export function builtinProgram(capability: string): Program | null {
  return BUILTIN.get(capability)?.() ?? null
}
