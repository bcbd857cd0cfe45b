import { join } from 'node:path'
import { levelKeyValues } from '../adapters/level/index.ts'
import { systemClock } from '../adapters/system/index.ts'
import type { Config } from '../config/index.ts'
import { formatOrigin, parseCheckpoint } from '../core/checkpoint/index.ts'
import {
  Announcements,
  answerPeer,
  Checkpointer,
  ColdStore,
  Compactor,
  coldFolder,
  HistorySync,
  logFolder,
  OwnLog,
  Witness,
  WitnessedLogs
} from '../history/index.ts'
import type {
  Archive,
  Exchange,
  KeyValues,
  Logger,
  Network,
  Signer,
  VerifySignature
} from '../ports/index.ts'
import { draftOf } from './drafts.ts'
import { CheckpointOnlyError } from './errors.ts'
import { loadLeaves } from './load-leaves.ts'
import type { NodeParts } from './node-parts.ts'
import { uncertifiedEnd } from './uncertified-end.ts'

/** A node's log of ended threads and all that is done with it. */
export type History = {
  readonly store: KeyValues
  /** Name of this node's log. */
  readonly origin: string
  readonly own: OwnLog
  readonly witnessed: WitnessedLogs
  readonly checkpointer: Checkpointer
  /** Threads that left the archive. */
  readonly cold: ColdStore
  readonly announcements: Announcements
  /** Starts to answer peers. */
  readonly serve: () => void
}

export type HistoryInit = {
  readonly config: Config
  readonly network: Network & { readonly exchange: Exchange }
  readonly signer: Signer
  readonly verify: VerifySignature
  readonly logger: Logger
}

