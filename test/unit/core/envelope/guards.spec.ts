// Freshness, replay and rate: the stages of the door that remember.
import assert from 'node:assert/strict'
import {
  CLOCK_SKEW_MS_MAX,
  ENVELOPE_LIFE_MS_MAX,
  type Result
} from '../../../../src/core/base/index.ts'
import {
  AuthorRate,
  checkFreshness,
  type Guarded,
  ReplayGuard
} from '../../../../src/core/envelope/index.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000

const code = (result: Result<void>): string => (result.ok ? 'accepted' : result.refusal.code)

function said(
  sender: string,
  lamport: number,
  options: { id?: string; notAfter?: number; verb?: string } = {}
): Guarded {
  const { id = `${sender}/${lamport}`, notAfter = NOW + HOUR, verb = 'NEED' } = options
  return { id, envelope: { verb, sender, lamport, notAfter } }
}

describe('core/envelope/freshness', () => {
  it('takes notAfter from now less the skew to the longest life plus the skew', () => {
    const at = (notAfter: number): string => code(checkFreshness({ notAfter }, NOW))
    assert.equal(at(NOW), 'accepted')
    assert.equal(at(NOW - CLOCK_SKEW_MS_MAX), 'accepted')
    assert.equal(at(NOW - CLOCK_SKEW_MS_MAX - 1), 'ENVELOPE_EXPIRED')
    assert.equal(at(NOW + ENVELOPE_LIFE_MS_MAX + CLOCK_SKEW_MS_MAX), 'accepted')
    assert.equal(at(NOW + ENVELOPE_LIFE_MS_MAX + CLOCK_SKEW_MS_MAX + 1), 'NOT_AFTER_TOO_FAR')
  })
})

describe('core/envelope/replay-guard', () => {
  it('takes an envelope once, and only remembering counts', () => {
    const guard = new ReplayGuard()
    assert.equal(code(guard.check(said('a', 1), NOW)), 'accepted')
    assert.equal(code(guard.check(said('a', 1), NOW)), 'accepted')
    guard.remember(said('a', 1))
    guard.remember(said('a', 1))
    assert.equal(guard.size, 1)
    assert.equal(code(guard.check(said('a', 1), NOW)), 'REPLAYED')
  })

  it('takes lamport values in any order, each once', () => {
    const guard = new ReplayGuard()
    for (const lamport of [5, 3, 9, 4, 0]) {
      assert.equal(code(guard.check(said('a', lamport), NOW)), 'accepted')
      guard.remember(said('a', lamport))
    }
    assert.equal(code(guard.check(said('a', 3, { id: 'other' }), NOW)), 'EQUIVOCATION')
    assert.equal(code(guard.check(said('b', 3), NOW)), 'accepted')
  })

  it('takes every plan update once, whatever its lamport value: its chain has a rule of its own', () => {
    const guard = new ReplayGuard()
    guard.remember(said('a', 3))
    const update = said('a', 3, { id: 'update', verb: 'UPDATE_PLAN' })
    assert.equal(code(guard.check(update, NOW)), 'accepted')
    guard.remember(update)
    assert.equal(code(guard.check(update, NOW)), 'REPLAYED')
    assert.equal(code(guard.check(said('a', 3, { id: 'other' }), NOW)), 'EQUIVOCATION')
  })

  it('takes what a certificate proves, whatever else its sender said under that value', () => {
    for (const verb of ['DECIDE', 'FINALIZE', 'INVALIDATE']) {
      const guard = new ReplayGuard()
      guard.remember(said('a', 3))
      const certified = said('a', 3, { id: 'certified', verb })
      assert.equal(code(guard.check(certified, NOW)), 'accepted')
      guard.remember(certified)
      assert.equal(code(guard.check(certified, NOW)), 'REPLAYED')
      assert.equal(code(guard.check(said('a', 3, { id: 'other' }), NOW)), 'EQUIVOCATION')
    }
  })

  it('forgets what freshness refuses, not a moment earlier', () => {
    const guard = new ReplayGuard()
    const short = said('a', 1, { notAfter: NOW + HOUR })
    guard.remember(short)
    const last = NOW + HOUR + CLOCK_SKEW_MS_MAX
    assert.equal(code(guard.check(short, last)), 'REPLAYED')
    assert.equal(code(checkFreshness(short.envelope, last)), 'accepted')
    guard.check(said('b', 1), last + 60_001)
    assert.equal(guard.size, 0)
    assert.equal(code(checkFreshness(short.envelope, last + 60_001)), 'ENVELOPE_EXPIRED')
  })

  it('does not take a forgotten envelope when the clock goes back', () => {
    const guard = new ReplayGuard()
    guard.remember(said('a', 1))
    guard.check(said('b', 1), NOW + 2 * HOUR)
    assert.equal(guard.size, 0)
    assert.equal(code(checkFreshness(said('a', 1).envelope, NOW)), 'accepted')
    assert.equal(code(guard.check(said('a', 1), NOW)), 'ENVELOPE_EXPIRED')
  })

  it('gives up the oldest when full, and then lets its sender not go back', () => {
    const guard = new ReplayGuard({ idsMax: 3 })
    for (const lamport of [1, 2, 4, 5, 6]) guard.remember(said('a', lamport))
    assert.equal(guard.size, 3)
    assert.equal(code(guard.check(said('a', 1), NOW)), 'STALE_LAMPORT')
    assert.equal(code(guard.check(said('a', 2, { id: 'other' }), NOW)), 'STALE_LAMPORT')
    assert.equal(code(guard.check(said('a', 3), NOW)), 'accepted')
    assert.equal(code(guard.check(said('a', 6), NOW)), 'REPLAYED')
    assert.equal(code(guard.check(said('b', 1), NOW)), 'accepted')
  })

  it('lifts the floor once what was given up has expired', () => {
    const guard = new ReplayGuard({ idsMax: 1 })
    guard.remember(said('a', 5))
    guard.remember(said('b', 1))
    assert.equal(code(guard.check(said('a', 4), NOW)), 'STALE_LAMPORT')
    const later = NOW + 2 * HOUR
    assert.equal(code(guard.check(said('a', 4, { notAfter: later }), later)), 'accepted')
  })

  it('refuses newcomers when it knows too many senders, and goes on with those it knows', () => {
    const guard = new ReplayGuard({ sendersMax: 2 })
    guard.remember(said('a', 1))
    guard.remember(said('b', 1))
    assert.equal(code(guard.check(said('c', 1), NOW)), 'REPLAY_GUARD_FULL')
    assert.equal(code(guard.check(said('a', 2), NOW)), 'accepted')
    const later = NOW + 2 * HOUR
    assert.equal(code(guard.check(said('c', 1, { notAfter: later }), later)), 'accepted')
  })

  it('never takes one id twice, whatever the load', () => {
    const guard = new ReplayGuard({ idsMax: 7, sendersMax: 4 })
    const taken = new Set<string>()
    let state = 12345
    const draw = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return (state >> 8) % below
    }
    let now = NOW
    for (let i = 0; i < 20_000; i++) {
      now += draw(2000) - 500
      const candidate = said(`s${draw(6)}`, Math.floor(i / 40) + draw(12), {
        notAfter: NOW + draw(20) * 600_000
      })
      const named = { ...candidate, id: `${candidate.id}/${candidate.envelope.notAfter}` }
      if (!checkFreshness(named.envelope, now).ok || !guard.check(named, now).ok) continue
      assert.ok(!taken.has(named.id), `${named.id} is taken twice`)
      taken.add(named.id)
      guard.remember(named)
    }
    assert.ok(taken.size > 50)
  })

  it('is restored by the envelopes of the journal, in any order', () => {
    const past = [said('a', 1), said('a', 2), said('b', 7)]
    const guard = new ReplayGuard()
    for (const admitted of past.toReversed()) guard.remember(admitted)
    for (const admitted of past) assert.equal(code(guard.check(admitted, NOW)), 'REPLAYED')
  })
})

