import { assert, compareText } from '../base/index.ts'

/** One line of how a thread's escrow is paid out. */
export type Payout = {
  readonly to: string
  readonly amount: bigint
  readonly why: 'work' | 'verify' | 'refund'
}

export type Settlement = {
  readonly requester: string
  /** Credits escrowed for the work. */
  readonly budget: bigint
  /** Credits escrowed for verification. */
  readonly verifyBounty: bigint
  /** The decided worker and its price; null when nobody is paid for work. */
  readonly worker: { readonly did: string; readonly cost: bigint } | null
  /** Verifiers who share the bounty, in any order. */
  readonly verifiers: readonly string[]
}

/**
 * Splits the escrow of one thread. What is not earned goes back to the requester, so that the payouts always add up to
 * budget plus bounty (P5). Verifiers get equal whole shares.
 */
export function settle(settlement: Settlement): readonly Payout[] {
  const { requester, budget, verifyBounty, worker, verifiers } = settlement
  assert(worker === null || worker.cost <= budget, 'the decided cost is within the budget')
  const payouts: Payout[] = []
  let left = budget + verifyBounty
  const pay = (to: string, amount: bigint, why: Payout['why']): void => {
    if (amount === 0n) return
    left -= amount
    payouts.push({ to, amount, why })
  }
  if (worker !== null) pay(worker.did, worker.cost, 'work')
  const share = verifiers.length === 0 ? 0n : verifyBounty / BigInt(verifiers.length)
  for (const verifier of [...verifiers].sort(compareText)) pay(verifier, share, 'verify')
  pay(requester, left, 'refund')
  assert(left === 0n, 'payouts add up to the escrow')
  return payouts
}
