import type { Certified } from './checkers/certificate-verifier.ts'
import type { Findings } from './checkers/violation.ts'
import type { Watch } from './checkers/watch.ts'
import type { Plan } from './plan.ts'
import { FRESH_SLOT, hasFresh, LASTING_SLOT } from './tried.ts'
import type { VirtualNode } from './virtual-node.ts'
import { START_MS } from './world.ts'

/** What a NEED takes to its COMMIT, in ms, if nothing holds it up. */
const EPOCH_MS = 8_000
/** How long after the faults a NEED that is stated then has to be final, in ms. */
const FRESH_WITHIN_MS = 45_000

/** P6, the better half of it: threads end, and by certificates. Giving up is an end only where there is a reason to. */
export class ProgressChecker {
  readonly #plan: Plan
  readonly #watch: Watch
  readonly #findings: Findings

  constructor(plan: Plan, watch: Watch, findings: Findings) {
    this.#plan = plan
    this.#watch = watch
    this.#findings = findings
  }

  /** To be asked when all threads have ended. */
  check(nodes: readonly VirtualNode[]): void {
    if (isHarmless(this.#plan)) this.#checkAll()
    if (hasFresh(this.#plan)) this.#checkFresh()
    this.#checkLasting(nodes)
  }

  /** Where nothing was disturbed, a NEED comes to a certified end; of those that share a slot one does, whichever formed its group first. */
  #checkAll(): void {
    const { certified, needs } = this.#watch.decisions
    const scoped = (sender: string | undefined, slot: string): string => `${sender}/${slot}`
    const ended = new Set(
      [...certified.values()].flatMap(({ stage, thread, slot }) =>
        stage === 'outcome' ? [scoped(needs.get(thread)?.sender, slot)] : []
      )
    )
    for (const { sender, payload } of needs.values()) {
      const slot = scoped(sender, payload.slot)
      if (!ended.has(slot))
        this.#findings.report(
          'liveness',
          `nothing is wrong, and ${slot} ends without a certificate`
        )
    }
  }

  /** Who states a NEED when the faults are over gets its result. */
  #checkFresh(): void {
    const healedAt = START_MS + this.#plan.endMs
    const outcome = this.#outcomeOf(FRESH_SLOT)
    const isFinal =
      outcome?.body.result === 'FINAL' && outcome.body.stamp < healedAt + FRESH_WITHIN_MS
    if (!isFinal)
      this.#findings.report(
        'liveness',
        `a NEED that is stated after the faults is not final in ${FRESH_WITHIN_MS} ms: ${endText(outcome, healedAt)}`
      )
  }

  /** What is asked for before the faults, and has time left after them, ends by a certificate, and not for want of time. */
  #checkLasting(nodes: readonly VirtualNode[]): void {
    if (mayRuinGroups(this.#plan)) return
    const need = [...this.#watch.decisions.needs.values()].find(
      ({ payload }) => payload.slot === LASTING_SLOT
    )
    // A crash may have come before it was on the disk: then nobody was told that it is stated.
    if (need === undefined || !nodes.some(node => hasKept(node, need.id))) return
    const outcome = this.#outcomeOf(LASTING_SLOT)
    if (outcome === undefined || outcome.body.stamp >= need.payload.expiresAt)
      this.#findings.report(
        'liveness',
        `a NEED from before the faults does not go on after them: ${endText(outcome, START_MS + this.#plan.endMs)}`
      )
  }

  #outcomeOf(slot: string): Certified | undefined {
    return [...this.#watch.decisions.certified.values()].find(
      certified => certified.stage === 'outcome' && certified.slot === slot
    )
  }
}

function hasKept({ swarm, archive }: VirtualNode, thread: string): boolean {
  return swarm.has(thread) || archive.has(thread)
}

function endText(outcome: Certified | undefined, healedAt: number): string {
  if (outcome === undefined) return 'it has no certificate'
  const { result, reason, stamp } = outcome.body
  return `${result} after ${stamp - healedAt} ms in epoch ${outcome.epoch}: ${reason}`
}

/**
 * Whether lies may leave a group for good: without a log that its members agree on, who have voted for different decisions then, so that no other group takes
 * over; or with more members that do not join than a quorum does without.
 */
function mayRuinGroups({ liars }: Plan): boolean {
  return (
    liars.some(({ fault }) => fault === 'leader') ||
    liars.filter(({ fault }) => fault === 'absentee').length > 1
  )
}

/** Copies keep nobody from anything; and one member that does not join costs an epoch, where there are others and time. */
function isHarmless({ faults, liars, nodes, needs, settings }: Plan): boolean {
  const hasOthers = liars.length === 1 && nodes - liars.length > settings.groupSize
  const hasTime = needs.every(({ expiresMs }) => expiresMs > settings.joinMs + EPOCH_MS)
  return faults.every(fault => fault === 'copier' || (fault === 'absentee' && hasOthers && hasTime))
}
