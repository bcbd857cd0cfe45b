import { strict as assert } from 'node:assert'
import { nodeSigner, nodeVerifier } from '../../src/adapters/ed25519/index.ts'
import { type CheckpointFork, formatOrigin } from '../../src/core/checkpoint/index.ts'
import type { Leaf } from '../../src/core/history/index.ts'
import type { CertificateFile } from '../../src/core/roster/index.ts'
import {
  answerPeer,
  Checkpointer,
  HistorySync,
  OwnLog,
  type SyncLimits,
  Witness,
  type WitnessedLimits,
  WitnessedLogs
} from '../../src/history/index.ts'
import { decodeQuestion, encodeAnswer } from '../../src/history/messages.ts'
import type { Clock, Exchange, KeyValues, Signer } from '../../src/ports/index.ts'
import { finishedThread } from './finished-thread.ts'
import { recordingLogger } from './recording-logger.ts'
import { testVerify } from './swarm-cluster.ts'

const real = nodeVerifier()
/** Certificates of virtual worlds are signed by their own scheme, notes by real keys. */
export const verifyBoth = (did: string, bytes: Uint8Array, signature: Uint8Array): boolean =>
  testVerify(did, bytes, signature) || real(did, bytes, signature)

export const NETWORK = 'test'

/** Somebody waits for the answer. */
export const waiting: AbortSignal = new AbortController().signal

/** A store of keys and values that a test may look into and cut. */
export class MemoryKeyValues implements KeyValues {
  readonly map = new Map<string, Uint8Array>()
  /** Writes that may still happen. */
  writesLeft = Number.POSITIVE_INFINITY

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.map.get(key)
  }

  async write(changes: Parameters<KeyValues['write']>[0]): Promise<void> {
    if (this.writesLeft-- <= 0) throw new DOMException('cut', 'AbortError')
    for (const change of changes) {
      if (change.type === 'put') this.map.set(change.key, change.value)
      else this.map.delete(change.key)
    }
  }

  async *range({ from, to, limit }: Parameters<KeyValues['range']>[0]) {
    const keys = [...this.map.keys()].filter(key => key >= from && key < to).sort()
    for (const key of keys.slice(0, limit)) yield [key, this.map.get(key) as Uint8Array] as const
  }

  async close(): Promise<void> {}
}

