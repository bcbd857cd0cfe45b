import { toHex } from '../../core/base/index.ts'
import { taggedHash } from '../../core/codec/index.ts'
import { compareChanges } from '../../core/plan/index.ts'
import type { PlanChange, PlanStore } from '../../ports/index.ts'

/** Heads of this twin are hashes of changes, so they compare only with each other. */
const TAG = 'can-swarm/memory-plan/v1'

/** The plan store without Automerge: a map of changes per thread. */
export function memoryPlanStore(): PlanStore {
  const threads = new Map<string, Map<string, PlanChange>>()
  const changesOf = (thread: string): PlanChange[] =>
    [...(threads.get(thread)?.values() ?? [])].sort(compareChanges)
  return {
    start: async () => undefined,
    stop: async () => undefined,
    apply: async (thread, change) => {
      if (change.facts.length === 0) return
      const changes = threads.get(thread) ?? new Map<string, PlanChange>()
      if (!changes.has(change.envelope)) changes.set(change.envelope, change)
      threads.set(thread, changes)
    },
    view: async thread => {
      const changes = changesOf(thread)
      return { heads: changes.map(change => toHex(taggedHash(TAG, change))).sort(), changes }
    },
    // The only copy: this twin has no source to fold it from again.
    drop: async () => undefined,
    save: async thread => new TextEncoder().encode(JSON.stringify(changesOf(thread)))
  }
}
