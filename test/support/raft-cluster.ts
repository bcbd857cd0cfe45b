/**
 * A group of members in a virtual world: one seed chooses every tick, delivery, loss, duplication, reordering, partition and crash.
 * Members' disks keep what was synced; the rest of a batch may be lost or torn. Each stage of a batch (taken, persisted, each message
 * sent, applied) is an action of its own, so crashes and inputs fall between any two of them.
 */
import {
  ENTRY_BYTES_MAX,
  type HardState,
  type LogEntry,
  type MemberId,
  Raft,
  type RaftInit,
  type RaftMessage,
  type Ready,
  replayBatch
} from '../../src/core/raft/index.ts'
import { RaftMonitor, Violation } from './raft-monitor.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

export type Faults = {
  readonly loss: number
  readonly duplication: number
  /** Chances per action. */
  readonly crash: number
  /** Chance per action on a leader with uncommitted entries: the setting of Figure 8. */
  readonly leaderCrash: number
  readonly restart: number
  readonly partition: number
  readonly heal: number
}

/** Worlds from a bad day to a war; a seed picks one. */
export const WORLDS: readonly Faults[] = [
  {
    loss: 0.02,
    duplication: 0.02,
    crash: 0.0005,
    leaderCrash: 0,
    restart: 0.02,
    partition: 0.001,
    heal: 0.003
  },
  {
    loss: 0.08,
    duplication: 0.05,
    crash: 0.002,
    leaderCrash: 0,
    restart: 0.03,
    partition: 0.002,
    heal: 0.006
  },
  {
    loss: 0.3,
    duplication: 0.2,
    crash: 0.002,
    leaderCrash: 0,
    restart: 0.05,
    partition: 0.0005,
    heal: 0.01
  },
  {
    loss: 0.05,
    duplication: 0.05,
    crash: 0.008,
    leaderCrash: 0,
    restart: 0.1,
    partition: 0.006,
    heal: 0.02
  },
  {
    loss: 0.05,
    duplication: 0.02,
    crash: 0.012,
    leaderCrash: 0,
    restart: 0.5,
    partition: 0.004,
    heal: 0.02
  },
  {
    loss: 0.02,
    duplication: 0,
    crash: 0.001,
    leaderCrash: 0,
    restart: 0.05,
    partition: 0.012,
    heal: 0.001
  },
  {
    loss: 0.1,
    duplication: 0,
    crash: 0,
    leaderCrash: 0.01,
    restart: 0.005,
    partition: 0.003,
    heal: 0.01
  }
]

export type ClusterInit = {
  readonly seed: number
  readonly size: number
  /** One of WORLDS, by the seed, unless given. */
  readonly faults?: Faults
  /** Builds a member; a mutant in tests of the harness. */
  readonly create?: (init: RaftInit) => Raft
  /** Ways in which the shell around a correct member may be broken. */
  readonly shell?: {
    readonly forgetsVote?: boolean
    readonly sendsFirst?: boolean
    readonly losesSynced?: boolean
  }
  /** Also check at each sending that promises are on disk. Off where a mutant shall be caught by its consequences. */
  readonly watchDurability?: boolean
}

const ELECTION_TICKS_MIN = 10
/** Shared buffers under all entries: the monitor tells entries apart by object, not by content. */
const LARGE = new ArrayBuffer(ENTRY_BYTES_MAX)
const SMALL = new ArrayBuffer(1)
const NETWORK_MESSAGES_MAX = 300
/** Rounds (a tick for each, then everything delivered) in which a healed cluster agrees. */
const HEAL_ROUNDS_MAX = 400

type Member = {
  readonly id: MemberId
  raft: Raft | null
  hardState: HardState
  log: LogEntry[]
  /** A hard state that was written but not synced. */
  cached: HardState | null
  /** What was on disk before the last synced batch: for the disk that lies. */
  before: { readonly hardState: HardState; readonly log: LogEntry[] } | null
  batch: Ready | null
  isPersisted: boolean
  sentCount: number
  applied: number
}

export class RaftCluster {
  readonly monitor = new RaftMonitor()
  readonly #init: ClusterInit
  readonly #faults: Faults
  readonly #random: SeededRandom
  readonly #members = new Map<MemberId, Member>()
  #network: RaftMessage[] = []
  /** Pairs `from>to` that do not get through. */
  #cut = new Set<string>()

