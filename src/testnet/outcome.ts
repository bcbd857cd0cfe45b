import { setTimeout as delay } from 'node:timers/promises'
import { waitForThread } from '../agents/index.ts'
import { TERMINAL, type ThreadView } from '../core/swarm/index.ts'
import { AGREE_TIMEOUT_MS } from './limits.ts'
import type { NodeProcess } from './node-process.ts'

/** What every node must agree on about an ended thread. FINALIZE may come in several envelopes that say the same. */
export function outcomeOf(view: ThreadView): string {
  const { phase, decide, commit, finalize, group } = view
  return JSON.stringify({
    phase,
    decide: decide && [decide.proposal, decide.epoch, decide.term, decide.index],
    commit: commit?.id ?? null,
    outputs: commit?.outputs ?? [],
    result: finalize?.result ?? null,
    payouts: finalize?.payouts ?? [],
    group: group?.id ?? null
  })
}

/** Waits until the other nodes have ended the thread too. Returns a sentence for each that did not, or ended it otherwise. */
export async function disagreements(
  nodes: readonly NodeProcess[],
  view: ThreadView,
  signal: AbortSignal
): Promise<string[]> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(AGREE_TIMEOUT_MS)])
  const expected = outcomeOf(view)
  const problems = nodes.map(async node => {
    const other = await endOn(node, view.thread, late)
    if (other === null) return `${node.name} has not seen the end of the thread`
    return outcomeOf(other) === expected ? null : `${node.name} ended it otherwise: ${other.phase}`
  })
  return (await Promise.all(problems)).filter(problem => problem !== null)
}

async function endOn(
  node: NodeProcess,
  thread: string,
  signal: AbortSignal
): Promise<ThreadView | null> {
  while (!signal.aborted) {
    try {
      const until = (view: ThreadView): boolean =>
        TERMINAL.has(view.phase) && view.finalize !== null
      return await waitForThread(node.client, thread, { signal, until })
    } catch {
      // It may not have heard of the thread yet.
      await delay(100, null, { signal }).catch(() => undefined)
    }
  }
  return null
}
