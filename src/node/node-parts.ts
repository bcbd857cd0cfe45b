import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { automergePlanStore } from '../adapters/automerge/index.ts'
import { nodeVerifiers, rememberingVerifiers } from '../adapters/ed25519/index.ts'
import { heliaArtifactStore } from '../adapters/helia/index.ts'
import { openKeystore } from '../adapters/keystore/index.ts'
import { levelArchive, levelDatastore } from '../adapters/level/index.ts'
import { type Libp2pNetwork, libp2pNetwork } from '../adapters/libp2p/index.ts'
import { type OpaPolicyEngine, opaPolicyEngine } from '../adapters/opa/index.ts'
import { pinoLogger } from '../adapters/pino/index.ts'
import { sealKeys } from '../adapters/sealed/index.ts'
import { useNodeSha256 } from '../adapters/sha256/index.ts'
import { homeLock, systemClock, systemEntropy } from '../adapters/system/index.ts'
import { walJournal } from '../adapters/wal/index.ts'
import { type Config, makeHome, readPassphrase } from '../config/index.ts'
import { seededGenerator } from '../core/base/index.ts'
import { cidOf } from '../core/codec/index.ts'
import { Swarm } from '../core/swarm/index.ts'
import { type Compactor, tieredArchive } from '../history/index.ts'
import { basePath } from '../policy/index.ts'
import type {
  Archive,
  ArtifactStore,
  Entropy,
  Journal,
  Logger,
  PlanStore,
  Signer,
  VerifySignature
} from '../ports/index.ts'
import { Driver, type PlanSync } from '../runtime/index.ts'
import { Capsules } from './capsules.ts'
import { JournalLostError, KeyLostError } from './errors.ts'
import { compactorOf, type History, type HistoryInit, openHistory } from './history.ts'
import { planSyncOf } from './plan-sync-of.ts'
import { Threads } from './threads.ts'

/** Everything that a node is made of, wired but not started. */
export type NodeParts = {
  readonly config: Config
  readonly logger: Logger
  readonly signer: Signer
  readonly swarm: Swarm
  readonly driver: Driver
  readonly network: Libp2pNetwork
  readonly artifacts: ArtifactStore
  readonly policy: OpaPolicyEngine
  readonly capsules: Capsules
  readonly plan: PlanStore
  /** Null where it is unplugged. */
  readonly planSync: PlanSync | null
  readonly journal: Journal
  readonly archive: Archive
  readonly threads: Threads
  /** The node's public ML-KEM-768 key and the CID of its bytes; null where the platform has no ML-KEM. */
  readonly kemKey: { readonly cid: string; readonly bytes: Uint8Array } | null
  readonly verify: VerifySignature
  readonly history: History
  readonly compactor: Compactor
  /** Closes what is open from the beginning: journal, datastore, lock. */
  readonly close: () => Promise<void>
}

/** Parts of the driver that a test takes out. */
const DRIVER_PARTS = ['consensus', 'gossip', 'pull'] as const

/** Wall time of one policy evaluation, in ms: a guard against a wedged worker, far above any honest evaluation. */
const POLICY_TIMEOUT_MS = 2_000

/** Opens the home and builds the parts, in order; on failure closes again what it opened. */
export async function openParts(
  config: Config,
  onFatal: (error: Error) => void
): Promise<NodeParts> {
  const home = config.home.dir
  useNodeSha256()
  await makeHome(home)
  const lock = homeLock(home)
  const closers: (() => unknown)[] = [() => lock.release()]
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return await build(config, { closers, close, onFatal })
  } catch (error) {
    await close()
    throw error
  }
}

type Build = {
  readonly closers: (() => unknown)[]
  readonly close: () => Promise<void>
  readonly onFatal: (error: Error) => void
}

