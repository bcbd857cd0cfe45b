import { TERMINAL, type ThreadView } from '../core/swarm/index.ts'

/** What a worker should do about a thread now. */
export type WorkerStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'propose' }
  | { readonly kind: 'claim' }
  /** This worker holds the lease with this fence. */
  | { readonly kind: 'work'; readonly lease: string }
  /** Failed too often here. */
  | { readonly kind: 'give-up' }
  | { readonly kind: 'ended' }

/** Who looks. */
export type WorkerRole = {
  readonly did: string
  readonly price: string
  readonly failuresMax: number
}

/** The next step of a worker: a function of the thread alone, so that a restarted worker takes the same one. */
export function workerStep(view: ThreadView, role: WorkerRole): WorkerStep {
  if (TERMINAL.has(view.phase)) return { kind: 'ended' }
  // What is decided there counts for nothing: the work would be for nobody.
  if (view.void !== null) return { kind: 'wait' }
  // A requester does not pay itself; alone in single-node mode it may.
  if (view.requester === role.did && !view.solo) return { kind: 'wait' }
  switch (view.phase) {
    case 'OPEN':
    case 'BIDDING':
      return { kind: mayPropose(view, role) ? 'propose' : 'wait' }
    case 'DECIDED':
      if (view.decide?.worker !== role.did || !view.decide.certified) return { kind: 'wait' }
      return { kind: failuresOf(view, role.did) >= role.failuresMax ? 'give-up' : 'claim' }
    case 'CLAIMED':
      if (view.lease?.holder !== role.did) return { kind: 'wait' }
      return { kind: 'work', lease: leaseKey(view) ?? '' }
    default:
      return { kind: 'wait' }
  }
}

/** Names the current lease: its fencing token. Null when there is none. */
function leaseKey(view: ThreadView): string | null {
  return view.lease === null ? null : view.lease.fence.join('.')
}

function mayPropose(view: ThreadView, role: WorkerRole): boolean {
  const bid = view.proposals.some(proposal => proposal.worker === role.did)
  return !bid && BigInt(role.price) <= BigInt(view.budget)
}

/** Each failure ends in a YIELD, so the thread itself remembers them. */
function failuresOf(view: ThreadView, did: string): number {
  return view.envelopes.filter(({ verb, sender }) => verb === 'YIELD' && sender === did).length
}
