import type { FlagsFor } from './flag.ts'

/** Builtin agents that the node hosts in its own process. */
export type AgentsConfig = { readonly work: readonly string[]; readonly verify: readonly string[] }

export const agentsDefaults: AgentsConfig = { work: [], verify: [] }

/** Capabilities with a builtin program. Others run beside the node: `can-swarm work --capability C -- CMD`. */
export const BUILTIN_CAPABILITIES: readonly string[] = [
  'text/language',
  'text/split',
  'text/count-words',
  'text/merge-counts',
  'text/word-count'
]

export const agentsFlags: FlagsFor<'agents', AgentsConfig> = {
  'agents.work': {
    type: 'list',
    option: 'work',
    unit: 'CAPABILITY',
    choices: BUILTIN_CAPABILITIES,
    help: 'Host a builtin worker for the capability.'
  },
  'agents.verify': {
    type: 'list',
    option: 'verify',
    unit: 'CAPABILITY',
    choices: BUILTIN_CAPABILITIES,
    help: 'Host a builtin verifier for the capability.'
  }
}
