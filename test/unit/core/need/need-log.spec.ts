/**
 * Goal: every transition of a NEED's life, and every entry that must be void, as a function of the log alone (R14, R15, R18, P2, P4, P5).
 * Method: a table of hand-made logs, each with the phase and the reason that it leads to.
 */
import { strict as assert } from 'node:assert'
import { encode } from '../../../../src/core/codec/index.ts'
import { encodeEntry, type NeedPhase } from '../../../../src/core/need/index.ts'
import { did, NeedWorld, REQUESTER, T0, WORKER } from '../../../support/need-world.ts'
import { planPayload } from '../../../support/plan-payload.ts'

type Row = {
  readonly title: string
  readonly need?: ConstructorParameters<typeof NeedWorld>[0]
  readonly form?: ConstructorParameters<typeof NeedWorld>[1]
  readonly run: (world: NeedWorld) => void
  readonly phase: NeedPhase
  readonly reason?: RegExp
}

const BIDDING: readonly Row[] = [
  {
    title: 'does not decide before the bid window has passed',
    run: world => {
      const proposal = world.propose(WORKER)
      world.at(1, proposal)
      world.at(2, world.attestPlan(2, proposal))
      world.at(200)
    },
    phase: 'BIDDING',
    reason: /bid window/u
  },
  {
    title: 'decides at the first stamp after the bid window',
    run: world => {
      const proposal = world.propose(WORKER)
      world.at(1, proposal)
      world.at(2, world.attestPlan(2, proposal))
      world.at(201)
    },
    phase: 'DECIDED'
  },
  {
    title: 'decides late when the attestation comes late',
    run: world => {
      const proposal = world.propose(WORKER)
      world.at(1, proposal)
      world.at(5_000, world.attestPlan(2, proposal))
    },
    phase: 'DECIDED'
  },
  {
    title: 'takes no attestation of the proposer or the requester',
    run: world => {
      const proposal = world.propose(WORKER)
      world.at(1, proposal)
      world.at(2, world.attestPlan(WORKER, proposal))
      world.at(3, world.attestPlan(REQUESTER, proposal))
      world.at(300)
    },
    phase: 'BIDDING',
    reason: /none has the 1 independent/u
  },
  {
    title: 'counts a verifier once',
    need: { kPlan: 2 },
    run: world => {
      const proposal = world.propose(WORKER)
      world.at(1, proposal)
      world.at(2, world.attestPlan(2, proposal))
      world.at(3, world.attestPlan(2, proposal))
      world.at(300)
    },
    phase: 'BIDDING',
    reason: /none has the 2 independent/u
  },
  {
    title: 'takes no bid of the requester, none above the budget, none for another NEED',
    run: world => {
      for (const proposal of [world.propose(REQUESTER), world.propose(WORKER, 101n)]) {
        world.at(world.log.state.at.index + 1, proposal)
        world.at(world.log.state.at.index + 1, world.attestPlan(2, proposal))
      }
      const other = new NeedWorld({ slot: 'other' })
      world.at(50, other.propose(3))
      world.at(300)
    },
    phase: 'BIDDING',
    reason: /no proposal/u
  },
  {
    title: 'lets the requester work alone in single-node mode',
    need: { solo: true },
    form: { tier: 'single', roster: [did(REQUESTER)] },
    run: world => {
      const proposal = world.propose(REQUESTER)
      world.at(1, proposal)
      world.at(2, world.attestPlan(REQUESTER, proposal))
      world.at(300)
    },
    phase: 'DECIDED'
  },
  {
    title: 'expires at the very stamp of expiresAt, even with an eligible proposal',
    run: world => {
      const proposal = world.propose(WORKER)
      world.at(1, proposal)
      world.at(2, world.attestPlan(2, proposal))
      world.at(20_000)
    },
    phase: 'EXPIRED',
    reason: /^expired: waiting for the bid window/u
  }
]

