import { forwardEvents, type Handlers } from '../../rpc/index.ts'
import { doctor } from '../doctor.ts'
import type { ManifestKeeper } from '../manifest.ts'
import type { NodeParts } from '../node-parts.ts'
import { VERSION } from '../version.ts'

type NodeMethods = Extract<
  keyof Handlers,
  `node.${string}` | `peers.${string}` | `events.${string}`
>

export type NodeHandlersInit = {
  readonly parts: NodeParts
  readonly manifest: ManifestKeeper
  readonly startedAt: number
  readonly startupMs: () => number
  /** Asks the process to stop, after the answer has left. */
  readonly requestStop: () => void
}

export function nodeHandlers({
  parts,
  manifest,
  startedAt,
  startupMs,
  requestStop
}: NodeHandlersInit): Pick<Handlers, NodeMethods> {
  const { network, driver, threads, config } = parts
  return {
    'node.id': async () => ({
      did: parts.signer.did,
      peerId: network.peerId,
      addresses: [...network.addresses()]
    }),
    'node.status': async () => {
      return {
        version: VERSION,
        pid: process.pid,
        did: parts.signer.did,
        home: config.home.dir,
        network: config.network.name,
        startedAt,
        uptimeMs: Date.now() - startedAt,
        startupMs: startupMs(),
        addresses: [...network.addresses()],
        peers: network.peers().length,
        threads: threads.counts(),
        agents: manifest.capabilities(),
        stats: network.stats(),
        rssBytes: process.memoryUsage.rss(),
        journalBytes: parts.journal.size(),
        planSync: parts.planSync?.stats() ?? null
      }
    },
    'node.doctor': async () => ({ checks: await doctor(parts) }),
    'node.stop': async () => {
      requestStop()
      return { stopping: true }
    },
    'peers.list': async () => [...network.peers()],
    'peers.join': async ({ address }) => {
      await network.join(address)
      return { joined: address }
    },
    'peers.ping': async ({ did }) => ({ rttMs: await network.ping(did) }),
    'events.subscribe': (_, context) => forwardEvents(context, listener => driver.onEvent(listener))
  }
}
