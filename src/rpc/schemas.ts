import { CID } from 'multiformats/cid'
import * as v from 'valibot'
import { factText, name } from './facts.ts'
import { INLINE_BYTES_MAX } from './limits.ts'
import type { Method, Params } from './methods.ts'

/** What a caller must be allowed to do. The socket's mode 0600 gives all of it to the user who runs the node. */
export type Access = 'read' | 'write' | 'admin'

export type MethodEntry<M extends Method> = {
  readonly access: Access
  /** One sentence for docs/rpc.md. */
  readonly help: string
  readonly params: v.GenericSchema<unknown, Params<M>>
}

/** Milliseconds that a caller may ask a node to wait. */
const WAIT_MS_MAX: number = 24 * 3600 * 1000

/** Artifacts that a NEED may work on, and what else it may refer to: together they are the envelope's refs, 64 by the base capsule. */
const INPUTS_MAX = 32
const REFS_MAX = 32
/** Facts in one envelope, by the base capsule. */
const FACTS_MAX = 128

const cid = v.pipe(v.string(), v.maxLength(128), v.check(isCid, 'must be a CID'))
const did = v.pipe(
  v.string(),
  v.regex(/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/u, 'must be a did:key of an Ed25519 key')
)
const amount = v.pipe(v.string(), v.regex(/^\d{1,19}$/u, 'must be a whole number in decimal text'))
const capability = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9/._-]{0,127}$/u, 'must be a lower-case name such as text/upper')
)
const text = v.pipe(v.string(), v.maxLength(4096))
const path = v.pipe(
  v.string(),
  v.maxLength(4096),
  v.check(value => value.startsWith('/'), 'must be an absolute path')
)
const uint = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const waitMs = v.pipe(uint, v.maxValue(WAIT_MS_MAX))
const windowMs = v.pipe(uint, v.maxValue(WAIT_MS_MAX))
const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.maxLength(256))
const maybe = <S extends v.GenericSchema>(schema: S) => v.exactOptional(schema)
const none = v.strictObject({})

const telemetry = v.strictObject({
  tokens: uint,
  cost: amount,
  wallMs: uint,
  exitStatus: v.pipe(v.number(), v.safeInteger()),
  tool: text,
  model: text,
  zone: text
})

const needRequest = v.pipe(
  v.strictObject({
    capability,
    inputCid: maybe(cid),
    inputCids: maybe(v.pipe(v.array(cid), v.minLength(1), v.maxLength(INPUTS_MAX))),
    inputPath: maybe(path),
    refs: maybe(v.pipe(v.array(cid), v.maxLength(REFS_MAX))),
    slot: maybe(text),
    budget: maybe(amount),
    verifyBounty: maybe(amount),
    kPlan: maybe(uint),
    kResult: maybe(uint),
    windows: maybe(
      v.strictObject({
        bidMs: maybe(windowMs),
        leaseTtlMs: maybe(windowMs),
        verifyMs: maybe(windowMs),
        sealMs: maybe(windowMs),
        revealMs: maybe(windowMs),
        challengeMs: maybe(windowMs)
      })
    ),
    ttlMs: maybe(waitMs),
    taskClass: maybe(v.picklist(['deterministic', 'open'])),
    terms: maybe(
      v.strictObject({
        zones: maybe(list(text)),
        tags: maybe(list(capability)),
        perOrg: maybe(uint),
        perZone: maybe(uint),
        tokensMax: maybe(uint)
      })
    ),
    capsule: maybe(cid),
    solo: maybe(v.boolean())
  }),
  v.check(
    ({ inputCid, inputCids, inputPath }) =>
      [inputCid, inputCids, inputPath].filter(input => input !== undefined).length === 1,
    'needs exactly one of inputCid, inputCids and inputPath'
  )
)

const verdict = v.strictObject({
  thread: cid,
  commit: cid,
  pass: v.boolean(),
  reasons: v.pipe(v.array(text), v.maxLength(8))
})

const challenge = v.strictObject({
  thread: cid,
  type: v.picklist([
    'schema_violation',
    'missing_artifact',
    'hash_mismatch',
    'policy_violation',
    'output_mismatch',
    'missing_citation'
  ]),
  evidence: v.pipe(v.array(cid), v.maxLength(16)),
  note: text
})

const announce = v.strictObject({
  capabilities: list(capability),
  roles: list(v.picklist(['worker', 'verifier']))
})

