import { planEntryOf } from '../core/plan/index.ts'
import { warnOfCapsule } from './capsule-warning.ts'
import type { NodeParts } from './node-parts.ts'

/** Keeps the plan documents in step with admitted envelopes. The store is lazy: an idle node has no Automerge in memory. */
export function keepPlans({ driver, swarm, plan, logger }: NodeParts): () => void {
  return driver.onEvent(event => {
    if (event.type === 'archived' || event.type === 'let-go') {
      plan.drop(event.thread).catch(() => undefined)
      return
    }
    if (event.type !== 'envelope' || event.thread === null) return
    const { thread, id } = event
    const admitted = swarm.envelope(thread, id)
    const entry = admitted && planEntryOf(thread, admitted)
    if (entry == null) return
    plan.apply(thread, entry).catch((error: unknown) => {
      logger.warn(
        'facts did not reach the plan document; it is rebuilt when it is next looked at',
        { thread, error: String(error) }
      )
    })
  })
}

/** Keeps the plan documents of nodes in step with each other; before the network starts. */
export function syncPlans({ driver, network, planSync }: NodeParts): () => void {
  if (planSync === null) return () => undefined
  planSync.start()
  network.onPeer((did, connected) => planSync.onPeer(did, connected))
  const stop = driver.onEvent(event => planSync.onEvent(event))
  return () => {
    stop()
    planSync.stop()
  }
}

/** A requester keeps what it paid for: outputs of its own FINAL threads are pinned, which fetches them. */
export function keepResults({ driver, swarm, artifacts, signer, logger }: NodeParts): () => void {
  return driver.onEvent(event => {
    if (event.type !== 'ended' || event.phase !== 'FINAL') return
    const view = swarm.view(event.thread)
    if (view === undefined || view.requester !== signer.did) return
    for (const output of view.commit?.outputs ?? []) {
      artifacts.pin(output, `result of ${event.thread}`).catch((error: unknown) => {
        logger.warn('an output could not be fetched and pinned', { output, error: String(error) })
      })
    }
  })
}

/** What a NEED is judged by is here before there is a result to judge. */
export function keepCapsules(parts: NodeParts): () => void {
  const { driver, swarm, capsules, policy } = parts
  return driver.onEvent(event => {
    if (event.type !== 'envelope' || event.verb !== 'NEED') return
    const capsule = swarm.view(event.id)?.capsule
    if (capsule === undefined || capsule === policy.baseCapsule) return
    void capsules.want(capsule).then(error => {
      if (error !== null) warnOfCapsule(parts, event.id, error)
    })
  })
}
