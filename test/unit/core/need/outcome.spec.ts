/**
 * Goal: outcome bytes are a function of the log and always fit an envelope; a NEED that cannot end is refused. Method: hand-made logs.
 */
import { strict as assert } from 'node:assert'
import { ENVELOPE_BYTES_MAX, toHex } from '../../../../src/core/base/index.ts'
import { encode } from '../../../../src/core/codec/index.ts'
import { checkDraft, type Outcome } from '../../../../src/core/envelope/index.ts'
import { checkNeed } from '../../../../src/core/need/index.ts'
import { FORM_BYTES_MAX, outcomeDigest } from '../../../../src/core/roster/index.ts'
import { did, NeedWorld, REQUESTER, T0, WORKER } from '../../../support/need-world.ts'
import { OUTPUT, testDraft } from '../../../support/swarm-cluster.ts'

function fold(run: (world: NeedWorld) => void): NeedWorld {
  const world = new NeedWorld()
  run(world)
  return world
}

/** What receivers would say to the envelope that carries the outcome. */
function carries(outcome: Outcome, world: NeedWorld): boolean {
  const certificate = {
    form: world.form.bytes,
    previous: [],
    stage: 'outcome' as const,
    digest: outcomeDigest(outcome),
    votes: []
  }
  const verb = outcome.result === 'INVALID' ? 'INVALIDATE' : 'FINALIZE'
  return checkDraft({
    ...testDraft(T0, verb, world.need.cid, { outcome, certificate }),
    epoch: 0
  }).ok
}

describe('core/need: outcomes', () => {
  it('gives the same bytes for the same log, and others for a log with one void entry more', () => {
    const run = (extra: boolean) => (world: NeedWorld) => {
      world.judged([[2, true]])
      if (extra) world.at(603)
      world.at(1_200)
    }
    const digest = (extra: boolean): string => {
      const { outcome } = fold(run(extra)).log.state
      assert(outcome !== null)
      return toHex(outcomeDigest(outcome))
    }
    assert.equal(digest(false), digest(false))
    assert.notEqual(digest(false), digest(true))
  })

  it('pays the worker its price and the right verifiers equal shares', () => {
    const world = new NeedWorld({ verifyBounty: 11n })
    world.judged([
      [2, true],
      [3, false],
      [4, true]
    ])
    world.at(1_200)
    const payouts = world.log.state.outcome?.payouts ?? []
    const of = (to: string): readonly bigint[] =>
      payouts.filter(payout => payout.to === to).map(payout => payout.amount)
    assert.deepEqual(of(did(WORKER)), [10n])
    assert.deepEqual([of(did(2)), of(did(3)), of(did(4))], [[5n], [], [5n]])
    assert.deepEqual(of(did(REQUESTER)), [91n])
  })

  it('changes nothing after the outcome', () => {
    const world = new NeedWorld()
    world.at(20_000)
    const { outcome, logHash } = world.log.state
    assert.equal(outcome?.result, 'EXPIRED')
    world.at(20_001, world.propose(WORKER))
    assert.equal(world.log.state.outcome, outcome)
    assert.deepEqual(world.log.state.logHash, logHash)
  })

  /** Votes of a certificate and the fields of an envelope, generously. */
  const OVERHEAD_BYTES = 4096
  const LONG = '\u{1F4A3}'.repeat(2048)

  it('fits into its envelope whatever reason a rejecting verifier gives', () => {
    const world = new NeedWorld()
    world.committed().at(401, world.sealVerdict(2, false))
    world.at(600)
    world.at(601, world.finding(2, false, { reasons: [LONG] }))
    const { outcome } = world.log.state
    assert(outcome !== null)
    assert.equal(outcome.result, 'INVALID')
    assert(carries(outcome, world))
  })

  it('fits into its envelope whatever reason a yielding worker gives', () => {
    const world = new NeedWorld()
    world.decided().at(310, world.claim(WORKER))
    const payload = { task: world.task(), reason: LONG }
    world.at(320, world.seal(WORKER, 'YIELD', payload, { epoch: 0, fence: world.fence() }))
    world.at(20_000)
    const { outcome } = world.log.state
    assert(outcome !== null && carries(outcome, world))
  })

  it('fits into its envelope when a crowd attests, verifies and challenges', function () {
    this.timeout(20_000)
    const world = new NeedWorld()
    const crowd = Array.from({ length: 100 }, (_, i) => i + 3)
    const proposal = world.propose(WORKER)
    let ms = 1
    const next = (): number => ms++
    world.at(next(), proposal)
    for (const who of crowd) world.at(next(), world.attestPlan(who, proposal))
    world.at(300)
    ms = 1_000
    world.at(next(), world.claim(WORKER))
    world.at(next(), world.commit(WORKER, Array(256).fill(OUTPUT)))
    for (const who of crowd) world.at(next(), world.sealVerdict(who, true))
    const { decision } = world.log.state
    assert((decision?.attestations.length ?? 0) <= 256)
    world.at(1_600)
    for (const who of crowd) world.at(1_601 + who, world.finding(who, true))
    assert.equal(world.log.state.phase, 'VERIFIED')
    for (const who of crowd) world.at(1_850 + who, world.challenge(who))
    world.at(5_000)
    const { outcome } = world.log.state
    assert(outcome !== null && outcome.outputs.length === 256)
    const length = encode(outcome).length + FORM_BYTES_MAX + OVERHEAD_BYTES
    assert(length <= ENVELOPE_BYTES_MAX, `${length} bytes`)
  })
})

describe('core/need: checkNeed', () => {
  const code = (overrides: ConstructorParameters<typeof NeedWorld>[0]): string => {
    const checked = checkNeed(new NeedWorld(overrides).need.envelope)
    return checked.ok ? 'ok' : checked.refusal.code
  }
  const { windows } = new NeedWorld().need.envelope.payload

  it('takes what can end, and refuses what cannot', () => {
    assert.equal(code({}), 'ok')
    assert.equal(code({ expiresAt: 0 }), 'ok', 'it ends at once')
    assert.equal(code({ expiresAt: Number.MAX_SAFE_INTEGER }), 'NEED_EXPIRY')
    assert.equal(code({ windows: { ...windows, challengeMs: 2 ** 50 } }), 'NEED_WINDOWS')
    assert.equal(code({ budget: (1n << 63n) - 1n, verifyBounty: 1n }), 'NEED_ESCROW')
    assert.equal(code({ epoch: 1 }), 'NEED_EPOCH')
  })
})
