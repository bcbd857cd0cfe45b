import type { Edit, Mutant } from './mutant.ts'

/** Members need many attempts until somebody holds a certificate, and get there. A setting and no bug: seeds pass with it. */
export const MOST_VOTES_ARE_LOST: Edit = {
  file: 'simulator/world.ts',
  find: 'const parts = this.#isEncoded ?',
  replace:
    "const parts = message.type === 'vote' && this.random.chance(0.7) ? [] : this.#isEncoded ?"
}

/** Bugs that break no promise: nodes only do not go on, and threads end because their time is over. */
export const LIVENESS_MUTANTS: readonly Mutant[] = [
  {
    name: 'a member does not stand for election after the first term',
    file: 'core/raft/election.ts',
    find: 'if (mayStand(state)) startPreVote(state)',
    replace: 'if (mayStand(state) && state.term === 0) startPreVote(state)',
    rules: ['liveness'],
    seedsMax: 300,
    seedSeen: 71
  },
  {
    name: 'a restart leaves groups',
    file: 'core/swarm/restart.ts',
    find: '    startMember(world, thread)\n',
    replace: '    void startMember\n',
    rules: ['liveness'],
    seedsMax: 1_000,
    seedSeen: 521
  },
  {
    name: 'a requester opens no epoch by itself',
    file: 'core/swarm/reform.ts',
    find: 'if (plan === null || context.nowMs < plan.at) return',
    replace: 'if (plan === null || context.nowMs > 0) return',
    rules: ['liveness'],
    seedsMax: 20,
    faults: ['absentee', 'crash']
  },
  {
    name: 'nobody answers who asks for seals',
    file: 'core/swarm/formation.ts',
    find: "else if (message.type === 'seal-ask') answerSealAsk",
    replace: "else if (message.type === 'decline') answerSealAsk",
    rules: ['liveness'],
    seedsMax: 20,
    faults: ['absentee', 'crash']
  },
  {
    name: 'who lost a lease gets no other',
    file: 'core/need/working.ts',
    find: 'if (!mayClaim(state, admitted) || state.decision === null) return',
    replace:
      'if (!mayClaim(state, admitted) || state.decision === null || state.claims > 0) return',
    rules: ['liveness'],
    seedsMax: 60,
    seedSeen: 12
  },
  {
    name: 'votes are not repeated',
    file: 'core/swarm/finality.ts',
    find: 'const isDue = context.nowMs - derived.votedAt >= context.settings.retryMs',
    replace: 'const isDue = derived.votedAt < 0',
    also: [MOST_VOTES_ARE_LOST],
    rules: ['liveness'],
    seedsMax: 20,
    seedSeen: 1
  }
]
