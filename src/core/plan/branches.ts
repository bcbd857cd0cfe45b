import { compareBranches } from './reconcile.ts'
import { STANDING, type Standing } from './source.ts'
import type { BranchView, PlanChange } from './types.ts'

/** The standing of what a change says. */
export type Ranks = (change: PlanChange) => Standing

type Branch = { readonly offer: PlanChange; readonly epoch: number }

/**
 * Proposals and what was decided of them. A proposal's facts are a branch of the plan: they count once a group has decided it, and
 * where a partition let two groups decide, one branch stands and the others are orphaned.
 */
export class PlanBranches {
  #requester: string | null = null
  readonly #offers = new Map<string, PlanChange>()
  /** The highest epoch that decided a proposal. */
  readonly #epochs = new Map<string, number>()
  /** Decided proposals that are here, the one that stands first. */
  #decided: readonly Branch[] = []
  /** Senders and ids of the proposals that lost. */
  #losers: ReadonlySet<string> = new Set()

  /** Takes what an envelope does. True when that may change what counts, or whose word goes first. */
  add(change: PlanChange): boolean {
    const { act, envelope, sender } = change
    if (act?.kind === 'open') {
      this.#requester = sender
      return true
    }
    if (act?.kind === 'offer') {
      this.#offers.set(envelope, change)
      return this.#epochs.has(envelope) && this.#arrange()
    }
    if (act?.kind !== 'decide' || (this.#epochs.get(act.proposal) ?? -1) >= act.epoch) return false
    this.#epochs.set(act.proposal, act.epoch)
    return this.#arrange()
  }

  /** The branch that stands, then the orphaned ones. */
  decided(): readonly PlanChange[] {
    return this.#decided.map(({ offer }) => offer)
  }

  /** The epoch of the decision that stands; null before there is one. */
  epoch(): number | null {
    return this.#decided[0]?.epoch ?? null
  }

  /** Whose word goes first, as of now: a later change of it changes nothing of what was returned. */
  ranks(): Ranks {
    const requester = this.#requester
    const winner = this.#decided[0]?.offer
    const losers = this.#losers
    return ({ act, envelope, sender }) => {
      if (act?.kind === 'decide' || act?.kind === 'end')
        return losers.has(act.proposal) ? STANDING.orphaned : STANDING.insider
      if (act?.kind === 'offer' && envelope !== winner?.envelope) return STANDING.orphaned
      if (sender === requester || sender === winner?.sender) return STANDING.insider
      return losers.has(sender) ? STANDING.orphaned : STANDING.stranger
    }
  }

  view(): BranchView[] {
    const epoch = this.epoch()
    return this.#decided.map(({ offer, epoch: own }, at) => ({
      proposal: offer.envelope,
      proposer: offer.sender,
      epoch: own,
      orphanedByEpoch: at === 0 ? null : epoch
    }))
  }

  #arrange(): true {
    const branches = [...this.#epochs].flatMap(([proposal, epoch]) => {
      const offer = this.#offers.get(proposal)
      return offer === undefined ? [] : [{ offer, epoch }]
    })
    this.#decided = branches.sort((a, b) => compareBranches(keyOf(a), keyOf(b)))
    this.#losers = new Set(
      this.#decided.slice(1).flatMap(({ offer }) => [offer.sender, offer.envelope])
    )
    return true
  }
}

function keyOf({ offer, epoch }: Branch): Parameters<typeof compareBranches>[0] {
  return { epoch, lamport: offer.lamport, proposer: offer.sender, proposal: offer.envelope }
}