/** None of these may bring a proposal about. */
const VOID: readonly Row[] = [
  {
    title: 'an entry with the stamp of the one before',
    run: world => {
      world.at(1)
      world.at(1, world.propose(WORKER))
    },
    phase: 'BIDDING'
  },
  {
    title: 'an entry with an earlier stamp',
    run: world => {
      world.at(2)
      world.at(1, world.propose(WORKER))
    },
    phase: 'BIDDING'
  },
  {
    title: 'bytes that are no body, and the empty entry of a new leader',
    run: world => {
      world.raw(new Uint8Array(0))
      world.raw(Uint8Array.of(0xff, 0x00))
      world.raw(encode([1, null, null]))
      world.raw(encode({ stamp: 1, envelope: null }))
    },
    phase: 'BIDDING'
  },
  {
    title: 'a verb that is not logged, and bytes that are no envelope',
    run: world => {
      world.at(1, world.need)
      world.at(2, world.form)
      world.raw(encodeEntry({ stamp: T0 + 3, envelope: Uint8Array.of(1, 2, 3) }))
    },
    phase: 'BIDDING'
  },
  {
    title: 'an envelope that somebody else signed',
    run: world => {
      const proposal = world.propose(WORKER)
      const stolen = world.propose(3)
      const bytes = encode({ ...proposal.envelope, sig: stolen.envelope.sig })
      world.raw(encodeEntry({ stamp: T0 + 1, envelope: bytes }))
    },
    phase: 'BIDDING'
  },
  {
    title: 'an envelope whose time is over in log time',
    run: world => {
      const { need } = world
      const payload = {
        need: need.cid,
        patch: [],
        ballot: { cost: 1n, etaMs: 1, bond: 0n },
        shardDependencies: [],
        standing: null
      }
      world.at(10, world.seal(WORKER, 'PROPOSE', payload, { notAfter: T0 + 9 }))
    },
    phase: 'BIDDING'
  },
  {
    title: 'a second envelope with a Lamport value that its sender has used',
    run: world => {
      world.at(1, world.seal(WORKER, 'UPDATE_PLAN', planPayload(), { lamport: 77 }))
      const payload = {
        need: world.need.cid,
        patch: [],
        ballot: { cost: 1n, etaMs: 1, bond: 0n },
        shardDependencies: [],
        standing: null
      }
      world.at(2, world.seal(WORKER, 'PROPOSE', payload, { lamport: 77 }))
    },
    phase: 'BIDDING'
  }
]

const WORKING: readonly Row[] = [
  {
    title: 'a CLAIM of somebody else, of another epoch, or before the decision is void',
    run: world => {
      world.at(1, world.claim(WORKER))
      world.decided()
      world.at(301, world.claim(2))
      world.at(302, world.claim(WORKER, 1))
    },
    phase: 'BIDDING'
  },
  {
    title: 'the lease ends at its very stamp: a COMMIT then is void',
    run: world => {
      world.decided().at(310, world.claim(WORKER))
      world.at(1_310, world.commit(WORKER))
    },
    phase: 'DECIDED',
    reason: /lost its lease/u
  },
  {
    title: 'a HEARTBEAT renews, so that a later COMMIT counts',
    run: world => {
      world.decided().at(310, world.claim(WORKER))
      const beat = { task: world.task(), progress: 50 }
      world.at(1_309, world.seal(WORKER, 'HEARTBEAT', beat, { epoch: 0, fence: world.fence() }))
      world.at(2_308, world.commit(WORKER))
    },
    phase: 'COMMITTED'
  },
  {
    title: 'a COMMIT without outputs or of another sender is void',
    run: world => {
      world.decided().at(310, world.claim(WORKER))
      world.at(320, world.commit(WORKER, []))
      world.at(321, world.commit(2))
    },
    phase: 'CLAIMED'
  },
  {
    title: 'a worker that yields twice ends the thread at once',
    run: world => {
      world.decided()
      for (const at of [310, 330]) {
        world.at(at, world.claim(WORKER))
        const payload = { task: world.task(), reason: 'no such model' }
        world.at(at + 5, world.seal(WORKER, 'YIELD', payload, { epoch: 0, fence: world.fence() }))
      }
    },
    phase: 'EXPIRED',
    reason: /gave the task back 2 times: .*no such model/u
  },
  {
    title: 'a worker that yields may claim again',
    run: world => {
      world.decided().at(310, world.claim(WORKER))
      const payload = { task: world.task(), reason: 'lunch' }
      world.at(320, world.seal(WORKER, 'YIELD', payload, { epoch: 0, fence: world.fence() }))
      world.at(330, world.claim(WORKER))
    },
    phase: 'CLAIMED'
  },
  {
    title: 'a lease does not outlive the NEED',
    run: world => {
      world.decided().at(19_500, world.claim(WORKER))
      world.at(20_000, world.commit(WORKER))
    },
    phase: 'EXPIRED',
    reason: /expired: the worker is at it/u
  }
]

