import { setTimeout as delay } from 'node:timers/promises'
import { waitForThread } from '../agents/index.ts'
import { TERMINAL, type ThreadView } from '../core/swarm/index.ts'
import { AGREE_TIMEOUT_MS } from './limits.ts'
import type { NodeProcess } from './node-process.ts'

/**
 * What two nodes say differently about the end of a thread, or null. FINALIZE may come in several envelopes that say the same,
 * and a node that has the certificate may still lack the log: what it does not know yet is no difference.
 */
export function difference(a: ThreadView, b: ThreadView): string | null {
  const end = ({ phase, finalize }: ThreadView): unknown => [
    phase,
    finalize?.result ?? null,
    finalize?.payouts ?? null
  ]
  const pairs: [unknown, unknown][] = [[end(a), end(b)]]
  if (a.decide !== null && b.decide !== null) pairs.push([place(a.decide), place(b.decide)])
  if (a.commit !== null && b.commit !== null) pairs.push([a.commit.id, b.commit.id])
  const texts = pairs.map(pair => pair.map(one => JSON.stringify(one)) as [string, string])
  const [one, other] = texts.find(([left, right]) => left !== right) ?? []
  return one === undefined ? null : `${one} is not ${other}`
}

function place(decide: NonNullable<ThreadView['decide']>): unknown {
  return [decide.proposal, decide.epoch, decide.term, decide.index]
}

/** Waits until the other nodes have ended the thread too. Returns a sentence for each that did not, or ended it otherwise. */
export async function disagreements(
  nodes: readonly NodeProcess[],
  view: ThreadView,
  signal: AbortSignal
): Promise<string[]> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(AGREE_TIMEOUT_MS)])
  const problems = nodes.map(async node => {
    const other = await endOn(node, view.thread, late)
    if (other === null) return `${node.name} has not seen the end of the thread`
    const what = difference(view, other)
    return what === null ? null : `${node.name} ended it otherwise: ${what}`
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
