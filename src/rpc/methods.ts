import type { PlanChange, PlanExcerpt, PlanGraph, PlanView, TaskView } from '../core/plan/index.ts'
import type { Gate, PolicyDecision, PolicyInput } from '../core/policy/index.ts'
import type { Offence } from '../core/roster/index.ts'
import type { SwarmEvent, ThreadSummary, ThreadView } from '../core/swarm/index.ts'
import type {
  AddProgress,
  AddResult,
  GcResult,
  NetworkStats,
  PeerInfo,
  PinInfo
} from '../ports/index.ts'
import type { FactText } from './facts.ts'

/**
 * The JSON-RPC 2.0 methods of a node: name -> [params, result]. One JSON object per line over a Unix socket (mode 0600).
 * CIDs and DIDs are text, amounts decimal strings, bytes base64. A long call may send notifications
 * `{"method":"progress","params":{"id":<request id>,"data":<Progress>}}` before its result; closing the connection or
 * `{"method":"cancel","params":{"id"}}` aborts it.
 */
export interface Methods {
  'node.id': [Record<string, never>, { did: string; peerId: string; addresses: string[] }]
  'node.status': [Record<string, never>, NodeStatus]
  'node.doctor': [Record<string, never>, { checks: DoctorCheck[] }]
  'node.stop': [Record<string, never>, { stopping: true }]
  'peers.list': [Record<string, never>, PeerInfo[]]
  'peers.join': [{ address: string }, { joined: string }]
  'peers.ping': [{ did: string }, { rttMs: number }]
  /** Progress: SwarmEvent, for as long as the connection lives. Never results. */
  'events.subscribe': [Record<string, never>, never]
  'need.state': [NeedRequest, { thread: string }]
  /** `epoch`: the one that begins. */
  'need.reform': [{ thread: string }, { epoch: number }]
  /** `before`: threads that stand after this one in the list. `open`: only those that have not ended. */
  'threads.list': [{ limit?: number; before?: string; open?: boolean }, ThreadSummary[]]
  'thread.get': [{ thread: string }, ThreadView]
  /** Writes the thread's record as signed JSON Lines and returns where. `recipient`: sealed to this DID; `classical`: by X25519 alone. */
  'thread.record': [
    {
      thread: string
      path?: string
      artifacts?: boolean
      recipient?: string
      classical?: boolean
    },
    {
      path: string
      lines: number
      complete: boolean
      /** Capsules that the record brings along. */
      capsules: number
      /** CAR with the artifacts, and their CIDs; null when they were not asked for. */
      car: string | null
      artifacts: string[]
      /** Sealed by ML-KEM-768 too, or by X25519 alone; null when it was not sealed. */
      hybrid: boolean | null
    }
  ]
  /** `refs`: what shows that the facts hold, such as the FINALIZE of the NEED that made an artifact. */
  'plan.add': [{ thread: string; facts: FactText[]; refs?: string[] }, { envelope: string }]
  /** The tasks and their order. Of a plan that strangers have filled, a part: what insiders say first; `left` is what is not in it. `insiders`: requester and decided worker; what others note of a task is only what they say. */
  'plan.get': [
    { thread: string },
    {
      heads: string[]
      view: PlanView
      graph: PlanGraph
      left: PlanExcerpt['left']
      insiders: string[]
    }
  ]
  /** One task; `left` of its inputs, outputs and notes are left out. `blockers`: what it waits for that is not FINAL; null when it has begun or is not to. */
  'plan.task': [
    { thread: string; task: string },
    {
      task: TaskView
      left: number
      ancestors: string[]
      descendants: string[]
      blockers: string[] | null
    }
  ]
  /**
   * What envelopes state, in order of arrival, in parts: while `next` is not null, ask again with it as `after`. `envelope`, `sender`: only
   * what these say.
   */
  'plan.changes': [
    { thread: string; envelope?: string; sender?: string; after?: string },
    { changes: PlanChange[]; next: string | null }
  ]
  /** The newest stage that is certified unless one is named. `base64`: canonical DAG-CBOR of a certificate file. `void`: see ThreadView. */
  'certificate.get': [
    { thread: string; stage?: 'decide' | 'outcome' },
    { stage: 'decide' | 'outcome'; base64: string; void: ThreadView['void'] }
  ]
  /** Of one thread, or all, newest first. */
  'evidence.list': [{ thread?: string }, EvidenceSummary[]]
  /** `base64`: canonical DAG-CBOR of the evidence. */
  'evidence.get': [{ id: string }, EvidenceSummary & { base64: string }]
  /** The log of this node first, then those that it witnesses. */
  'checkpoint.list': [Record<string, never>, CheckpointSummary[]]
  /** Signs what is new in this node's log, and asks connected nodes to witness it. */
  'checkpoint.make': [Record<string, never>, CheckpointSummary]
  /** Progress: {done, size}, in leaves. `from`: the log of this node only; in the result, the first leaf that is here. The result is the first log that was loaded, all of them in `logs`, and in `failed` those that were offered and are not loaded. `all`: also leaves that bind nobody any more. `anew`, with `from`: forgets what was loaded of that log before. */
  'history.sync': [
    { from?: string; full?: boolean; all?: boolean; anew?: boolean },
    SyncedLog & { logs: SyncedLog[]; failed: { origin: string; reason: string }[] }
  ]
  /** Moves old threads that a stable checkpoint covers, or that ended without a certificate, to cold files; drops those of which nothing came. */
  'history.compact': [
    { dryRun?: boolean },
    {
      threads: number
      hotBytes: number
      coldBytes: number
      files: string[]
      /** Threads without a group that this node only watched, now forgotten. */
      dropped: number
      droppedBytes: number
      stays: { young: number; unwitnessed: number; live: number }
    }
  ]
  /** The shipped capsule first. */
  'policy.list': [Record<string, never>, CapsuleSummary[]]
  /** `path`: a capsule file of this machine. Runs its vectors and pins it. */
  'policy.add': [{ path: string }, CapsuleSummary]
  /** `base64`: the capsule as a CAR, fetched from peers where needed; nothing of it is run. */
  'policy.get': [{ cid: string; timeoutMs?: number }, { origin: CapsuleOrigin; base64: string }]
  'policy.evaluate': [
    { cid: string; input: Record<string, unknown> },
    { capsule: string; decision: PolicyDecision; digest: string }
  ]
  /** Asks the gates of an admitted envelope again. */
  'policy.explain': [{ thread: string; envelope: string }, { asked: AskedPolicy[] }]
  'agent.announce': [
    { capabilities: string[]; roles: ('worker' | 'verifier')[] },
    { manifest: string }
  ]
  /** `patch`: facts that the bidder would add to the plan. `shardDependencies`: what other slots decided that the bid relies on. */
  'agent.propose': [
    {
      thread: string
      cost: string
      etaMs: number
      patch?: FactText[]
      shardDependencies?: string[]
    },
    { envelope: string }
  ]
  'agent.attestPlan': [{ thread: string; proposal: string }, { envelope: string }]
  'agent.claim': [{ thread: string }, { envelope: string }]
  'agent.heartbeat': [{ thread: string; progress: number }, { envelope: string }]
  'agent.yield': [{ thread: string; reason: string }, { envelope: string }]
  'agent.commit': [
    { thread: string; outputs: string[]; telemetry: Telemetry },
    { envelope: string }
  ]
  /** The node evaluates the commit gate itself; a deny turns the verdict into a fail with the rule as reason. */
  'agent.verdict': [
    { thread: string; commit: string; pass: boolean; reasons: string[] },
    { sealed: true }
  ]
  'agent.challenge': [
    { thread: string; type: ChallengeType; evidence: string[]; note: string },
    { envelope: string }
  ]
  /** Path on this machine. Progress: AddProgress. */
  'artifacts.add': [{ path: string; pin: boolean }, AddResult]
  'artifacts.addBytes': [{ base64: string; pin: boolean; name: string }, AddResult]
  /** Progress: {base64} chunks in order. */
  'artifacts.cat': [
    { cid: string; timeoutMs?: number; offset?: number; length?: number },
    { bytes: number }
  ]
  /** Progress: AddProgress. */
  'artifacts.get': [
    { cid: string; path: string; timeoutMs?: number },
    { bytes: number; files: number }
  ]
  'artifacts.exportCar': [{ cid: string; path: string }, { blocks: number; bytes: number }]
  'artifacts.importCar': [{ path: string }, { roots: string[]; blocks: number }]
  'artifacts.providers': [{ cid: string; timeoutMs?: number }, { providers: string[] }]
  'pins.add': [{ cid: string; name: string; timeoutMs?: number }, PinInfo]
  'pins.rm': [{ cid: string }, { removed: string }]
  'pins.ls': [Record<string, never>, PinInfo[]]
  'gc.run': [Record<string, never>, GcResult]
}

