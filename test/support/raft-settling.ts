/**
 * The end of a run: faults stop, and the group must agree again, sleep in silence, put up with a lost message, and find out that its leader died in
 * its sleep. Each within a bounded number of rounds (a tick for each member, then everything delivered).
 */
import type { RaftMessage } from '../../src/core/raft/index.ts'
import type { Member, RaftCluster } from './raft-cluster.ts'
import { Violation } from './raft-monitor.ts'

/** Rounds in which a healed cluster agrees. */
const HEAL_ROUNDS_MAX = 400
/** Rounds of silence that are watched: more than two election timeouts. */
const SILENT_ROUNDS = 50

/** Throws Violation. */
export function settle(cluster: RaftCluster): void {
  cluster.heal()
  for (const member of cluster.members.values()) if (member.raft === null) cluster.start(member)
  agree(cluster)
  stayAsleep(cluster, fallAsleep(cluster, null))
  cluster.input(someVoter(cluster, null), raft => raft.wake())
  agree(cluster)
  keepTerm(cluster, fallAsleep(cluster, someVoter(cluster, leaderOf(cluster))))
  const dead = fallAsleep(cluster, null)
  if ((dead.raft?.configuration().voters.length ?? 0) < 3) return
  const woken = someVoter(cluster, dead)
  cluster.crash(dead)
  // The layer above has work there.
  cluster.input(woken, raft => raft.wake())
  agree(cluster)
}

/** One leader commits a new entry everywhere. */
function agree(cluster: RaftCluster): void {
  let target: number | undefined
  for (let round = 0; round < HEAL_ROUNDS_MAX; round++) {
    tick(cluster)
    if (target === undefined) target = proposeToLeader(cluster)
    const applied = participants(cluster).map(member => member.applied.index)
    if (target !== undefined && applied.length > 0 && Math.min(...applied) >= target) return
    // The leader may have changed and with it the uncommitted entry: try again.
    if (round % 50 === 49) target = undefined
  }
  throw new Violation('liveness', `no agreement ${HEAL_ROUNDS_MAX} rounds after all faults ended`)
}

/** The leader sends everybody to sleep; `deaf` does not hear it. */
function fallAsleep(cluster: RaftCluster, deaf: Member | null): Member {
  for (let round = 0; round < HEAL_ROUNDS_MAX; round++) {
    tick(cluster)
    const leader = leaderOf(cluster)
    if (leader?.raft?.quiesce() !== true) continue
    cluster.drain(message => {
      const isLost = message.type === 'heartbeat' && message.quiesce && message.to === deaf?.id
      if (!isLost) cluster.hand(message)
    })
    return leader
  }
  throw new Violation('quiescence', 'a group with nothing to do never sleeps')
}

function stayAsleep(cluster: RaftCluster, leader: Member): void {
  const awake = participants(cluster).filter(({ raft }) => raft?.status().quiescent !== true)
  if (awake.length > 0)
    throw new Violation('quiescence', `${awake.map(({ id }) => id)} did not fall asleep`)
  const sleepers = participants(cluster)
  for (let round = 0; round < SILENT_ROUNDS; round++) {
    // Those who were removed are not asleep, and not part of it.
    for (const member of sleepers) cluster.input(member, raft => raft.tick())
    cluster.drain((message: RaftMessage) => {
      throw new Violation('quiescence', `${message.from} says ${message.type} in its sleep`)
    })
  }
  if (leader.raft?.status().role !== 'leader')
    throw new Violation('quiescence', 'the leader lost its office in its sleep')
}

/** A member missed that it should sleep: it must not make anybody change the leader. */
function keepTerm(cluster: RaftCluster, leader: Member): void {
  const term = leader.raft?.status().term
  for (let round = 0; round < SILENT_ROUNDS; round++) tick(cluster)
  const now = leaderOf(cluster)
  if (now !== leader || now.raft?.status().term !== term)
    throw new Violation('quiescence', `a lost message cost ${leader.id} its office`)
}

function tick(cluster: RaftCluster): void {
  for (const member of cluster.members.values()) cluster.input(member, raft => raft.tick())
  cluster.drain()
}

function leaderOf(cluster: RaftCluster): Member | null {
  const leaders = [...cluster.members.values()].filter(
    ({ raft }) => raft?.status().role === 'leader'
  )
  // One that was cut off may not know yet that it lost its office.
  return (
    leaders.sort((a, b) => (b.raft?.status().term ?? 0) - (a.raft?.status().term ?? 0))[0] ?? null
  )
}

/** Those whom the leader's configuration names, as far as they run. */
function participants(cluster: RaftCluster): Member[] {
  const configuration = leaderOf(cluster)?.raft?.configuration()
  if (configuration === undefined) return []
  const { voters, outgoing, learners } = configuration
  const ids = [...voters, ...outgoing, ...learners]
  return [...cluster.members.values()].filter(({ id, raft }) => raft !== null && ids.includes(id))
}

/** A voter other than `except`, where there is one. */
function someVoter(cluster: RaftCluster, except: Member | null): Member {
  const leader = leaderOf(cluster) as Member
  const voters = leader.raft?.configuration().voters.filter(id => id !== except?.id) ?? []
  const chosen = voters.length === 0 ? leader.id : cluster.random.pick(voters)
  return cluster.members.get(chosen) as Member
}

function proposeToLeader(cluster: RaftCluster): number | undefined {
  const leader = leaderOf(cluster)?.raft
  if (leader === undefined || leader === null) return undefined
  if (leader.propose(Uint8Array.of(255)) !== null) return undefined
  return leader.status().lastIndex
}
