import { compareText, equals } from '../base/index.ts'
import { CID } from '../codec/index.ts'
import type { Admitted, Payload, Verb } from '../envelope/index.ts'
import { verdictSeal } from '../need/index.ts'
import { type Branch, type BranchArtifact, reconcile } from '../plan/index.ts'
import type { Context } from './context.ts'
import { threadDraft } from './drafts.ts'
import type { Thread } from './thread.ts'

/** RECONCILEs that a node says in one thread: what comes late, when a partition has healed, is told again, but not for ever. */
const SAID_MAX = 4
/** ms between two looks at a thread that goes on. */
const LOOK_MS = 1_000
/** Items of each list of a RECONCILE: with those of the refs they fit into an envelope. */
const ITEMS_MAX = 128

/**
 * A thread that left an epoch may hold more than its last group decided: proposals that others would have followed, results under
 * leases that are void. The node of the decided worker says what became of them, once for each state of affairs.
 */
export function reconcileIfDue(context: Context, thread: Thread): void {
  if (context.nowMs < reconcileDueAt(context, thread)) return
  thread.reconciledAt = context.nowMs
  const reconciled = reconciliationOf(thread)
  const said = all(thread, 'RECONCILE').filter(({ envelope }) => envelope.sender === context.did)
  if (reconciled === null || said.length >= SAID_MAX) return
  if (said.some(({ envelope }) => isSame(envelope.payload, reconciled))) return
  context.publish(threadDraft(context, thread, 'RECONCILE', reconciled))
}

/** When `reconcileIfDue` has something to look at. */
export function reconcileDueAt(context: Context, thread: Thread): number {
  // The decision is of the thread's epoch; most threads never leave their first, and rest.
  if (thread.epoch() === thread.need.envelope.payload.epoch) return NEVER
  if (thread.certifiedDecision()?.worker !== context.did) return NEVER
  return thread.changedAt < thread.reconciledAt ? NEVER : thread.reconciledAt + LOOK_MS
}

const NEVER: number = Number.POSITIVE_INFINITY

/**
 * What became of each branch, as this node knows the thread: a function of its envelopes and the certified decision. Null while nothing is lost. `merged`:
 * the heads of the plan that stands; `orphaned`: proposals that lost, and COMMITs of epochs that were left; `salvaged`: artifacts of these
 * that as many independent verifiers as their group asked for have found right.
 */
export function reconciliationOf(thread: Thread): Payload<'RECONCILE'> | null {
  const decision = thread.certifiedDecision()
  if (decision === null) return null
  const standing = decision.proposal.toString()
  const commits = all(thread, 'COMMIT').filter(
    ({ envelope }) => (envelope.epoch ?? 0) < decision.epoch
  )
  const offers = all(thread, 'PROPOSE')
  const opened = thread.need.envelope.payload.epoch
  const lost = offers.map(offer => branchOf(thread, offer, { epoch: opened, commits }))
  const stands = offers
    .filter(({ id }) => id === standing)
    .map(offer => branchOf(thread, offer, { epoch: decision.epoch, commits: [] }))
  const { salvaged, ...merged } = reconcile([...stands, ...lost])
  // Whoever has keys can bid, and only workers commit: a crowd of bids hides no COMMIT.
  const orphaned = [
    ...commits.map(({ id }) => id).sort(compareText),
    ...merged.orphaned.map(({ proposal }) => proposal).filter(id => id !== standing)
  ]
  if (merged.stands !== standing || orphaned.length === 0) return null
  // The decision may be known by its votes before there is a DECIDE that the plan counts.
  const heads = [standing, ...thread.plan.open().heads()]
  return {
    merged: listed(heads.filter(id => !orphaned.includes(id))),
    orphaned: listed(orphaned),
    salvaged: listed(salvaged.map(({ artifact }) => artifact))
  }
}

/** A proposal as the branch of an epoch, with what its worker committed there. */
function branchOf(
  thread: Thread,
  { id, envelope }: Admitted<'PROPOSE'>,
  given: { readonly epoch: number; readonly commits: readonly Admitted<'COMMIT'>[] }
): Branch {
  const { task } = thread.need.envelope.payload
  const { sender, lamport, payload } = envelope
  const tasks = payload.patch.flatMap(fact =>
    fact.kind === 'ADD_TASK' ? [{ task: fact.task, type: fact.type }] : []
  )
  const made = given.commits.filter(
    commit => commit.envelope.sender === sender && commit.envelope.payload.task.toString() === id
  )
  return {
    proposal: id,
    proposer: sender,
    lamport,
    epoch: given.epoch,
    tasks: [{ task, type: task }, ...tasks],
    artifacts: made.flatMap(commit => artifactsOf(thread, commit))
  }
}

function artifactsOf(thread: Thread, commit: Admitted<'COMMIT'>): BranchArtifact[] {
  const form = thread
    .forms()
    .find(({ envelope }) => envelope.payload.epoch === commit.envelope.epoch)
  if (form === undefined) return []
  const attesters = attestersOf(thread, commit)
  const needed = form.envelope.payload.kResult
  const { task } = thread.need.envelope.payload
  return commit.envelope.payload.outputs.map(output => ({
    artifact: output.toString(),
    task,
    attesters,
    needed
  }))
}

/** Who has shown a passing verdict on a COMMIT that it had sealed before. */
function attestersOf(thread: Thread, commit: Admitted<'COMMIT'>): string[] {
  const related = [commit.envelope.sender, thread.need.envelope.sender]
  const attests = all(thread, 'ATTEST').filter(
    ({ envelope }) =>
      envelope.payload.commit.toString() === commit.id &&
      envelope.payload.challenge === null &&
      !related.includes(envelope.sender)
  )
  const seals = new Map(
    attests.flatMap(({ envelope: { sender, payload } }) =>
      payload.seal === null ? [] : [[sender, payload.seal] as const]
    )
  )
  const shown = attests.filter(({ envelope: { sender, payload } }) => {
    const { salt, evaluation } = payload
    const seal = seals.get(sender)
    if (seal === undefined || salt === null || evaluation === null) return false
    const opened = { commit: commit.id, verifier: sender, pass: true, evaluation, salt }
    return equals(verdictSeal(opened), seal)
  })
  return [...new Set(shown.map(({ envelope }) => envelope.sender))]
}

function all<V extends Verb>(thread: Thread, verb: V): Admitted<V>[] {
  const found: Admitted<V>[] = []
  for (const { admitted } of thread.envelopes.values())
    if (admitted.verb === verb) found.push(admitted as Admitted<V>)
  return found
}

/** The first ones, each once, as many as a list may have, sorted by their text. */
function listed(ids: readonly string[]): CID[] {
  const chosen = [...new Set(ids)].slice(0, ITEMS_MAX)
  return chosen.sort(compareText).map(id => CID.parse(id))
}

/** The same branches were lost and salvaged. What is merged grows while the plan does, and is no news. */
function isSame(a: Payload<'RECONCILE'>, b: Payload<'RECONCILE'>): boolean {
  return String(a.orphaned) === String(b.orphaned) && String(a.salvaged) === String(b.salvaged)
}
