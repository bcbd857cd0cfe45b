import { LIVENESS_MUTANTS } from './liveness-mutants.ts'
import type { Edit, Mutant } from './mutant.ts'
import { PLAN_MUTANTS } from './plan-mutants.ts'
import { RAFT_MUTANTS } from './raft-mutants.ts'
import { VOID_MUTANTS } from './void-mutants.ts'

const PROMISES: readonly Mutant[] = [
  {
    name: 'a JOIN is not durable',
    file: 'core/swarm/promises.ts',
    find: `rosterHash: hash },
      { sync: true }`,
    replace: `rosterHash: hash },
      { sync: false }`,
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'a second JOIN for one slot and epoch',
    file: 'core/swarm/promises.ts',
    find: 'if (promised !== undefined && promised.roster !== toHex(hash))',
    replace: 'if (false)',
    rules: ['durability', 'one promise'],
    seedsMax: 20,
    faults: ['requester']
  },
  {
    name: 'a restart forgets JOINs',
    file: 'core/swarm/restart.ts',
    find: 'context.joins.set(',
    replace: 'new Map<string, string>().set(',
    rules: ['one promise', 'durability'],
    seedsMax: 60,
    seedSeen: 18,
    faults: ['requester', 'crash']
  },
  {
    name: 'the choice of a roster is not durable',
    file: 'core/swarm/formation.ts',
    find: `roster: formation.roster
    },
    { sync: true }`,
    replace: `roster: formation.roster
    },
    { sync: false }`,
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'finality votes have no lock',
    file: 'core/swarm/finality.ts',
    find: 'if (!lock(context, thread, stage,',
    replace: 'if (false && !lock(context, thread, stage,',
    also: [
      {
        file: 'core/swarm/finality.ts',
        find: "if (!lock(context, thread, 'decide',",
        replace: "if (false && !lock(context, thread, 'decide',"
      }
    ],
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'the finality lock is not durable',
    file: 'core/swarm/finality.ts',
    find: `stage, digest, proposal },
    { sync: true }`,
    replace: `stage, digest, proposal },
    { sync: false }`,
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'own envelopes go out before they are synced',
    file: 'core/swarm/intake.ts',
    find: '{ sync: local })',
    replace: '{ sync: false })',
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'own envelopes leave inside early appends',
    file: 'core/swarm/early-sends.ts',
    find: 'if (effects.some(keepsOwnEnvelope))',
    replace: 'if (effects.length < 0)',
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'votes leave before their lock is synced',
    file: 'core/swarm/early-sends.ts',
    find: "if (message.type !== 'log') return false",
    replace: "if (message.type !== 'log') return message.type === 'vote'",
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'committed entries reach others before they are synced',
    file: 'core/swarm/early-sends.ts',
    find: 'return message.entries.every(({ index }) => index < first)',
    replace: 'return true',
    rules: ['durability'],
    seedsMax: 100,
    seedSeen: 2
  }
]

/** A day passes at the end of each world. */
const DAYS: Edit = {
  file: 'simulator/plan.ts',
  find: 'const DAY_CHANCE = 0.05',
  replace: 'const DAY_CHANCE = 1'
}