const addBytes = v.strictObject({
  base64: v.pipe(
    v.string(),
    v.maxLength(
      Math.ceil(INLINE_BYTES_MAX / 3) * 4,
      `must be at most ${INLINE_BYTES_MAX} bytes: add a file instead`
    ),
    v.base64()
  ),
  pin: v.boolean(),
  name: text
})

const entry = <S extends v.GenericSchema>(access: Access, params: S, help: string) => ({
  access,
  params,
  help
})

/** Every method: who may call it, what it takes, what it is for. The one table behind the server, local clients and docs/rpc.md. */
export const METHODS: { readonly [M in Method]: MethodEntry<M> } = {
  'node.id': entry('read', none, "This node's DID, peer id and addresses."),
  'node.status': entry('read', none, 'Version, peers, threads, agents, sizes.'),
  'node.doctor': entry('read', none, 'Checks of the node and what to do about those that fail.'),
  'node.stop': entry('admin', none, 'Stops the node cleanly after answering.'),
  'peers.list': entry('read', none, 'Connected peers.'),
  'peers.join': entry(
    'write',
    v.strictObject({ address: v.pipe(v.string(), v.maxLength(512)) }),
    'Dials a multiaddr and keeps the peer.'
  ),
  'peers.ping': entry('read', v.strictObject({ did }), 'Round trip to a peer in ms.'),
  'events.subscribe': entry('read', none, 'Streams events as progress until the caller cancels.'),
  'need.state': entry('write', needRequest, 'States a NEED and returns its thread.'),
  'need.reform': entry(
    'write',
    v.strictObject({ thread: cid }),
    'Ends the epoch that an own NEED is in and forms a new group for the next.'
  ),
  'threads.list': entry(
    'read',
    v.strictObject({
      limit: maybe(v.pipe(uint, v.minValue(1), v.maxValue(10_000))),
      before: maybe(cid),
      open: maybe(v.boolean())
    }),
    'Known threads, newest first; those before a thread, or only those that go on.'
  ),
  'thread.get': entry(
    'read',
    v.strictObject({ thread: cid }),
    'Everything this node knows of a thread.'
  ),
  'thread.record': entry(
    'write',
    v.strictObject({
      thread: cid,
      path: maybe(path),
      artifacts: maybe(v.boolean()),
      recipient: maybe(did),
      classical: maybe(v.boolean())
    }),
    "Writes a thread's signed record to a new file, its artifacts beside it, or both sealed to one reader."
  ),
  'plan.add': entry(
    'write',
    v.strictObject({
      thread: cid,
      facts: v.pipe(v.array(factText), v.minLength(1), v.maxLength(FACTS_MAX)),
      refs: maybe(v.pipe(v.array(cid), v.maxLength(REFS_MAX)))
    }),
    'Adds facts to the shared plan.'
  ),
  'plan.get': entry(
    'read',
    v.strictObject({ thread: cid }),
    'Tasks of the shared plan, their links and order, and its heads; of a very large plan a part.'
  ),
  'plan.task': entry(
    'read',
    v.strictObject({ thread: cid, task: name }),
    'One task of the shared plan, all tasks that it waits for, and all that wait for it.'
  ),
  'plan.changes': entry(
    'read',
    v.strictObject({ thread: cid, envelope: maybe(cid), sender: maybe(did), after: maybe(cid) }),
    'Facts of the shared plan, each with who said it, in parts.'
  ),
  'certificate.get': entry(
    'read',
    v.strictObject({ thread: cid, stage: maybe(v.picklist(['decide', 'outcome'])) }),
    'The certificate of a decision or outcome with its NEED: what a stranger needs to check it.'
  ),
  'evidence.list': entry(
    'read',
    v.strictObject({ thread: maybe(cid) }),
    'Proofs of offences that this node holds, newest first.'
  ),
  'evidence.get': entry('read', v.strictObject({ id: cid }), 'One of these proofs, whole.'),
  'checkpoint.list': entry(
    'read',
    none,
    'The newest checkpoints of this log and of those that this node witnesses.'
  ),
  'checkpoint.make': entry(
    'write',
    none,
    'Signs what is new in the log of ended threads, and asks connected nodes to witness it.'
  ),
  'history.sync': entry(
    'write',
    v.strictObject({
      from: maybe(did),
      full: maybe(v.boolean()),
      all: maybe(v.boolean()),
      anew: maybe(v.boolean())
    }),
    'Loads how threads ended that others have checkpointed.'
  ),
  'history.compact': entry(
    'write',
    v.strictObject({ dryRun: maybe(v.boolean()) }),
    'Moves old threads to cold files, and drops those that nobody took.'
  ),
  'policy.list': entry('read', none, 'Policy capsules of this node.'),
  'policy.add': entry(
    'write',
    v.strictObject({ path }),
    'Keeps the policy capsule of a file, once its vectors pass.'
  ),
  'policy.get': entry(
    'read',
    v.strictObject({ cid, timeoutMs: maybe(waitMs) }),
    'A policy capsule with its sources, as a CAR; fetched from peers where needed.'
  ),
  'policy.evaluate': entry(
    'read',
    v.strictObject({ cid, input: v.record(v.string(), v.unknown()) }),
    'Asks a policy capsule a question: decision, gas, digest.'
  ),
  'policy.explain': entry(
    'read',
    v.strictObject({ thread: cid, envelope: cid }),
    'What the gates say of an envelope of a thread, and whether its sender signed the same.'
  ),
  'agent.announce': entry('write', announce, 'Publishes what agents of this node can do.'),
  'agent.propose': entry(
    'write',
    v.strictObject({
      thread: cid,
      cost: amount,
      etaMs: uint,
      patch: maybe(v.pipe(v.array(factText), v.maxLength(FACTS_MAX))),
      shardDependencies: maybe(v.pipe(v.array(cid), v.maxLength(REFS_MAX)))
    }),
    'Bids on a NEED, with the plan that the bidder would follow.'
  ),
  'agent.attestPlan': entry(
    'write',
    v.strictObject({ thread: cid, proposal: cid }),
    'Finds a proposal sound.'
  ),
  'agent.claim': entry(
    'write',
    v.strictObject({ thread: cid }),
    'Takes the lease of a decided task.'
  ),
  'agent.heartbeat': entry(
    'write',
    v.strictObject({ thread: cid, progress: v.pipe(uint, v.maxValue(100)) }),
    'Renews the lease; progress in percent.'
  ),
  'agent.yield': entry(
    'write',
    v.strictObject({ thread: cid, reason: text }),
    'Gives the lease back.'
  ),
  'agent.commit': entry(
    'write',
    v.strictObject({ thread: cid, outputs: list(cid), telemetry }),
    'Commits the result.'
  ),
  'agent.verdict': entry(
    'write',
    verdict,
    'Seals a verdict on a result; the node reveals it when the group says so.'
  ),
  'agent.challenge': entry('write', challenge, 'Challenges a result with evidence.'),
  'artifacts.add': entry(
    'write',
    v.strictObject({ path, pin: v.boolean() }),
    'Adds a file or folder of this machine.'
  ),
  'artifacts.addBytes': entry('write', addBytes, 'Adds bytes as one file.'),
  'artifacts.cat': entry(
    'read',
    v.strictObject({ cid, timeoutMs: maybe(waitMs), offset: maybe(uint), length: maybe(uint) }),
    "Streams a file's bytes as progress."
  ),
  'artifacts.get': entry(
    'write',
    v.strictObject({ cid, path, timeoutMs: maybe(waitMs) }),
    'Writes a file or folder to this machine.'
  ),
  'artifacts.exportCar': entry('write', v.strictObject({ cid, path }), 'Writes a CAR file.'),
  'artifacts.importCar': entry(
    'write',
    v.strictObject({ path }),
    'Reads a CAR file and pins its roots.'
  ),
  'artifacts.providers': entry(
    'read',
    v.strictObject({ cid, timeoutMs: maybe(waitMs) }),
    'Peers that offer an artifact.'
  ),
  'pins.add': entry(
    'write',
    v.strictObject({ cid, name: text, timeoutMs: maybe(waitMs) }),
    'Keeps an artifact and all below it.'
  ),
  'pins.rm': entry('write', v.strictObject({ cid }), 'Lets an artifact go at the next gc.'),
  'pins.ls': entry('read', none, 'Pinned artifacts.'),
  'gc.run': entry('admin', none, 'Removes blocks that no pin and no use in flight holds.')
}

export const METHOD_NAMES: readonly Method[] = Object.keys(METHODS) as Method[]

function isCid(value: string): boolean {
  try {
    CID.parse(value)
    return true
  } catch {
    return false
  }
}