  constructor(init: ClusterInit) {
    this.#init = init
    this.#faults = init.faults ?? (WORLDS[init.seed % WORLDS.length] as Faults)
    this.#random = seededRandom(init.seed)
    for (let i = 0; i < init.size; i++) this.#members.set(`m${i}`, newMember(`m${i}`))
    for (const member of this.#members.values()) this.#start(member)
  }

  /** `actions` random actions, then everything heals and the group must agree again. Throws Violation. */
  run(actions: number): void {
    for (let i = 0; i < actions; i++) this.#act()
    this.#settle()
  }

  /** One line that differs as soon as a run went another way. */
  digest(): string {
    const members = [...this.#members.values()]
    return members
      .map(
        ({ id, hardState, log }) =>
          `${id} ${hardState.term} ${hardState.vote} ${log.map(entry => entry.term)}`
      )
      .join('; ')
  }

  #act(): void {
    const faults = this.#faults
    const member = this.#random.pick([...this.#members.values()])
    const dice = this.#random.below(100)
    if (dice < 8) this.#input(member, raft => raft.tick())
    else if (dice < 12) this.#propose(member)
    else if (dice < 55) this.#work(member)
    else this.#deliver()
    if (this.#random.chance(0.002)) this.#input(member, raft => raft.campaign())
    if (this.#random.chance(0.002)) {
      const successor = this.#random.pick([...this.#members.keys()])
      this.#input(member, raft => raft.transferTo(successor))
    }
    // A batch in the works is where a crash hurts.
    if (this.#random.chance(member.batch === null ? faults.crash / 4 : faults.crash))
      this.#crash(member)
    if (isBehind(member) && this.#random.chance(faults.leaderCrash)) this.#crash(member)
    if (member.raft === null && this.#random.chance(faults.restart)) this.#start(member)
    if (this.#random.chance(faults.partition)) this.#partition()
    if (this.#random.chance(faults.heal)) this.#cut.clear()
  }

  #input(member: Member, action: (raft: Raft) => void): void {
    if (member.raft === null) return
    action(member.raft)
    this.monitor.member(member.id, member.raft)
  }

  #propose(member: Member): void {
    // Large entries travel one or two at a time, so that logs also grow step by step.
    const buffer = this.#random.chance(0.5) ? SMALL : LARGE
    const count = 1 + this.#random.below(4)
    this.#input(member, raft => {
      for (let i = 0; i < count; i++) raft.propose(new Uint8Array(buffer))
    })
  }

  /** The next stage of a member's batch. */
  #work(member: Member): void {
    const { raft, batch } = member
    if (raft === null) return
    if (batch === null) {
      member.batch = raft.ready()
      member.isPersisted = false
      member.sentCount = 0
      return
    }
    const isSent = member.sentCount === batch.messages.length
    const persistsNow = this.#init.shell?.sendsFirst === true ? isSent : true
    if (!member.isPersisted && persistsNow) this.#persist(member, batch)
    else if (!isSent) this.#send(member, batch.messages[member.sentCount++] as RaftMessage)
    else this.#apply(member, raft, batch)
  }

  #persist(member: Member, batch: Ready): void {
    const termBefore = member.log[(batch.entries[0]?.index ?? 1) - 2]?.term ?? 0
    this.monitor.written(member.id, batch.entries, termBefore)
    member.isPersisted = true
    if (!batch.mustSync) {
      member.cached = batch.hardState ?? member.cached
      return
    }
    member.before = { hardState: member.hardState, log: [...member.log] }
    member.hardState = this.#asWritten(batch.hardState ?? member.cached ?? member.hardState)
    member.cached = null
    replayBatch(member.log, batch.entries)
  }

  #asWritten(hardState: HardState): HardState {
    return this.#init.shell?.forgetsVote === true ? { ...hardState, vote: null } : hardState
  }

  #send(member: Member, message: RaftMessage): void {
    if (this.#init.watchDurability !== false) {
      this.monitor.sent(message, { hardState: member.hardState, lastIndex: member.log.length })
    }
    this.#network.push(message)
    if (this.#network.length > NETWORK_MESSAGES_MAX) this.#take()
  }

  #apply(member: Member, raft: Raft, batch: Ready): void {
    const known = this.monitor.committedCount
    this.monitor.handedOut(member.id, raft, member.applied, batch.committed)
    member.applied += batch.committed.length
    this.monitor.leadersHold(this.#running(), known)
    member.batch = null
    this.#input(member, () => raft.advance())
  }