const EPOCHS: readonly Mutant[] = [
  {
    name: 'a seal ignores the decision that its member has locked',
    file: 'core/swarm/promises.ts',
    find: "const lock = context.locks.get(lockKey(thread.scopedSlot(), epoch, 'decide'))",
    replace: "const lock = context.locks.get('none')",
    rules: ['seal', 'carried decision'],
    seedsMax: 60
  },
  {
    name: 'a seal is not durable',
    file: 'core/swarm/promises.ts',
    find: "context.persist({ type: 'sealed', slot: thread.scopedSlot(), epoch, ...seal }, { sync: true })",
    replace:
      "context.persist({ type: 'sealed', slot: thread.scopedSlot(), epoch, ...seal }, { sync: false })",
    rules: ['durability'],
    seedsMax: 60
  },
  {
    name: 'a sealed member goes on voting',
    file: 'core/swarm/promises.ts',
    find: 'thread.member = null',
    replace: 'void thread.member',
    rules: ['seal'],
    seedsMax: 100
  },
  {
    name: 'a sealed member joins',
    file: 'core/swarm/promises.ts',
    find: 'if (context.seals.has(promiseKey(scopedSlot, later))) return true',
    replace: '',
    rules: ['seal'],
    seedsMax: 60,
    seedSeen: 11,
    faults: ['requester', 'crash', 'pause']
  },
  {
    name: 'a new epoch is free whatever the seals show',
    file: 'core/need/bidding.ts',
    find: 'if (state.carried !== null && state.carried.proposal !== admitted.id) return',
    replace: '',
    rules: ['carried decision', 'certificate'],
    seedsMax: 60
  },
  {
    name: 'a member leaves a result that nobody has judged',
    file: 'core/swarm/promises.ts',
    find: 'if (group.log.state.commit !== null || awaitsCommit(context, thread))',
    replace: 'if (group.bytes < 0)',
    rules: ['seal'],
    seedsMax: 20,
    faults: ['hasty']
  },
  {
    name: 'who did not join is invited again at once',
    file: 'core/swarm/candidates.ts',
    find: '({ did }) => wanted.absences.get(did) ?? Number.NEGATIVE_INFINITY',
    replace: '() => Number.NEGATIVE_INFINITY',
    rules: ['liveness'],
    seedsMax: 60,
    seedSeen: 42,
    faults: ['absentee']
  },
  {
    name: 'two seals of four suffice',
    file: 'core/swarm/sealing.ts',
    find: 'if (all < quorumOf(sealing.roster.length)) continue',
    replace: 'if (all < 2) continue',
    also: [
      {
        file: 'core/roster/seal.ts',
        find: 'return sealing.size >= quorum',
        replace: 'return sealing.size >= 2'
      }
    ],
    rules: ['certificate', 'carried decision'],
    seedsMax: 60,
    seedSeen: 6
  },
  {
    name: 'tombstones are dropped',
    file: 'core/swarm/ending.ts',
    find: 'context.tombstones.add(tombstone)',
    replace: 'void tombstone',
    rules: ['one promise', 'one decision', 'one outcome', 'durability', 'liveness', 'tombstone'],
    seedsMax: 60,
    seedSeen: 9
  },
  {
    name: 'one member that lies in its SEAL binds the next group',
    file: 'core/swarm/sealing.ts',
    find: 'const isDoubtful = rank(shown) < 2 && count <= faultyMax(sealing)',
    replace: 'const isDoubtful = false',
    rules: ['seal'],
    seedsMax: 80,
    seedSeen: 50,
    faults: ['sealer', 'delay']
  },
  {
    name: 'tombstones stand for ever',
    file: 'core/swarm/tombstones.ts',
    find: 'const isOver = untilOf(packed) <= nowMs',
    replace: 'const isOver = untilOf(packed) < 0',
    also: [DAYS],
    rules: ['tombstone'],
    seedsMax: 20,
    faults: []
  }
]

const DOOR: readonly Mutant[] = [
  {
    name: 'what has expired is taken',
    file: 'core/envelope/freshness.ts',
    find: 'if (forgottenAt(envelope) < nowMs)',
    replace: 'if (forgottenAt(envelope) < 0)',
    also: [
      {
        file: 'core/envelope/replay-guard.ts',
        find: 'if (forgottenAt(admitted.envelope) < this.#sweptAtMs)',
        replace: 'if (forgottenAt(admitted.envelope) < 0)'
      },
      DAYS
    ],
    rules: ['door'],
    seedsMax: 20,
    faults: []
  },
  {
    name: 'two envelopes of one sender with one clock value are taken',
    file: 'core/envelope/replay-guard.ts',
    find: 'if (sender.ids.has(lamport))',
    replace: 'if (sender.ids.has(-1))',
    rules: ['door'],
    seedsMax: 20,
    faults: ['actor']
  },
  {
    name: 'certificates are kept as often as they are said',
    file: 'core/swarm/certified-room.ts',
    find: 'if (!isInsider(thread, certificate, sender)) return false',
    replace: '',
    rules: ['copies'],
    seedsMax: 20,
    faults: ['copier']
  },
  {
    name: 'nobody says too much',
    file: 'core/envelope/author-rate.ts',
    find: 'return this.#tokensOf(sender, nowMs) >= TOKEN ?',
    replace: 'return this.#tokensOf(sender, nowMs) >= 0 ?',
    rules: ['door'],
    seedsMax: 20,
    faults: ['forge']
  }
]