const JUDGING: readonly Row[] = [
  {
    title: 'one pass of one needed is VERIFIED',
    run: world => world.judged([[2, true]]),
    phase: 'VERIFIED'
  },
  {
    title: 'two needed, one sealed: EXPIRED when the window has passed',
    need: { kResult: 2 },
    run: world => {
      world.committed().at(401, world.sealVerdict(2, true))
      world.at(2_400)
    },
    phase: 'EXPIRED',
    reason: /1 verifier\(s\) sealed a verdict in time; 2 are needed/u
  },
  {
    title: 'two needed, two pass',
    need: { kResult: 2 },
    run: world =>
      world.judged([
        [2, true],
        [3, true]
      ]),
    phase: 'VERIFIED'
  },
  {
    title: 'two needed, one pass and one rejects: nobody wins',
    need: { kResult: 2 },
    run: world =>
      world.judged([
        [2, true],
        [3, false]
      ]),
    phase: 'EXPIRED',
    reason: /did not agree: 1 passed, 1 rejected, 2 are needed/u
  },
  {
    title: 'as many rejects as passes, both enough: INVALID',
    run: world =>
      world.judged([
        [2, true],
        [3, false]
      ]),
    phase: 'INVALID'
  },
  {
    title: 'more passes than rejects: VERIFIED',
    run: world =>
      world.judged([
        [2, true],
        [3, false],
        [4, true]
      ]),
    phase: 'VERIFIED'
  },
  {
    title: 'too few reveals: EXPIRED when the window has passed',
    need: { kResult: 2 },
    run: world => {
      world.committed().at(401, world.sealVerdict(2, true))
      world.at(402, world.sealVerdict(3, true))
      world.at(600)
      world.at(601, world.finding(2, true))
      world.at(1_599)
      assert.equal(world.log.state.phase, 'REVEALING')
      world.at(1_600)
    },
    phase: 'EXPIRED',
    reason: /1 passed, 0 rejected, 2 are needed/u
  },
  {
    title: 'a reveal that does not open its seal is void',
    run: world => {
      world.committed().at(401, world.sealVerdict(2, true))
      world.at(600)
      world.at(601, world.finding(2, false))
    },
    phase: 'REVEALING'
  },
  {
    title: "another verifier's seal, copied, cannot be opened",
    run: world => {
      world.committed()
      const seal = world.sealVerdict(2, true)
      const { seal: copied } = seal.envelope.payload
      world.at(401, world.finding(3, true, { seal: copied, salt: null, evaluation: null }))
      world.at(402, seal)
      world.at(600)
      world.at(601, world.finding(2, true))
      world.at(602, world.finding(3, true))
      assert.equal(world.log.state.verdicts.get(did(3))?.reveal, null)
    },
    phase: 'REVEALING'
  },
  {
    title: 'a reveal before the others have sealed is void',
    run: world => {
      world.committed().at(401, world.sealVerdict(2, true))
      world.at(402, world.finding(2, true))
      assert.equal(world.log.state.verdicts.get(did(2))?.reveal, null)
    },
    phase: 'COMMITTED'
  },
  {
    title: 'neither worker nor requester verifies',
    run: world => {
      world.committed().at(401, world.sealVerdict(WORKER, true))
      world.at(402, world.sealVerdict(REQUESTER, true))
      world.at(2_400)
    },
    phase: 'EXPIRED',
    reason: /0 verifier/u
  }
]

