/**
 * Entry of a child process of the plan bench: a node of all real parts on which others' updates are written, and stock Automerge with the same
 * facts. Each order is answered by one message.
 */
import { setTimeout as delay } from 'node:timers/promises'
import * as A from '@automerge/automerge'
import { nodeSigner } from '../../src/adapters/ed25519/index.ts'
import { CID } from '../../src/core/codec/index.ts'
import type { Fact } from '../../src/core/envelope/index.ts'
import { notes, openNeed, speakChain, startPlanNode } from '../support/plan-node.ts'
import { rawDocument, serveRaw } from './raw-automerge.ts'

export type PlanOrder = {
  readonly writers: number
  readonly updates: number
  readonly facts: number
  /** Seed of the first writer. */
  readonly from: number
}

/** Waits until the document of a thread has so many envelopes. */
export type PlanWait = { readonly thread: string; readonly envelopes: number }

export type PlanOffer = {
  readonly address: string
  readonly thread: string
  readonly need: Uint8Array
  readonly envelopes: number
  readonly rawPort: number
  readonly rawHeads: string
}

/** Writers whose updates are signed at once. */
const WRITERS_AT_ONCE = 10

export const BENCH_NETWORK = 'plan-bench'

if (process.send !== undefined) {
  const node = await startPlanNode({
    networkName: BENCH_NETWORK,
    unplug: ['gossip', 'pull', 'consensus']
  })
  process.on('message', async (order: PlanOrder | PlanWait) => {
    if ('envelopes' in order) {
      const count = async (): Promise<number> =>
        (await node.plan.view(order.thread)).envelopes.length
      while ((await count()) < order.envelopes) await delay(2)
      process.send?.({ done: true })
      return
    }
    const thread = await openNeed(node)
    const groups: Fact[][] = []
    const write = async (writer: number): Promise<void> => {
      const updates = await speakChain(node.policy, writerOf(order.from + writer), {
        thread: CID.parse(thread),
        count: order.updates,
        facts: seq => factsOf(writer, seq, order.facts)
      })
      for (const { bytes, envelope } of updates) {
        groups.push([...envelope.payload.facts])
        await node.driver.door.admit(bytes, 'bench', 'plan')
      }
    }
    const writers = Array.from({ length: order.writers }, (_, writer) => writer)
    for (let at = 0; at < writers.length; at += WRITERS_AT_ONCE)
      await Promise.all(writers.slice(at, at + WRITERS_AT_ONCE).map(write))
    await node.driver.settled()
    const raw = rawDocument(groups)
    const { port } = await serveRaw(raw)
    const need = await node.threads.envelope(thread, thread)
    const { envelopes } = await node.plan.view(thread)
    process.send?.({
      address: node.address,
      thread,
      need: need?.bytes,
      envelopes: envelopes.length,
      rawPort: port,
      rawHeads: A.getHeads(raw).join()
    })
  })
  process.on('disconnect', () => process.exit())
  process.send({ ready: true })
}

/** The writer of a number; the same in every process. */
export function writerOf(number: number): ReturnType<typeof nodeSigner> {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number + 1)
  return nodeSigner(seed)
}

export function factsOf(writer: number, seq: number, count: number): Fact[] {
  return notes(`task-${writer}-${seq}`, count)
}