const OMISSIONS: readonly Mutant[] = [
  {
    name: 'a leader ends the challenge window over what it leaves out',
    file: 'core/swarm/member.ts',
    find: "return found === 'complete' && !this.#cutsOff(message)",
    replace: "return found === 'complete'",
    rules: ['challenge'],
    seedsMax: 50,
    seedSeen: 6,
    faults: ['omitter', 'noise']
  },
  {
    name: 'what another leader left out is logged when it is too late',
    file: 'core/swarm/member.ts',
    find: 'this.#lagMs = nowMs - before + this.#thread.unlogged.size',
    replace: 'this.#lagMs = 0',
    rules: ['challenge'],
    seedsMax: 50,
    seedSeen: 6,
    faults: ['omitter', 'noise']
  }
]

const CERTIFICATES: readonly Mutant[] = [
  {
    name: 'a certificate counts one signer twice',
    file: 'core/roster/certificate.ts',
    find: 'if (signers.size < quorumOf(roster.length)) {',
    replace: 'if (certificate.votes.length < quorumOf(roster.length)) {',
    rules: ['certificate'],
    seedsMax: 40,
    faults: ['forge']
  },
  {
    name: 'a signer outside the roster counts',
    file: 'core/roster/certificate.ts',
    find: 'if (roster.includes(vote.member) && verify(vote.member, message, vote.sig))',
    replace: 'if (verify(vote.member, message, vote.sig))',
    rules: ['certificate'],
    seedsMax: 40,
    faults: ['forge']
  },
  {
    name: 'votes are not verified',
    file: 'core/roster/certificate.ts',
    find: 'if (roster.includes(vote.member) && verify(vote.member, message, vote.sig))',
    replace: 'if (roster.includes(vote.member))',
    rules: ['certificate'],
    seedsMax: 40,
    faults: ['forge']
  },
  {
    name: 'two thirds suffice',
    file: 'core/roster/draw.ts',
    find: 'return Math.floor((rosterSize * 2) / 3) + 1',
    replace: 'return Math.floor((rosterSize * 2) / 3)',
    rules: ['certificate'],
    seedsMax: 40
  },
  {
    name: 'a FORM holds without all JOINs',
    file: 'core/roster/form.ts',
    find: 'return valid.size === payload.roster.length',
    replace: 'return valid.size > 0',
    rules: ['certificate'],
    seedsMax: 60,
    seedSeen: 1,
    faults: ['requester']
  },
  {
    name: 'an envelope is called without its signature',
    file: 'core/envelope/held.ts',
    find: 'id ?? idOf(bytes)',
    replace: 'id ?? idOf(bytes.slice(80))',
    rules: ['identity'],
    seedsMax: 20
  }
]