async function build(config: Config, { closers, close, onFatal }: Build): Promise<NodeParts> {
  const home = config.home.dir
  const logger = pinoLogger(config.log)
  const unplug: ReadonlySet<string> = new Set(config.node.unplug)
  const journalPath = join(home, 'journal.wal')
  const { signer, seed } = await keyOf(config, journalPath)
  const datastore = await levelDatastore(join(home, 'peers'))
  closers.push(() => datastore.close())
  const network = await libp2pNetwork({
    seed,
    did: signer.did,
    networkName: config.network.name,
    listen: config.network.listen,
    bootstrap: config.network.join,
    mdns: config.network.mdns,
    datastore,
    logger,
    unplug
  })
  const artifacts = heliaArtifactStore({
    libp2p: network.libp2p,
    directory: join(home, 'artifacts'),
    logger,
    unplug
  })
  const policy = policyOf(logger, unplug)
  const journal = await walJournal({ path: journalPath, logger })
  closers.push(() => journal.close())
  const entropy = systemEntropy()
  const { verify, verifyAside } = rememberingVerifiers(nodeVerifiers())
  const swarm = machineOf(config, signer, verify, entropy)
  const { hot, history } = await keptOf({ config, network, signer, verify, logger }, closers)
  const archive = tieredArchive(hot, history.cold)
  const threads = new Threads({ did: signer.did, swarm, archive })
  const plan = planOf(threads, logger)
  const driver = new Driver(
    {
      machine: swarm,
      journal,
      archive,
      network,
      policy,
      verify,
      verifyAside,
      signer,
      clock: systemClock(),
      entropy,
      logger
    },
    {
      ...config.runtime,
      unplug: new Set(DRIVER_PARTS.filter(part => unplug.has(part))),
      onFatal
    }
  )
  return {
    config,
    logger,
    signer,
    swarm,
    driver,
    network,
    artifacts,
    policy,
    capsules: new Capsules(policy, artifacts, logger),
    plan,
    planSync: unplug.has('plan-sync') ? null : planSyncOf({ swarm, driver, network, plan, logger }),
    journal,
    archive,
    threads,
    kemKey: kemKeyOf(seed),
    verify,
    history,
    compactor: compactorOf({ config, swarm, history, signer }, hot),
    close
  }
}

/** Ended threads on disk, and the log of them. */
async function keptOf(
  init: HistoryInit,
  closers: (() => unknown)[]
): Promise<{ hot: Archive; history: History }> {
  const hot = await levelArchive({ path: archivePath(init.config) })
  closers.push(() => hot.close())
  const history = await openHistory(init)
  closers.push(() => history.store.close())
  return { hot, history }
}

function planOf(threads: Threads, logger: Logger): PlanStore {
  return automergePlanStore({
    workerUrl: workerUrl('automerge'),
    logger,
    source: thread => threads.planEntries(thread)
  })
}

function kemKeyOf(seed: Uint8Array): NodeParts['kemKey'] {
  const { kem } = sealKeys(seed)
  if (kem === null) return null
  return { cid: cidOf(kem.publicKey, RAW).toString(), bytes: kem.publicKey }
}

/** Multicodec of a block without structure. */
const RAW = 0x55

function policyOf(logger: Logger, unplug: ReadonlySet<string>): OpaPolicyEngine {
  return opaPolicyEngine({
    workerUrl: workerUrl('opa'),
    directories: [basePath()],
    timeoutMs: POLICY_TIMEOUT_MS,
    logger,
    unplug
  })
}

function archivePath(config: Config): string {
  return join(config.home.dir, 'archive')
}

async function keyOf(config: Config, journalPath: string): ReturnType<typeof openKeystore> {
  const keyPath = join(config.home.dir, 'key.json')
  // A member that lost its key is another member: it must not go on with the promises of the first (R9).
  if (existsSync(journalPath) && !existsSync(keyPath)) throw new KeyLostError(config.home.dir)
  // The archive is made after the journal: where it is, a journal was.
  if (existsSync(archivePath(config)) && !existsSync(journalPath))
    throw new JournalLostError(config.home.dir)
  return openKeystore({
    path: keyPath,
    passphrase: await readPassphrase(config),
    create: true
  })
}

function machineOf(
  { consensus }: Config,
  signer: Signer,
  verify: VerifySignature,
  entropy: Entropy
): Swarm {
  const { electionTicksMin, heartbeatTicks, precisionMs, groupSize } = consensus
  return new Swarm({
    did: signer.did,
    sign: bytes => signer.sign(bytes),
    verify,
    random: seededGenerator(entropy.bytes(16)),
    settings: {
      electionTicksMin,
      heartbeatTicks,
      precisionMs,
      groupSize,
      inviteMs: consensus.formTimeoutMs,
      joinMs: consensus.joinTimeoutMs,
      awayMs: consensus.awayTimeoutMs,
      stallMs: consensus.stallTimeoutMs,
      lingerMs: consensus.lingerMs
    }
  })
}

/** Workers are entries of their own: beside this file's folder both in the sources and in the bundle. */
function workerUrl(room: 'opa' | 'automerge'): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../adapters/${room}/worker.${extension}`, import.meta.url)
}
