/**
 * A group of members in a virtual world: one seed chooses every tick, delivery, loss, duplication, reordering, partition and crash, and
 * when members write snapshots, change who takes part, hand over, forward, sleep. Each stage of a batch (taken, persisted, each message
 * sent, applied) is an action of its own, so crashes and inputs fall between any two of them.
 */
import {
  ENTRY_BYTES_MAX,
  type MemberId,
  Raft,
  type RaftInit,
  type RaftMessage,
  type Ready
} from '../../src/core/raft/index.ts'
import { RaftDisk, type ShellFaults } from './raft-disk.ts'
import {
  type Applied,
  asSnapshotData,
  fromSnapshotData,
  NOTHING_APPLIED,
  RaftMonitor,
  Violation
} from './raft-monitor.ts'
import { type Faults, HABITS, type Habits, WORLDS } from './raft-worlds.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

export type ClusterInit = {
  readonly seed: number
  /** Voters at the beginning. */
  readonly size: number
  /** One of WORLDS, by the seed, unless given. */
  readonly faults?: Faults
  /** One of HABITS, by the seed, unless given. */
  readonly habits?: Habits
  /** Builds a member; a mutant in tests of the harness. */
  readonly create?: (init: RaftInit) => Raft
  readonly shell?: ShellFaults
  /** Also check at each sending that promises are on disk. Off where a mutant shall be caught by its consequences. */
  readonly watchDurability?: boolean
}

const ELECTION_TICKS_MIN = 10
/** Members that are not in the group at first, where members change. */
const SPARES = 2
/** Shared buffers under all entries: the monitor tells entries apart by object, not by content. */
const LARGE = new ArrayBuffer(ENTRY_BYTES_MAX)
const SMALL = new ArrayBuffer(1)
const NETWORK_MESSAGES_MAX = 300

export type Member = {
  readonly id: MemberId
  readonly disk: RaftDisk
  raft: Raft | null
  batch: Ready | null
  isPersisted: boolean
  sentCount: number
  applied: Applied
}

export class RaftCluster {
  readonly monitor = new RaftMonitor()
  readonly members = new Map<MemberId, Member>()
  readonly random: SeededRandom
  /** Messages under way. */
  network: RaftMessage[] = []
  readonly #init: ClusterInit
  readonly #faults: Faults
  readonly #habits: Habits
  readonly #founders: MemberId[]
  /** Pairs `from>to` that do not get through. */
  #cut = new Set<string>()

  constructor(init: ClusterInit) {
    this.#init = init
    this.#faults = init.faults ?? (WORLDS[init.seed % WORLDS.length] as Faults)
    this.#habits = init.habits ?? (HABITS[init.seed % HABITS.length] as Habits)
    this.random = seededRandom(init.seed)
    const spares = this.#habits.change > 0 ? SPARES : 0
    const ids = Array.from({ length: init.size + spares }, (_, i) => `m${i}`)
    this.#founders = ids.slice(0, init.size)
    for (const id of ids) this.members.set(id, this.#newMember(id))
    for (const member of this.members.values()) this.start(member)
  }

  /** One line that differs as soon as a run went another way. */
  digest(): string {
    return [...this.members.values()]
      .map(
        ({ id, disk: { hardState, log } }) =>
          `${id} ${hardState.term} ${hardState.vote} ${log.map(entry => entry.term)}`
      )
      .join('; ')
  }

  /** One random action. */
  act(): void {
    const faults = this.#faults
    const member = this.random.pick([...this.members.values()])
    const dice = this.random.below(100)
    if (dice < 8) this.input(member, raft => raft.tick())
    else if (dice < 12) this.#propose(member)
    else if (dice < 55) this.work(member)
    else this.#deliver()
    this.#indulge(member)
    // A batch in the works is where a crash hurts.
    if (this.random.chance(member.batch === null ? faults.crash / 4 : faults.crash))
      this.crash(member)
    if (isBehind(member) && this.random.chance(faults.leaderCrash)) this.crash(member)
    if (member.raft === null && this.random.chance(faults.restart)) this.start(member)
    if (this.random.chance(faults.partition)) this.#partition()
    if (this.random.chance(faults.heal)) this.heal()
  }

  /** What a member may take into its head. */
  #indulge(member: Member): void {
    const { snapshot, change, quiesce, forward, transfer } = this.#habits
    const { random } = this
    if (random.chance(0.002)) this.input(member, raft => raft.campaign())
    if (random.chance(transfer)) {
      const successor = random.pick([...this.members.keys()])
      this.input(member, raft => raft.transferTo(successor))
    }
    if (random.chance(snapshot)) this.#compact(member)
    if (random.chance(change)) this.#change(member)
    if (random.chance(forward)) this.input(member, raft => raft.forward(new Uint8Array(SMALL)))
    if (random.chance(quiesce)) this.#sleepOrWake(member)
  }

