import type { FlagsFor } from './flag.ts'

/** Faults that a test injects to prove that a part is wired (R21). */
export type NodeConfig = { readonly unplug: readonly string[] }

export const nodeDefaults: NodeConfig = { unplug: [] }

/** Parts that can be unplugged. */
export const PARTS: readonly string[] = ['gossip', 'artifacts', 'policy', 'consensus', 'verifier']

/** Parts of which there is another that does their work, if slower: a job is done without one of them, and not without both. */
export const DOUBLED_PARTS: readonly string[] = ['pull', 'plan-sync']

/** Parts that no job needs, and that others rely on: checkpoints are stable only with witnesses, and nobody can look into logs that are not kept. */
export const SHARED_PARTS: readonly string[] = ['witness', 'audit']

export const nodeFlags: FlagsFor<'node', NodeConfig> = {
  'node.unplug': {
    type: 'list',
    option: 'unplug',
    unit: 'PART',
    choices: [...PARTS, ...DOUBLED_PARTS, ...SHARED_PARTS],
    hidden: true,
    help: 'Leave a part out, to see the job fail: for tests.'
  }
}