export type Method = keyof Methods
export type Params<M extends Method> = Methods[M][0]
export type MethodResult<M extends Method> = Methods[M][1]

export type ChallengeType =
  | 'schema_violation'
  | 'missing_artifact'
  | 'hash_mismatch'
  | 'policy_violation'
  | 'output_mismatch'
  | 'missing_citation'

export type Telemetry = {
  tokens: number
  cost: string
  wallMs: number
  exitStatus: number
  tool: string
  model: string
  zone: string
}

export type NeedRequest = {
  /** Task name and capability wanted, such as text/language. */
  capability: string
  /** Exactly one of the three: one or several CIDs that are already in a store, or a file or folder of this machine to add first. */
  inputCid?: string
  inputCids?: string[]
  inputPath?: string
  /** What else the NEED rests on: of a task of a plan, the plan's PROPOSE and the FINALIZEs whose outputs it reads. */
  refs?: string[]
  slot?: string
  budget?: string
  verifyBounty?: string
  kPlan?: number
  kResult?: number
  windows?: Partial<{
    bidMs: number
    leaseTtlMs: number
    verifyMs: number
    sealMs: number
    revealMs: number
    challengeMs: number
  }>
  /** ms from now until the NEED expires. */
  ttlMs?: number
  taskClass?: 'deterministic' | 'open'
  /** What is asked of those who take part; nothing when absent. */
  terms?: Partial<{
    zones: string[]
    tags: string[]
    perOrg: number
    perZone: number
    tokensMax: number
  }>
  /** CID of the policy capsule that judges bids and the result; the base capsule when absent. */
  capsule?: string
  /** Decide alone, without a group, when no one else is there. The certificate says so. */
  solo?: boolean
}

