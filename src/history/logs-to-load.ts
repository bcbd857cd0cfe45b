import type { Offer } from './offers.ts'

/** Whom a newcomer knows: nodes that its user trusts, and peers that it is connected to. */
export type Known = {
  readonly trusted: ReadonlySet<string>
  readonly peers: ReadonlySet<string>
}

/**
 * The logs that are offered, each with its checkpoints, the largest first. The order in which they are loaded: logs of trusted nodes, then those that more witnesses
 * vouch for that are known here, then larger ones. Whoever makes up a log makes up its witnesses as well, but not who is connected, so a log is not put before others by
 * what it says of itself.
 */
export function logsToLoad(offers: readonly Offer[], known: Known): Offer[][] {
  const logs = new Map<string, Offer[]>()
  for (const offer of offers) {
    const { origin } = offer.checked.checkpoint
    logs.set(origin, [...(logs.get(origin) ?? []), offer])
  }
  const ranked = [...logs.values()].map(log => log.sort((a, b) => compareSize(b, a)))
  return ranked.sort(([a], [b]) => (a === undefined || b === undefined ? 0 : compare(a, b, known)))
}

function compare(a: Offer, b: Offer, known: Known): number {
  const trust = Number(isTrusted(b, known)) - Number(isTrusted(a, known))
  return trust || vouchers(b, known) - vouchers(a, known) || compareSize(b, a)
}

function isTrusted({ checked }: Offer, { trusted }: Known): boolean {
  return trusted.has(checked.did)
}

function vouchers({ witnesses }: Offer, { trusted, peers }: Known): number {
  return witnesses.filter(did => trusted.has(did) || peers.has(did)).length
}

function compareSize(a: Offer, b: Offer): number {
  const [one, other] = [a.checked.checkpoint.size, b.checked.checkpoint.size]
  return one < other ? -1 : one > other ? 1 : 0
}
