import type { SwarmClient } from '../rpc/index.ts'

const workloads = new WeakMap<SwarmClient, Set<string>>()

/**
 * The threads that the workers of one node have bid on or been decided for, and that are not over. It makes their bids slower, so that
 * work spreads over those who are free; nothing else follows from it.
 */
export function workloadOf(client: SwarmClient): Set<string> {
  const known = workloads.get(client) ?? new Set<string>()
  workloads.set(client, known)
  return known
}