export type { ThreadSummary }

/** A proof that this node holds; `id` is the CID of its bytes. */
export type EvidenceSummary = {
  id: string
  offence: Offence | 'checkpoint-fork'
  convicted: readonly string[]
  /** These three are null for a fork of a log of ended threads, which names the log. */
  thread: string | null
  slot: string | null
  epoch: number | null
  origin?: string
  bytes: number
}

/** How a capsule came here; null: it did not come to stay. */
export type CapsuleOrigin = 'shipped' | 'added' | 'fetched' | null

export type CapsuleSummary = {
  cid: string
  name: string
  origin: CapsuleOrigin
  /** It can be asked now; else it is loaded when it is. */
  ready: boolean
  entrypoint: string
  /** Version of the compiler. */
  opa: string
  limits: { gas: number; stack: number }
  /** How many. */
  vectors: number
  sources: number
}

/** A gate's question about an envelope, and the answer that it gets here. */
export type AskedPolicy = {
  gate: Gate
  capsule: string
  input: PolicyInput
  decision: PolicyDecision
  /** Hex. */
  digest: string
  /** Whether the digest is the one that its sender signed; null where none is signed. */
  matches: boolean | null
}

export type NodeStatus = {
  version: string
  pid: number
  did: string
  home: string
  network: string
  startedAt: number
  uptimeMs: number
  /** ms from process start until the node listened. */
  startupMs: number
  addresses: string[]
  peers: number
  threads: { open: number; ended: number }
  agents: string[]
  stats: NetworkStats
  rssBytes: number
  journalBytes: number
  /** Messages of plan sync that went out and came in, envelopes that it brought, and peers that were caught lying in it. Null when it is unplugged. */
  planSync: { said: number; heard: number; brought: number; lies: number } | null
}

export type DoctorCheck = { name: string; ok: boolean; detail: string; fix: string }

/** Data of a progress notification. */
export type Progress =
  | SwarmEvent
  | AddProgress
  | { base64: string }
  | { readonly done: number; readonly size: number }

/** What was loaded of one log of ended threads. */
export type SyncedLog = {
  origin: string
  size: number
  /** The first leaf that is here. */
  from: number
  loaded: number
  witnesses: string[]
  trust: 'checkpoint' | 'full'
}

/** A log of ended threads and its newest checkpoint. */
export type CheckpointSummary = {
  /** `can-swarm/NETWORK/DID`. */
  origin: string
  own: boolean
  /** Threads in the log here; those that the checkpoint covers are `size`. */
  leaves: number
  size: number
  /** Of the tree over them, hex; null before the first checkpoint. */
  root: string | null
  witnesses: { did: string; seconds: number }[]
  /** Enough witnesses have cosigned it. */
  stable: boolean
  /** This node has not witnessed it, but was told of it. */
  announced: boolean
  /** Why no checkpoints are signed, or null. */
  stopped: string | null
  /** The signed note; null before the first. */
  base64: string | null
}

/** How agents, the CLI and the REPL talk to a node; over the socket, or in the same process. */
export interface SwarmClient {
  call<M extends Method>(
    method: M,
    params: Params<M>,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (data: Progress) => void }
  ): Promise<MethodResult<M>>
  /** Events until the signal aborts or the connection ends (then the iterator ends with an error). */
  events(signal?: AbortSignal): AsyncIterable<SwarmEvent>
  close(): void
}