const THREADS: readonly Mutant[] = [
  {
    name: 'a stale fence is accepted at apply',
    file: 'core/need/working.ts',
    find: 'const current = compareFence(envelope.fence, lease.fence) === 0',
    replace: 'const current = compareFence(envelope.fence, lease.fence) <= 0',
    rules: ['fencing'],
    seedsMax: 100,
    seedSeen: 5,
    faults: ['stall']
  },
  {
    name: 'leases do not run out',
    file: 'core/need/working.ts',
    find: 'return current && envelope.sender === lease.holder && state.at.stamp < lease.expiresAt',
    replace: 'return current && envelope.sender === lease.holder',
    also: [
      {
        file: 'core/need/working.ts',
        find: "if (state.phase !== 'CLAIMED' || state.lease === null || state.at.stamp < state.lease.expiresAt)",
        replace: 'if (state.phase === state.phase)'
      }
    ],
    rules: ['fencing', 'crash'],
    seedsMax: 60,
    seedSeen: 5,
    faults: ['stall']
  },
  {
    name: 'a lease is judged by the wall clock',
    file: 'core/swarm/following.ts',
    find: 'const applied = group.log.apply(entry)',
    replace: `const { lease } = group.log.state
    if (lease !== null && context.nowMs >= lease.expiresAt) lease.expiresAt = 0
    const applied = group.log.apply(entry)`,
    rules: ['replay', 'fencing', 'one decision', 'one outcome', 'liveness', 'evidence'],
    seedsMax: 60,
    seedSeen: 1,
    faults: ['stall', 'skew', 'pause']
  },
  {
    name: 'two FORMs are adopted',
    file: 'core/swarm/intake.ts',
    find: 'if (thread.group !== null && epoch <= thread.epoch())',
    replace: 'if (false)',
    rules: ['one promise', 'crash', 'replay'],
    seedsMax: 60,
    seedSeen: 17,
    faults: ['requester']
  },
  {
    name: 'a proposal is decided without findings',
    file: 'core/need/bidding.ts',
    find: 'proposal => proposal.counted.length >= kPlan',
    replace: 'proposal => proposal.counted.length >= kPlan - 1',
    rules: ['findings'],
    seedsMax: 60,
    faults: ['slow-verifier']
  },
  {
    name: 'the bid window is not waited for',
    file: 'core/need/bidding.ts',
    find: 'if (state.at.stamp < bidsUntil(state, state.startedAt, windows.bidMs)) return false',
    replace: '',
    rules: ['log time'],
    seedsMax: 20
  },
  {
    name: 'payouts are not conserved',
    file: 'core/ledger/settle.ts',
    find: 'payouts.push({ to, amount, why })',
    replace: "payouts.push({ to, amount: why === 'refund' ? amount + 1n : amount, why })",
    rules: ['ledger'],
    seedsMax: 20
  },
  {
    name: 'work is paid for that is not final',
    file: 'core/need/need-log.ts',
    find: "const paid = state.phase === 'FINAL' && proposal !== undefined",
    replace: 'const paid = proposal !== undefined',
    rules: ['ledger'],
    seedsMax: 60,
    seedSeen: 1
  },
  {
    name: 'a challenge without findings is upheld',
    file: 'core/need/judging.ts',
    find: "dispute.status = findings.length - passes > passes ? 'upheld' : 'dismissed'",
    replace: "dispute.status = findings.length - passes >= passes ? 'upheld' : 'dismissed'",
    rules: ['verdict'],
    seedsMax: 100,
    faults: ['noise']
  },
  {
    name: 'challenges change nothing',
    file: 'core/need/judging.ts',
    find: "state.phase = upheld === undefined ? 'FINAL' : 'INVALID'",
    replace: "state.phase = 'FINAL'",
    rules: ['verdict'],
    seedsMax: 60,
    seedSeen: 17,
    faults: ['noise', 'failed-verifier', 'slow-verifier']
  },
  {
    name: 'rejected results pass',
    file: 'core/need/judging.ts',
    find: 'if (passes >= kResult && passes > rejects) {',
    replace: 'if (passes + rejects >= kResult) {',
    rules: ['verdict'],
    seedsMax: 100,
    seedSeen: 1,
    faults: ['bad-work']
  },
  {
    name: 'expiry never ends a thread',
    file: 'core/swarm/duties.ts',
    find: 'if (context.nowMs < giveUpAt(world, thread)) return',
    replace: 'return',
    rules: ['liveness'],
    seedsMax: 60
  },
  {
    name: 'a leader offers no ticks, so that deadlines pass unseen',
    file: 'core/swarm/member.ts',
    find: 'return (due && this.#propose(null)) || proposed',
    replace: 'return proposed',
    rules: ['liveness'],
    seedsMax: 20,
    faults: []
  }
]

/** Every deliberate bug that the simulator has to find. */
export const MUTANTS: readonly Mutant[] = [
  ...RAFT_MUTANTS,
  ...PROMISES,
  ...EPOCHS,
  ...DOOR,
  ...OMISSIONS,
  ...CERTIFICATES,
  ...THREADS,
  ...LIVENESS_MUTANTS,
  ...PLAN_MUTANTS,
  ...VOID_MUTANTS
]