  #deliver(): void {
    const message = this.#take()
    if (message === undefined) return
    if (this.#random.chance(this.#faults.duplication)) this.#network.push(message)
    if (this.#random.chance(this.#faults.loss)) return
    this.#hand(message)
  }

  #hand(message: RaftMessage): void {
    if (this.#cut.has(`${message.from}>${message.to}`)) return
    const member = this.#members.get(message.to)
    if (member !== undefined) this.#input(member, raft => raft.step(message))
  }

  /** Any message may overtake any other; older ones are likelier to come first. */
  #take(): RaftMessage | undefined {
    if (this.#network.length === 0) return undefined
    const at = Math.min(
      this.#random.below(this.#network.length),
      this.#random.below(this.#network.length)
    )
    return this.#network.splice(at, 1)[0]
  }

  #partition(): void {
    const ids = [...this.#members.keys()]
    const inside = new Set(ids.filter(() => this.#random.chance(0.5)))
    const isOneWay = this.#random.chance(0.3)
    this.#cut.clear()
    for (const from of ids) {
      for (const to of ids) {
        if (inside.has(from) && !inside.has(to)) this.#cut.add(`${from}>${to}`)
        if (!isOneWay && !inside.has(from) && inside.has(to)) this.#cut.add(`${from}>${to}`)
      }
    }
  }

  #crash(member: Member): void {
    if (member.raft === null) return
    member.raft = null
    if (member.cached !== null && this.#random.chance(0.5))
      member.hardState = this.#asWritten(member.cached)
    member.cached = null
    if (member.batch !== null && !member.isPersisted) this.#tear(member, member.batch)
    if (this.#init.shell?.losesSynced === true && member.before !== null) {
      member.hardState = member.before.hardState
      member.log = member.before.log
    }
    member.before = null
    member.batch = null
  }

  /** An unsynced batch: nothing of it is on disk, or its hard state, or some of its entries, or both. */
  #tear(member: Member, batch: Ready): void {
    if (this.#random.chance(0.5)) return
    if (batch.hardState !== null && this.#random.chance(0.5))
      member.hardState = this.#asWritten(batch.hardState)
    const kept = batch.entries.slice(0, this.#random.below(batch.entries.length + 1))
    const termBefore = member.log[(kept[0]?.index ?? 1) - 2]?.term ?? 0
    this.monitor.written(member.id, kept, termBefore)
    replayBatch(member.log, kept)
  }

  #start(member: Member): void {
    const create = this.#init.create ?? (init => new Raft(init))
    const isFresh = member.log.length === 0 && member.hardState.term === 0
    const restored = { hardState: member.hardState, entries: [...member.log] }
    member.applied = 0
    member.raft = create({
      id: member.id,
      members: [...this.#members.keys()],
      electionTicksMin: ELECTION_TICKS_MIN,
      heartbeatTicks: 1 + (this.#init.seed % 3),
      random: limit => this.#random.below(limit),
      ...(isFresh ? {} : { restored })
    })
  }

  /** Faults end: within a bounded time one leader commits a new entry everywhere. */
  #settle(): void {
    this.#cut.clear()
    for (const member of this.#members.values()) if (member.raft === null) this.#start(member)
    let target: number | undefined
    for (let round = 0; round < HEAL_ROUNDS_MAX; round++) {
      for (const member of this.#members.values()) this.#input(member, raft => raft.tick())
      this.#drain()
      if (target === undefined) target = this.#proposeToLeader()
      const applied = [...this.#members.values()].map(member => member.applied)
      if (target !== undefined && Math.min(...applied) >= target) return
      // The leader may have changed and with it the uncommitted entry: try again.
      if (round % 50 === 49) target = undefined
    }
    throw new Violation('liveness', `no agreement ${HEAL_ROUNDS_MAX} rounds after all faults ended`)
  }

  #proposeToLeader(): number | undefined {
    const leader = [...this.#running()].find(([, raft]) => raft.status().role === 'leader')
    if (leader === undefined || leader[1].propose(Uint8Array.of(255)) !== null) return undefined
    return leader[1].status().lastIndex
  }

  #drain(): void {
    for (let i = 0; i < 20_000; i++) {
      for (const member of this.#members.values()) this.#finish(member)
      const message = this.#network.shift()
      if (message === undefined) return
      this.#hand(message)
    }
    throw new Violation('liveness', 'members never stop talking')
  }

  #finish(member: Member): void {
    do this.#work(member)
    while (member.batch !== null)
  }

  *#running(): Iterable<readonly [MemberId, Raft]> {
    for (const { id, raft } of this.#members.values()) if (raft !== null) yield [id, raft]
  }
}

function newMember(id: MemberId): Member {
  return {
    id,
    raft: null,
    hardState: { term: 0, vote: null, commit: 0 },
    log: [],
    cached: null,
    before: null,
    batch: null,
    isPersisted: false,
    sentCount: 0,
    applied: 0
  }
}

function isBehind(member: Member): boolean {
  const status = member.raft?.status()
  return status?.role === 'leader' && status.commit < status.lastIndex
}
