import type { SwarmEvent, ThreadView } from '../../src/core/swarm/index.ts'
import {
  forwardEvents,
  type Handlers,
  METHOD_NAMES,
  type NodeStatus,
  RefusedError,
  type RequestContext
} from '../../src/rpc/index.ts'

/** A CID, a DID and a thread that look real. */
export const CID_A = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
export const CID_B = 'bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgf5kpqcsgz7soitae'
export const CID_C = 'bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae'
export const DID_A = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
export const DID_B = 'did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw'

/** Handlers that refuse everything but what a test gives them. */
export function fakeHandlers(given: Partial<Handlers> = {}): Handlers {
  const refuse = (method: string) => () =>
    Promise.reject(new RefusedError({ code: 'NOT_FAKED', message: `${method} is not faked` }))
  const all = Object.fromEntries(METHOD_NAMES.map(method => [method, refuse(method)]))
  return { ...(all as unknown as Handlers), ...given }
}

/** A source of events that a test drives. */
export class FakeEvents {
  readonly listeners = new Set<(event: SwarmEvent) => void>()

  subscribe = (context: RequestContext): Promise<never> =>
    forwardEvents(context, listener => {
      this.listeners.add(listener)
      return () => this.listeners.delete(listener)
    })

  emit(event: SwarmEvent): void {
    for (const listener of this.listeners) listener(event)
  }
}

export function fakeStatus(given: Partial<NodeStatus> = {}): NodeStatus {
  return {
    version: '0.1.0',
    pid: 4242,
    did: DID_A,
    home: '/home/someone/.local/share/can-swarm',
    network: 'main',
    startedAt: 1_700_000_000_000,
    uptimeMs: 65_000,
    startupMs: 321,
    addresses: ['/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWJ'],
    peers: 2,
    threads: { open: 1, ended: 3 },
    agents: ['worker text/language'],
    stats: {
      connections: 2,
      topicSubscribers: 2,
      meshPeers: 2,
      dhtPeers: 2,
      sendQueue: 0,
      dropped: 0
    },
    rssBytes: 104_857_600,
    journalBytes: 4096,
    planSync: { said: 7, heard: 5, brought: 320, lies: 0 },
    ...given
  }
}

export function fakeThread(given: Partial<ThreadView> = {}): ThreadView {
  return {
    thread: CID_B,
    slot: 'slot-1',
    epoch: 0,
    phase: 'BIDDING',
    reason: 'waits for proposals',
    void: null,
    requester: DID_A,
    openedAt: 0,
    task: 'text/language',
    requires: ['text/language'],
    inputs: [CID_A],
    refs: [CID_A],
    terms: null,
    budget: '100',
    verifyBounty: '10',
    windows: {
      bidMs: 500,
      leaseTtlMs: 5000,
      verifyMs: 5000,
      sealMs: 200,
      revealMs: 1000,
      challengeMs: 500
    },
    expiresAt: 1_700_000_600_000,
    capsule: CID_A,
    taskClass: 'deterministic',
    solo: false,
    kPlan: 1,
    kResult: 1,
    group: null,
    proposals: [],
    decide: null,
    lease: null,
    commit: null,
    verdicts: [],
    challenges: [],
    finalize: null,
    envelopes: [{ id: CID_B, verb: 'NEED', sender: DID_A, lamport: 1, seenAt: 1_700_000_000_000 }],
    reconciles: [],
    evidence: [],
    divergences: [],
    warnings: [],
    ...given
  }
}
