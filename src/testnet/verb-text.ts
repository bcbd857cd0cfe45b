import type { ThreadView } from '../core/swarm/index.ts'

/** One verb as it was seen. */
export type SeenVerb = {
  readonly id: string
  readonly verb: string
  readonly sender: string
  readonly atMs: number
}

/** What a verb means in a few words, with what the thread says about it. */
export function verbText(seen: SeenVerb, view: ThreadView): string {
  switch (seen.verb) {
    case 'NEED':
      return `wants ${view.task} done, pays up to ${view.budget}`
    case 'FORM':
      return `forms a group of ${view.group?.roster.length ?? 0} to decide it`
    case 'PROPOSE':
      return `offers to do it for ${view.proposals.find(one => one.id === seen.id)?.cost ?? '?'}`
    case 'ATTEST_PLAN':
      return 'finds a proposal sound'
    case 'DECIDE':
      return 'shows that exactly one proposal is decided, with a certificate'
    case 'CLAIM':
      return 'takes the lease of the task'
    case 'HEARTBEAT':
      return 'is still at it'
    case 'YIELD':
      return 'gives the task back'
    case 'UPDATE_PLAN':
      return 'says how far the plan is'
    case 'COMMIT':
      return 'commits the result'
    case 'ATTEST':
      return isReveal(seen, view) ? 'reveals its verdict: the same result' : 'seals its verdict'
    case 'REJECT':
      return 'reveals its verdict: another result'
    case 'CHALLENGE':
      return 'challenges the result'
    case 'RECONCILE':
      return 'says what became of the proposals of an epoch that was left'
    case 'FINALIZE':
      return 'closes the thread, with a certificate and payouts'
    case 'INVALIDATE':
      return 'voids the result, with a certificate'
    default:
      return ''
  }
}

/** A verifier says ATTEST twice: first sealed, then revealed. */
function isReveal(seen: SeenVerb, view: ThreadView): boolean {
  const own = view.envelopes.filter(
    ({ verb, sender }) => verb === 'ATTEST' && sender === seen.sender
  )
  return own.length > 1 && own[0]?.id !== seen.id
}