  #sleepOrWake(member: Member): void {
    this.input(member, raft => {
      const wasQuiescent = raft.status().quiescent
      if (wasQuiescent && this.random.chance(0.1)) {
        raft.wake()
        this.monitor.counts.woken++
      } else if (raft.quiesce() && !wasQuiescent) this.monitor.counts.slept++
    })
  }

  #compact(member: Member): void {
    const { applied } = member
    this.input(member, raft => raft.compact(applied.index, asSnapshotData(applied)))
  }

  /** Anybody who is a voter or has learnt may vote next; anybody else may learn. */
  #change(member: Member): void {
    this.input(member, raft => {
      const { voters, learners } = raft.configuration()
      const eligible = [...voters, ...learners]
      const chosen = eligible.filter(() => this.random.chance(0.7))
      const others = [...this.members.keys()].filter(id => !chosen.includes(id))
      const learning = others.filter(() => this.random.chance(0.7))
      raft.changeMembers({ voters: chosen, learners: learning })
    })
  }

  input(member: Member, action: (raft: Raft) => void): void {
    if (member.raft === null) return
    action(member.raft)
    this.monitor.member(member.id, member.raft)
  }

  #propose(member: Member): void {
    // Large entries travel one or two at a time, so that logs also grow step by step.
    const buffer = this.random.chance(0.5) ? SMALL : LARGE
    const count = 1 + this.random.below(this.#habits.burst)
    this.input(member, raft => {
      for (let i = 0; i < count; i++) raft.propose(new Uint8Array(buffer))
    })
  }

  /** The next stage of a member's batch. */
  work(member: Member): void {
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
    if (!member.isPersisted && persistsNow) {
      member.disk.write(batch)
      member.isPersisted = true
    } else if (!isSent) this.#send(member, batch.messages[member.sentCount++] as RaftMessage)
    else this.#apply(member, raft, batch)
  }

  #send(member: Member, message: RaftMessage): void {
    if (this.#init.watchDurability !== false) this.monitor.sent(message, member.disk)
    this.network.push(message)
    if (this.network.length > NETWORK_MESSAGES_MAX) this.#take()
  }

  #apply(member: Member, raft: Raft, batch: Ready): void {
    const known = this.monitor.committedCount
    if (batch.snapshot !== null && batch.snapshot.index > member.applied.index)
      member.applied = this.monitor.installed(member.id, batch.snapshot)
    member.applied = this.monitor.handedOut(member.id, raft, member.applied, batch.committed)
    this.monitor.leadersHold(this.running(), known)
    member.batch = null
    this.input(member, () => raft.advance())
    for (const forwarded of batch.forwarded) {
      if (this.#init.watchDurability !== false) this.monitor.forwarded(forwarded)
      this.input(member, () => raft.propose(forwarded.data))
    }
  }

  #deliver(): void {
    const message = this.#take()
    if (message === undefined) return
    if (this.random.chance(this.#faults.duplication)) this.network.push(message)
    if (this.random.chance(this.#faults.loss)) return
    this.hand(message)
  }

  /** A message arrives, unless the network is cut there. */
  hand(message: RaftMessage): void {
    if (this.#cut.has(`${message.from}>${message.to}`)) return
    const member = this.members.get(message.to)
    if (member !== undefined) this.input(member, raft => raft.step(message))
  }

  /** Any message may overtake any other; older ones are likelier to come first. */
  #take(): RaftMessage | undefined {
    if (this.network.length === 0) return undefined
    const at = Math.min(
      this.random.below(this.network.length),
      this.random.below(this.network.length)
    )
    return this.network.splice(at, 1)[0]
  }

  #partition(): void {
    const ids = [...this.members.keys()]
    const inside = new Set(ids.filter(() => this.random.chance(0.5)))
    const isOneWay = this.random.chance(0.3)
    this.#cut.clear()
    for (const from of ids) {
      for (const to of ids) {
        if (inside.has(from) && !inside.has(to)) this.#cut.add(`${from}>${to}`)
        if (!isOneWay && !inside.has(from) && inside.has(to)) this.#cut.add(`${from}>${to}`)
      }
    }
  }

  heal(): void {
    this.#cut.clear()
  }

  crash(member: Member): void {
    if (member.raft === null) return
    member.raft = null
    member.disk.crash(this.random, member.isPersisted ? null : member.batch)
    member.batch = null
  }

  start(member: Member): void {
    const create = this.#init.create ?? (init => new Raft(init))
    const { restored, snapshot } = member.disk
    member.applied = snapshot === null ? NOTHING_APPLIED : fromSnapshotData(snapshot.data)
    const isFounder = this.#founders.includes(member.id)
    member.raft = create({
      id: member.id,
      members: isFounder ? this.#founders : [],
      changesMembers: this.#habits.change > 0,
      electionTicksMin: ELECTION_TICKS_MIN,
      heartbeatTicks: 1 + (this.#init.seed % 3),
      random: limit => this.random.below(limit),
      ...(restored === undefined ? {} : { restored })
    })
  }

  *running(): Iterable<readonly [MemberId, Raft]> {
    for (const { id, raft } of this.members.values()) if (raft !== null) yield [id, raft]
  }

  /** Everything is delivered, and all batches are worked off, until nobody says anything. */
  drain(hand: (message: RaftMessage) => void = message => this.hand(message)): void {
    for (let i = 0; i < 20_000; i++) {
      for (const member of this.members.values()) {
        do this.work(member)
        while (member.batch !== null)
      }
      const message = this.network.shift()
      if (message === undefined) return
      hand(message)
    }
    throw new Violation('liveness', 'members never stop talking')
  }

  #newMember(id: MemberId): Member {
    const onWritten = this.monitor.written.bind(this.monitor, id)
    return {
      id,
      disk: new RaftDisk(this.#init.shell ?? {}, onWritten),
      raft: null,
      batch: null,
      isPersisted: false,
      sentCount: 0,
      applied: NOTHING_APPLIED
    }
  }
}

function isBehind(member: Member): boolean {
  const status = member.raft?.status()
  return status?.role === 'leader' && status.commit < status.lastIndex
}
