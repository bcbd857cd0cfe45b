import type { Phase, ThreadSummary, ThreadView } from '../core/swarm/index.ts'
import { ENDED } from './follow.ts'
import { type Output, type Style, shortId } from './output.ts'

/** How a thread ended: the result, what came out, who is paid, or why not. */
export function showOutcome(out: Output, view: ThreadView): void {
  if (out.options.quiet) {
    for (const output of view.commit?.outputs ?? []) if (isGood(view)) out.line(output)
    return
  }
  out.line(`${phaseText(out, view.phase)}  ${reasonText(view)}`)
  if (view.void !== null) out.line(voidText(out, view.void))
  for (const output of view.commit?.outputs ?? []) out.line(`output  ${output}`)
  for (const payout of view.finalize?.payouts ?? [])
    out.line(`payout  ${payout.amount} to ${shortId(payout.to)} for ${payout.why}`)
  if (view.phase === 'EXPIRED') noteUnattested(out, view)
}

/** Whether a thread brought what its NEED asked for: what is void counts for nothing. */
export function isGood({ phase, void: voided }: ThreadView): boolean {
  return phase === 'FINAL' && voided === null
}

function voidText(out: Output, { reason, evidence }: NonNullable<ThreadView['void']>): string {
  return `${out.style('red', 'VOID')}  ${reason}; evidence ${shortId(evidence)}`
}

/** Whether there is no verifier, or the bid gate said no, the log does not tell. */
function noteUnattested(out: Output, view: ThreadView): void {
  const unwanted = unattestedBid(view)
  if (unwanted === null) return
  out.note(
    `a policy that denies a bid is silent; ask it with "can-swarm policy explain ${view.thread}/${unwanted}"`
  )
}

/** A bid of a thread in which nobody has attested any. */
function unattestedBid({ decide, proposals }: ThreadView): string | null {
  if (decide !== null) return null
  if (proposals.some(({ attestations }) => attestations.length > 0)) return null
  return proposals.find(({ logged }) => logged)?.id ?? null
}

/** One screen about a thread: where it stands and why. */
export function showThread(out: Output, view: ThreadView): void {
  const { group, decide, lease, commit } = view
  out.facts([
    ['thread', view.thread],
    ['phase', `${phaseText(out, view.phase)}: ${reasonText(view)}`],
    ['void', view.void && `${view.void.reason}; evidence ${shortId(view.void.evidence)}`],
    ['task', `${view.task}, slot ${view.slot}, epoch ${view.epoch}`],
    ['requester', view.requester],
    ['budget', `${view.budget}, verify bounty ${view.verifyBounty}`],
    ['expires', new Date(view.expiresAt).toISOString()],
    ['inputs', view.inputs.join(' ')],
    [
      'group',
      group &&
        `${group.roster.map(shortId).join(' ')}${leaderText(view)}, term ${group.term}, ${group.applied} entries`
    ],
    [
      'proposals',
      view.proposals
        .map(
          one =>
            `${shortId(one.worker)} for ${one.cost}, ${one.attestations.length} attestation${one.attestations.length === 1 ? '' : 's'}, ${view.kPlan} needed`
        )
        .join('; ') || null
    ],
    [
      'decided',
      decide &&
        `${shortId(decide.worker)} in term ${decide.term} at ${decide.index}, ${decide.certified ? `certified by ${decide.signers.length}` : 'not certified yet'}`
    ],
    [
      'lease',
      lease && `${shortId(lease.holder)}, ${lease.progress} %, fence ${lease.fence.join('.')}`
    ],
    ['outputs', commit?.outputs.join(' ') ?? null],
    [
      'verdicts',
      view.verdicts.map(one => `${shortId(one.verifier)} ${verdictText(one)}`).join('; ') || null
    ],
    [
      'challenges',
      view.challenges
        .map(one => `${one.type} by ${shortId(one.challenger)}: ${one.status}`)
        .join('; ') || null
    ],
    [
      'payouts',
      view.finalize?.payouts
        .map(one => `${one.amount} to ${shortId(one.to)} for ${one.why}`)
        .join('; ') || null
    ],
    [
      'evidence',
      view.evidence
        .map(one => `${one.offence} by ${one.convicted.map(shortId).join(' ')}`)
        .join('; ') || null
    ],
    ['divergence', view.divergences.map(divergenceText).join('; ') || null],
    ['warnings', view.warnings.join('; ') || null]
  ])
  if (view.phase === 'BIDDING' || view.phase === 'EXPIRED') noteUnattested(out, view)
}

/** A thread's phase and reason in one row of a list; that it is void says more than what it came to. */
export function rowText(out: Output, line: ThreadSummary): readonly [string, string] {
  const phase = phaseText(out, line.phase)
  if (line.void === null) return [phase, reasonText(line)]
  return [`${phase} ${out.style('red', 'VOID')}`, line.void.reason]
}

/** Why a thread is where it is, to stand behind its phase. */
export function reasonText({ phase, reason }: Pick<ThreadView, 'phase' | 'reason'>): string {
  return phase === 'EXPIRED' ? reason.replace(/^expired: /u, '') : reason
}

/** Who evaluated it how: equal digests together. */
function divergenceText({ gate, subject, evaluations }: ThreadView['divergences'][number]): string {
  const groups = evaluations.map(
    ({ digest, by }) => `${digest.slice(0, 8)} by ${by.map(shortId).join(' ')}`
  )
  return `${gate} gate of ${shortId(subject)}: ${groups.join(', ')}`
}

/** A group that has ended needs no leader. */
function leaderText({ group, phase }: ThreadView): string {
  const leader = group?.leader ?? null
  if (leader !== null) return `, leader ${shortId(leader)}`
  return ENDED.has(phase) ? '' : ', leader unknown'
}

export function phaseText(out: Output, phase: Phase): string {
  const styles: Partial<Record<Phase, Style>> = { FINAL: 'green', INVALID: 'red', EXPIRED: 'red' }
  return out.style(styles[phase] ?? 'cyan', phase)
}

function verdictText(verdict: ThreadView['verdicts'][number]): string {
  if (verdict.pass === null) return verdict.sealed ? 'sealed' : 'silent'
  return verdict.pass ? 'passes' : `fails (${verdict.reasons.join(', ')})`
}