type Answer = (from: string, question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>

/** A peer that holds nothing and witnesses nothing. */
export const BYSTANDER = 'bystander'

async function bystander(_from: string, bytes: Uint8Array): Promise<Uint8Array> {
  const question = decodeQuestion(bytes)
  return question.ok && question.value.type === 'notes'
    ? encodeAnswer({ type: 'notes', notes: [] })
    : encodeAnswer({ type: 'declined', code: 'WITNESS_OFF', message: 'it does not', held: 0 })
}

/** Nodes that ask each other, in one process. */
export class HistoryRoom {
  readonly answers = new Map<string, Answer>([[BYSTANDER, bystander]])

  exchangeOf(did: string): Exchange {
    return {
      ask: async (to, question, signal = waiting) => {
        signal.throwIfAborted()
        const answer = this.answers.get(to)
        if (answer === undefined) throw new DOMException(`${to} is not there`, 'AbortError')
        return answer(did, question, signal)
      },
      onAsk: answer => {
        if (answer !== null) this.answers.set(did, answer)
        else this.answers.delete(did)
      }
    }
  }
}

export type HistoryNode = Awaited<ReturnType<typeof historyNode>>

/** The log that is on this disk. */
export const openLog = (store: KeyValues): Promise<OwnLog> =>
  OwnLog.open(store, verifyBoth, () => 1_800_000_000_000)

/** A node of the room with a log of its own, which witnesses the others'. */
export async function historyNode(
  room: HistoryRoom,
  key: number,
  {
    store = new MemoryKeyValues(),
    witnesses = (): readonly string[] => [BYSTANDER],
    trusted = new Set(),
    nowMs = (): number => 1_800_000_000_000,
    after = () => () => undefined,
    reserved = new Set(),
    limits = {}
  }: {
    readonly store?: MemoryKeyValues
    readonly witnesses?: () => readonly string[]
    readonly trusted?: ReadonlySet<string>
    readonly nowMs?: () => number
    readonly after?: Clock['after']
    /** Origins that always have a place at this witness. */
    readonly reserved?: ReadonlySet<string>
    readonly limits?: Partial<WitnessedLimits>
  } = {}
) {
  const signer: Signer = nodeSigner(new Uint8Array(32).fill(key))
  const origin = formatOrigin(NETWORK, signer.did)
  const exchange = room.exchangeOf(signer.did)
  const logger = recordingLogger()
  const common = { exchange, signer, verify: verifyBoth, logger, network: NETWORK }
  const own = await OwnLog.open(store, verifyBoth, nowMs)
  const witnessed = new WitnessedLogs(store, reserved, limits)
  const clock = { nowMs, after }
  const witness = new Witness({ ...common, logs: witnessed, clock, idleMs: 30 * 86_400_000 })
  const checkpointer = new Checkpointer({
    ...common,
    clock,
    log: own,
    origin,
    witnesses,
    trusted,
    quorum: 2,
    changed: () => undefined
  })
  const answers = { origin, own, witnessed, witness }
  exchange.onAsk((from, question, signal) => answerPeer(answers, from, question, signal))
  return {
    did: signer.did,
    signer,
    origin,
    store,
    own,
    witnessed,
    witness,
    checkpointer,
    exchange,
    logger
  }
}

let made: CertificateFile[] | undefined

/** Certified ends of several threads. */
export function certificateFiles(count: number): CertificateFile[] {
  made ??= []
  while (made.length < count) {
    const { node, thread } = finishedThread(3, `slot-${made.length}`)
    const file = node.swarm.certificate(thread, 'outcome')
    assert(file !== undefined)
    made.push(file)
  }
  return made.slice(0, count)
}

/** An author that may have three leaves, and two witnesses that it asks. */
export async function authorAndWitnesses() {
  const room = new HistoryRoom()
  const one = await historyNode(room, 2)
  const two = await historyNode(room, 3)
  const author = await historyNode(room, 1, { witnesses: () => [one.did, two.did] })
  return { room, author, one, two }
}

/** Adds the first so many ends to a node's log. */
export async function appendEnds(node: HistoryNode, count: number): Promise<void> {
  for (const file of certificateFiles(count)) assert((await node.own.append(file)).ok)
}

/** A node without history that loads what its peers have. */
export function newcomerOf(
  room: HistoryRoom,
  peers: readonly string[],
  init: {
    readonly trusted?: readonly string[]
    readonly own?: string
    readonly limits?: SyncLimits
    readonly nowMs?: () => number
    readonly isConvicted?: (origin: string) => Promise<boolean>
  } = {}
) {
  const loaded: Leaf[][] = []
  const forks: CheckpointFork[] = []
  const store = new MemoryKeyValues()
  const logger = recordingLogger()
  const sync = new HistorySync({
    store,
    exchange: room.exchangeOf('newcomer'),
    verify: verifyBoth,
    logger,
    nowMs: init.nowMs ?? (() => 1_800_000_000_000),
    ...(init.limits && { limits: init.limits }),
    network: NETWORK,
    own: init.own ?? 'can-swarm/test/newcomer',
    quorum: 2,
    trusted: new Set(init.trusted ?? []),
    peers: () => peers,
    isConvicted: init.isConvicted ?? (async () => forks.length > 0),
    keepFork: async (_origin, fork) => void forks.push(fork),
    load: async leaves => void loaded.push([...leaves])
  })
  return { sync, loaded, store, logger, forks }
}

/** From now on this peer answers otherwise where `other` does, and else as before. */
export function replaceAnswers(
  room: HistoryRoom,
  did: string,
  other: (question: Uint8Array) => Promise<Uint8Array | null>
): void {
  const before = room.answers.get(did)
  room.answers.set(did, async (from, question, signal) => {
    const answer = await other(question)
    if (answer !== null) return answer
    if (before === undefined) throw new DOMException(`${did} is not there`, 'AbortError')
    return before(from, question, signal)
  })
}