const CHALLENGES: readonly Row[] = [
  {
    title: 'no challenge: FINAL at the end of the window',
    run: world => {
      world.judged([[2, true]]).at(1_101)
    },
    phase: 'FINAL'
  },
  {
    title: 'the window is open until then',
    run: world => {
      world.judged([[2, true]]).at(1_100)
    },
    phase: 'VERIFIED'
  },
  {
    title: 'an upheld challenge: INVALID',
    run: world => {
      world.judged([[2, true]])
      const challenge = world.challenge(4)
      world.at(700, challenge)
      world.at(701, world.finding(5, false, { challenge: challenge.cid }))
      world.at(2_700)
    },
    phase: 'INVALID',
    reason: /upheld/u
  },
  {
    title: 'as many findings for as against: the result stands',
    run: world => {
      world.judged([[2, true]])
      const challenge = world.challenge(4)
      world.at(700, challenge)
      world.at(701, world.finding(5, false, { challenge: challenge.cid }))
      world.at(702, world.finding(6, true, { challenge: challenge.cid }))
      world.at(2_700)
    },
    phase: 'FINAL'
  },
  {
    title: 'the challenger, first-round verifiers, worker and requester do not judge the dispute',
    run: world => {
      world.judged([[2, true]])
      const challenge = world.challenge(4)
      world.at(700, challenge)
      for (const [i, who] of [4, 2, WORKER, REQUESTER].entries())
        world.at(701 + i, world.finding(who, false, { challenge: challenge.cid }))
      world.at(2_700)
    },
    phase: 'FINAL'
  },
  {
    title: 'the worker does not challenge its own result',
    run: world => {
      world.judged([[2, true]]).at(700, world.challenge(WORKER))
      world.at(1_101)
    },
    phase: 'FINAL'
  },
  {
    title: 'challenges that follow each other do not hold the window open',
    run: world => {
      world.judged([[2, true]])
      for (let i = 0; i < 5; i++) world.at(1_000 + i * 1_900, world.challenge(4 + i))
    },
    phase: 'FINAL'
  }
]

const TABLE: Readonly<Record<string, readonly Row[]>> = {
  bidding: BIDDING,
  'void entries': VOID,
  working: WORKING,
  judging: JUDGING,
  challenges: CHALLENGES
}

function fold({ need, form, run }: Row): NeedWorld {
  const world = new NeedWorld(need, form)
  run(world)
  return world
}

for (const [name, rows] of Object.entries(TABLE)) {
  describe(`core/need: ${name}`, () => {
    for (const row of rows) {
      it(row.title, () => {
        const { log, need } = fold(row)
        const { state } = log
        assert.equal(state.phase, row.phase, state.reason)
        if (row.reason !== undefined) assert.match(state.reason, row.reason)
        if (rows === VOID) assert.equal(state.proposals.size, 0)
        const ended = ['FINAL', 'INVALID', 'EXPIRED'].includes(state.phase)
        assert.equal(state.outcome !== null, ended)
        if (state.outcome === null) return
        const paid = state.outcome.payouts.reduce((sum, { amount }) => sum + amount, 0n)
        const { budget, verifyBounty } = need.envelope.payload
        assert.equal(paid, budget + verifyBounty, 'P5')
      })
    }
  })
}