describe('core/envelope/author-rate', () => {
  const spendAll = (rate: AuthorRate, sender: string, now: number): number => {
    let count = 0
    while (rate.check(sender, now).ok) {
      rate.spend(sender, now)
      count++
    }
    return count
  }

  it('lets a burst through, then the sustained rate', () => {
    const rate = new AuthorRate({ perSecond: 10, burst: 5 })
    assert.equal(spendAll(rate, 'a', NOW), 5)
    assert.equal(code(rate.check('a', NOW + 99)), 'RATE_LIMITED')
    assert.equal(spendAll(rate, 'a', NOW + 100), 1)
    assert.equal(spendAll(rate, 'a', NOW + 100_000), 5)
  })

  it('counts only what is spent, and each sender alone', () => {
    const rate = new AuthorRate({ perSecond: 1, burst: 1 })
    for (let i = 0; i < 10; i++) assert.equal(code(rate.check('a', NOW)), 'accepted')
    rate.spend('a', NOW)
    assert.equal(code(rate.check('a', NOW)), 'RATE_LIMITED')
    assert.equal(code(rate.check('b', NOW)), 'accepted')
  })

  it('gives nothing for a clock that goes back', () => {
    const rate = new AuthorRate({ perSecond: 1, burst: 1 })
    rate.spend('a', NOW)
    assert.equal(code(rate.check('a', NOW - HOUR)), 'RATE_LIMITED')
  })

  it('takes nothing away for a clock that goes back', () => {
    const rate = new AuthorRate({ perSecond: 1, burst: 5 })
    rate.spend('a', NOW)
    assert.equal(code(rate.check('a', NOW - HOUR)), 'accepted')
  })

  it('forgets the sender that spent longest ago when full', () => {
    const rate = new AuthorRate({ perSecond: 1, burst: 1, sendersMax: 2 })
    for (const sender of ['a', 'b', 'a', 'c']) rate.spend(sender, NOW)
    assert.equal(rate.size, 2)
    assert.equal(code(rate.check('b', NOW)), 'accepted')
    assert.equal(code(rate.check('a', NOW)), 'RATE_LIMITED')
  })
})
