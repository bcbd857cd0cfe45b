import type { FlagsFor } from './flag.ts'

/** Builtin agents that the node hosts in its own process, and what its manifest says of all its agents. */
export type AgentsConfig = {
  readonly work: readonly string[]
  readonly verify: readonly string[]
  readonly org: string
  readonly zone: string
  readonly tags: readonly string[]
}

/** Of nobody and nowhere: right for a laptop, and for the nodes of one testnet, which NEEDs without terms take as they are. */
export const agentsDefaults: AgentsConfig = { work: [], verify: [], org: '', zone: '', tags: [] }

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
  },
  'agents.org': {
    type: 'text',
    option: 'org',
    unit: 'NAME',
    help: 'Who runs the node, for NEEDs that want findings of several.',
    check: checkPlace
  },
  'agents.zone': {
    type: 'text',
    option: 'zone',
    unit: 'NAME',
    help: 'Where the node runs, for NEEDs that ask for it.',
    check: checkPlace
  },
  'agents.tags': {
    type: 'list',
    option: 'tag',
    unit: 'NAME',
    help: 'What else a NEED may ask its worker to be, such as gpu.',
    check: tag =>
      /^[a-z0-9][a-z0-9/._-]{0,127}$/u.test(tag) ? null : 'must be a lower-case name such as gpu'
  }
}

/** Longest name of an org or zone, in characters: the base capsule takes no longer one. */
const PLACE_LENGTH_MAX = 128

function checkPlace(value: string): string | null {
  return value.length <= PLACE_LENGTH_MAX ? null : `is longer than ${PLACE_LENGTH_MAX} characters`
}