/** Opens the log. Rejects with HistoryUnavailableError or HistoryDamagedError. */
export async function openHistory(init: HistoryInit): Promise<History> {
  const { config, network, signer, verify, logger } = init
  const store = await levelKeyValues({ path: join(config.home.dir, 'history') })
  try {
    const clock = systemClock()
    const own = await OwnLog.open(store, verify, () => clock.nowMs())
    const originOf = (did: string): string => formatOrigin(config.network.name, did)
    const witnessed = new WitnessedLogs(store, new Set(config.history.witnessFor.map(originOf)))
    const origin = originOf(signer.did)
    const common = { exchange: network.exchange, signer, verify, logger }
    const isWitness = config.history.witness && !config.node.unplug.includes('witness')
    const peers = (): string[] => network.peers().map(({ did }) => did)
    const witness = isWitness
      ? new Witness({
          ...common,
          logs: witnessed,
          clock,
          network: config.network.name,
          idleMs: config.history.witnessIdleDays * DAY_MS
        })
      : null
    const checkpointer = new Checkpointer({
      ...common,
      clock,
      log: own,
      origin,
      witnesses: peers,
      trusted: new Set(config.history.trusted),
      quorum: config.history.quorum,
      changed: ({ text }, witnesses) =>
        logger.info('checkpoint', { leaves: text.split('\n')[1], witnesses })
    })
    const answers = { origin, own, witnessed, witness }
    const serve = (): void =>
      network.exchange.onAsk((from, question, signal) =>
        answerPeer(answers, from, question, signal)
      )
    const cold = await ColdStore.open(coldFolder(join(config.home.dir, 'cold')), store)
    const announcements = new Announcements({
      ...common,
      network: config.network.name,
      witness,
      peers
    })
    return { store, origin, own, witnessed, checkpointer, cold, announcements, serve }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Moves old threads out of the archive; `hot` is the archive without what is cold. */
export function compactorOf(
  { config, swarm, history, signer }: Pick<NodeParts, 'config' | 'swarm' | 'history' | 'signer'>,
  hot: Archive
): Compactor {
  const { store, own, cold } = history
  return new Compactor({
    store,
    own,
    hot,
    cold,
    logs: logFolder(join(config.home.dir, 'audit')),
    clock: systemClock(),
    retentionMs: config.history.retentionDays * DAY_MS,
    isLive: thread => swarm.has(thread),
    uncertified: entry => uncertifiedEnd(entry, signer.did)
  })
}

/** A day, in ms: the unit of the retention, and the time between two compactions. */
const DAY_MS = 86_400_000
/** The first compaction after a start, in ms: not while the node finds its peers. The next ones follow daily. */
const FIRST_COMPACTION_MS = 600_000

/** Moves old threads to cold files once a day. Returns how to stop; a run that is cut by that is finished by the next. */
export function keepCompact({ compactor, logger }: NodeParts): () => void {
  const run = (): void => {
    compactor.run().then(
      ({ threads, hotBytes, coldBytes, dropped }) => {
        if (threads > 0) logger.info('old threads are cold now', { threads, hotBytes, coldBytes })
        if (dropped > 0) logger.info('old threads that nobody took were dropped', { dropped })
      },
      (error: unknown) =>
        logger.error('old threads could not be moved to cold files', { error: String(error) })
    )
  }
  const first = setTimeout(run, FIRST_COMPACTION_MS).unref()
  const daily = setInterval(run, DAY_MS).unref()
  return () => {
    clearTimeout(first)
    clearInterval(daily)
  }
}

/** Archived threads that are read at once when the log catches up at a start. */
const PAGE = 256

/** Keeps the log in step with the threads that end, and its checkpoints with the log. Returns how to stop. */
export function keepHistory(parts: NodeParts): () => void {
  const { driver, history, config, logger } = parts
  history.serve()
  const add = (thread: string): void => {
    addEnd(parts, thread).catch((error: unknown) =>
      logger.error('an ended thread is not in the log', { thread, error: String(error) })
    )
  }
  const stop = driver.onEvent(event => {
    if (event.type === 'ended' || event.type === 'archived') add(event.thread)
    if (event.type === 'checkpoint' && event.sender !== parts.signer.did)
      void history.announcements.take(event)
  })
  history.checkpointer.onStable(() => announce(parts))
  const timer = setInterval(() => void history.checkpointer.run(), config.history.checkpointMs)
  timer.unref()
  catchUp(parts).catch((error: unknown) =>
    logger.error('the log of ended threads could not catch up', { error: String(error) })
  )
  return () => {
    clearInterval(timer)
    history.checkpointer.close()
    stop()
  }
}

/** Tells the swarm that a checkpoint is stable. */
async function announce({ history, driver, logger }: NodeParts): Promise<void> {
  const { stable } = history.own
  const checked = stable === null ? null : parseCheckpoint(stable.text)
  if (checked?.ok !== true) return
  const { size, root } = checked.value
  // A log has no epochs, and the tree's root covers all of its state.
  const payload = { epoch: 0, treeSize: Number(size), root, stateRoots: [] }
  const said = await driver.command({
    type: 'announce',
    draft: draftOf('CHECKPOINT', null, payload)
  })
  if (!said.ok) logger.warn('the checkpoint was not announced', { ...said.refusal })
}

/** Loads what others know; leaves become tombstones in the core, and lines in the archive's list. */
export function historySync(parts: NodeParts): HistorySync {
  const { history, network, verify, logger, config } = parts
  const clock = systemClock()
  return new HistorySync({
    store: history.store,
    exchange: network.exchange,
    verify,
    logger,
    nowMs: () => clock.nowMs(),
    network: config.network.name,
    own: history.origin,
    quorum: config.history.quorum,
    trusted: new Set(config.history.trusted),
    peers: () => network.peers().map(({ did }) => did),
    isConvicted: origin => history.witnessed.isConvicted(origin, verify),
    keepFork: async (origin, fork) => {
      await history.witnessed.keepFork(origin, fork, verify)
    },
    load: (leaves, { origin }) => loadLeaves(parts, leaves, origin)
  })
}

/** Between two tries of a new node to load what others know, in ms: peers come one by one, and not all have checkpoints. */
const SYNC_TRY_MS = 5_000
/** Tries before a new node leaves it to its user: some two minutes. */
const SYNC_TRIES_MAX = 24

/** A new node loads what others know as soon as somebody has it, where the settings say so. Returns how to stop. */
export function syncAtStart(parts: NodeParts): () => void {
  const { archive, config, network, logger } = parts
  if (!config.history.syncAtStart || archive.count() > 0) return () => undefined
  let tries = 0
  let isBusy = false
  let hasLoaded = false
  const attempt = async (): Promise<void> => {
    if (isBusy || network.peers().length === 0) return
    tries++
    const isLast = tries >= SYNC_TRIES_MAX
    if (isLast) clearInterval(timer)
    // Once more at the end: who came first may have offered its own log only.
    if (hasLoaded && !isLast) return
    isBusy = true
    try {
      const { logs } = await historySync(parts).run()
      hasLoaded = true
      for (const { origin, size, from, trust } of logs)
        logger.info('loaded how threads ended before', { origin, size, from, trust })
    } catch (error) {
      if (isLast && !hasLoaded)
        logger.warn('nothing was loaded of what ended before: run "sync" later', {
          error: String(error)
        })
    } finally {
      isBusy = false
    }
  }
  const timer = setInterval(() => void attempt(), SYNC_TRY_MS).unref()
  return () => clearInterval(timer)
}

/** A thread that ended with a certificate gets its place in the log; others have none. */
async function addEnd({ threads, history, logger }: NodeParts, thread: string): Promise<void> {
  // Asked again when the thread is archived, and at each start: the certificate is checked once.
  if ((await history.own.indexOf(thread)) !== null) return
  const file = await threads.certificate(thread, 'outcome')
  if (file === undefined) return
  const appended = await history.own.append(file)
  if (!appended.ok)
    logger.error('an end that is certified here has no leaf', { thread, ...appended.refusal })
}

/** Threads that ended before this log was there, or just before a crash. */
async function catchUp(parts: NodeParts): Promise<void> {
  const { archive, swarm } = parts
  for (const thread of swarm.threadIds()) if (swarm.isEnded(thread)) await addEnd(parts, thread)
  let page = await archive.list({ limit: PAGE })
  while (page.length > 0) {
    for (const { thread } of page) await addKnown(parts, thread)
    const last = page.at(-1)
    page = last === undefined ? [] : await archive.list({ limit: PAGE, before: last })
  }
}

async function addKnown(parts: NodeParts, thread: string): Promise<void> {
  try {
    await addEnd(parts, thread)
  } catch (error) {
    // There is a line and nothing behind it.
    if (!(error instanceof CheckpointOnlyError)) throw error
  }
}
