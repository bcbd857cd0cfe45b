import { compareText } from '../base/index.ts'

/** A branch of a plan that some group has decided, with what came of it. All ids are text CIDs, people are DIDs. */
export type Branch = {
  /** The PROPOSE. */
  readonly proposal: string
  readonly proposer: string
  /** Its Lamport value. */
  readonly lamport: number
  /** The highest epoch whose group decided it. */
  readonly epoch: number
  /** Tasks of the branch and their types. */
  readonly tasks: readonly { readonly task: string; readonly type: string }[]
  readonly artifacts: readonly BranchArtifact[]
}

/** What a task of a branch has made, and who found that it passes. */
export type BranchArtifact = {
  readonly artifact: string
  readonly task: string
  /** Senders of ATTESTs whose verdict passes, revealed and valid. */
  readonly attesters: readonly string[]
  /** Attesters that the artifact needed: K_result. */
  readonly needed: number
}

/** How a partition was healed: what a RECONCILE says. */
export type Reconciliation = {
  /** The proposal that stands; null when nothing was decided. */
  readonly stands: string | null
  /** The others, in the order in which they lost. */
  readonly orphaned: readonly { readonly proposal: string; readonly byEpoch: number }[]
  /** Artifacts of orphaned branches that the standing one can use as they are, sorted by artifact. */
  readonly salvaged: readonly {
    readonly artifact: string
    readonly task: string
    readonly proposal: string
  }[]
}

/** The order in which branches stand: the highest epoch, then the lowest Lamport value, then the smaller proposer, then the smaller id. */
export function compareBranches(
  a: Pick<Branch, 'epoch' | 'lamport' | 'proposer' | 'proposal'>,
  b: Pick<Branch, 'epoch' | 'lamport' | 'proposer' | 'proposal'>
): number {
  return (
    b.epoch - a.epoch ||
    a.lamport - b.lamport ||
    compareText(a.proposer, b.proposer) ||
    compareText(a.proposal, b.proposal)
  )
}

/**
 * Merges the branches of one slot after a partition. The branch with the DECIDE of the highest epoch stands, the others are orphaned. An
 * artifact of theirs is salvaged when enough independent verifiers found that it passes and the standing branch has the task that made
 * it, with the same type. A function of the set, whatever order it is given in.
 */
export function reconcile(branches: readonly Branch[]): Reconciliation {
  const [standing, ...orphaned] = [...branches].sort(compareBranches)
  if (standing === undefined) return { stands: null, orphaned: [], salvaged: [] }
  const wanted = new Map(standing.tasks.map(({ task, type }) => [task, type]))
  const held = new Set(standing.artifacts.map(({ artifact }) => artifact))
  const salvaged = new Map<string, Reconciliation['salvaged'][number]>()
  for (const branch of orphaned) {
    const types = new Map(branch.tasks.map(({ task, type }) => [task, type]))
    for (const made of branch.artifacts) {
      const { artifact, task } = made
      const type = wanted.get(task)
      const isCompatible = type !== undefined && type === types.get(task)
      if (!isCompatible || held.has(artifact) || !isAttested(made, branch.proposer)) continue
      // The branch that lost last goes first.
      if (!salvaged.has(artifact))
        salvaged.set(artifact, { artifact, task, proposal: branch.proposal })
    }
  }
  return {
    stands: standing.proposal,
    orphaned: orphaned.map(({ proposal }) => ({ proposal, byEpoch: standing.epoch })),
    salvaged: [...salvaged.values()].sort((a, b) => compareText(a.artifact, b.artifact))
  }
}

/** Nobody attests its own work. */
function isAttested({ attesters, needed }: BranchArtifact, proposer: string): boolean {
  const independent = new Set(attesters.filter(did => did !== proposer))
  return independent.size >= Math.max(1, needed)
}
