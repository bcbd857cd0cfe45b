// Goal: the door's order and every verdict (R4). Method: one envelope with one flaw at a time, and counters that show how far it came.
import assert from 'node:assert/strict'
import {
  ENVELOPE_BYTES_MAX,
  SENDER_ENVELOPES_BURST,
  SwarmError
} from '../../../src/core/base/index.ts'
import { encode } from '../../../src/core/codec/index.ts'
import type { Admitted, Draft } from '../../../src/core/envelope/index.ts'
import type { DoorVerdict } from '../../../src/ports/index.ts'
import { Door, type DoorComponents } from '../../../src/runtime/index.ts'
import { sampleDraft } from '../../support/sample-drafts.ts'
import {
  countingVerify,
  envelopeOf,
  ManualClock,
  ScriptedPolicy,
  silent,
  testSigner,
  until
} from '../../support/virtual-world.ts'

class EngineError extends SwarmError {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

function world(
  answer: DoorVerdict = 'accept',
  init: Partial<Pick<DoorComponents, 'senderPerSecond' | 'verifyAside'>> = {}
) {
  const accepted: { admitted: Admitted; isLocal: boolean }[] = []
  const state = { answer }
  const parts = {
    verify: countingVerify(),
    policy: new ScriptedPolicy(),
    clock: new ManualClock(),
    logger: silent
  }
  const door = new Door({
    ...parts,
    ...init,
    accept: (admitted, isLocal) => {
      if (state.answer === 'accept') accepted.push({ admitted, isLocal })
      return state.answer
    }
  })
  return { ...parts, door, accepted, state }
}

const signer = testSigner()
const other = testSigner()

describe('runtime/door: verdicts', () => {
  it('accepts a sound envelope once and hands it on', async () => {
    const { door, accepted } = world()
    const sound = envelopeOf(signer)
    assert.deepEqual(await door.admit(sound.bytes, 'peer', 'peer'), {
      verdict: 'accept',
      id: sound.id
    })
    assert.equal(accepted[0]?.admitted.id, sound.id)
    assert.equal(accepted[0]?.isLocal, false)
    assert.deepEqual(door.counts(), { ACCEPTED: 1 })
  })

  const flawed: [
    string,
    DoorVerdict,
    string,
    { verify: number; policy: number },
    (w: ReturnType<typeof world>) => Uint8Array
  ][] = [
    [
      'too many bytes',
      'reject',
      'TOO_LARGE',
      { verify: 0, policy: 0 },
      () => new Uint8Array(ENVELOPE_BYTES_MAX + 1)
    ],
    [
      'nested too deep',
      'reject',
      'TOO_DEEP',
      { verify: 0, policy: 0 },
      () => new Uint8Array(100).fill(0x81)
    ],
    [
      'bytes that are not canonical',
      'reject',
      'NOT_CANONICAL',
      { verify: 0, policy: 0 },
      () => Uint8Array.of(0x18, 0x01)
    ],
    [
      'bytes of another shape',
      'reject',
      'BAD_SHAPE',
      { verify: 0, policy: 0 },
      () => encode({ v: 1 })
    ],
    [
      'a flipped bit in the signature',
      'reject',
      'BAD_SIGNATURE',
      { verify: 1, policy: 0 },
      () => flip(envelopeOf(signer))
    ],
    [
      'a notAfter in the past',
      'ignore',
      'ENVELOPE_EXPIRED',
      { verify: 1, policy: 0 },
      w => envelopeOf(signer, { draft: { notAfter: w.clock.nowMs() - 11_000 } }).bytes
    ],
    [
      'a notAfter too far ahead',
      'ignore',
      'NOT_AFTER_TOO_FAR',
      { verify: 1, policy: 0 },
      w => envelopeOf(signer, { draft: { notAfter: w.clock.nowMs() + 25 * 3600_000 } }).bytes
    ],
    [
      'another policy engine',
      'ignore',
      'POLICY_ENGINE_MISMATCH',
      { verify: 1, policy: 0 },
      () => envelopeOf(signer, { engine: new Uint8Array(32) }).bytes
    ],
    [
      'a digest of another evaluation',
      'reject',
      'POLICY_DIGEST_MISMATCH',
      { verify: 1, policy: 1 },
      () => envelopeOf(signer, { digest: new Uint8Array(32) }).bytes
    ]
  ]
  for (const [what, verdict, code, reached, make] of flawed) {
    it(`gives ${verdict} with ${code} for ${what}, and goes no further`, async () => {
      const w = world()
      const admission = await w.door.admit(make(w), 'peer', 'peer')
      assert.deepEqual([admission.verdict, admission.refusal?.code], [verdict, code])
      assert.deepEqual({ verify: w.verify.calls, policy: w.policy.evaluations }, reached)
      assert.equal(w.accepted.length, 0)
      assert.deepEqual(w.door.counts(), { [code]: 1 })
    })
  }

  it('rejects what the policy denies and names the rule', async () => {
    const w = world()
    w.policy.answer = () => ({ allow: false, reasons: ['budget: too high'], gas: 0 })
    const admission = await w.door.admit(envelopeOf(signer).bytes, 'peer', 'peer')
    assert.deepEqual([admission.verdict, admission.refusal?.code], ['reject', 'POLICY_DENIED'])
    assert.match(admission.refusal?.message ?? '', /budget: too high/)
  })

  for (const code of ['CAPSULE_UNAVAILABLE', 'POLICY_TIMEOUT']) {
    it(`ignores on ${code}: no verdict about the sender`, async () => {
      const w = world()
      w.policy.answer = () => {
        throw new EngineError(code)
      }
      const admission = await w.door.admit(envelopeOf(signer).bytes, 'peer', 'peer')
      assert.deepEqual([admission.verdict, admission.refusal?.code], ['ignore', code])
    })
  }

  it('ignores when the engine fails in an unknown way', async () => {
    const w = world()
    w.policy.answer = () => {
      throw new TypeError('broken')
    }
    assert.equal(
      (await w.door.admit(envelopeOf(signer).bytes, 'peer', 'peer')).refusal?.code,
      'POLICY_UNAVAILABLE'
    )
  })

  it('ignores an envelope that was judged by a capsule of its sender, and does not ask that', async () => {
    const w = world()
    const asked: string[] = []
    w.policy.answer = (_, capsule) => {
      asked.push(capsule)
      return { allow: true, reasons: [], gas: 0 }
    }
    const capsule = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
    const admission = await w.door.admit(envelopeOf(signer, { capsule }).bytes, 'peer', 'peer')
    assert.deepEqual(
      [admission.verdict, admission.refusal?.code],
      ['ignore', 'CAPSULE_UNAVAILABLE']
    )
    assert.deepEqual(asked, [])
    await w.door.admit(envelopeOf(signer).bytes, 'peer', 'peer')
    assert.deepEqual(asked, [w.policy.baseCapsule])
  })
})

describe('runtime/door: rate and replay', () => {
  it('ignores an author above the burst before it pays for a signature, and hears others', async () => {
    const w = world()
    for (let lamport = 1; lamport <= SENDER_ENVELOPES_BURST; lamport++) {
      assert.equal(
        (await w.door.admit(envelopeOf(signer, { lamport }).bytes, 'peer', 'peer')).verdict,
        'accept'
      )
    }
    const paid = w.verify.calls
    const next = envelopeOf(signer, { lamport: 9999 }).bytes
    assert.deepEqual(
      [(await w.door.admit(next, 'peer', 'peer')).refusal?.code, w.verify.calls],
      ['RATE_LIMITED', paid]
    )
    assert.equal((await w.door.admit(envelopeOf(other).bytes, 'peer', 'peer')).verdict, 'accept')
    w.clock.advance(20)
    assert.equal((await w.door.admit(next, 'peer', 'peer')).verdict, 'accept')
  })

  it('takes more or less from an author as the settings say, and eight times as much at once', async () => {
    const { door } = world('accept', { senderPerSecond: 1 })
    const admit = async (lamport: number): Promise<string | undefined> =>
      (await door.admit(envelopeOf(signer, { lamport }).bytes, 'peer', 'peer')).refusal?.code
    for (let lamport = 1; lamport <= 8; lamport++) assert.equal(await admit(lamport), undefined)
    assert.equal(await admit(9), 'RATE_LIMITED')
  })

  it('does not charge an author for forgeries in its name', async () => {
    const w = world()
    for (let lamport = 1; lamport <= SENDER_ENVELOPES_BURST + 1; lamport++) {
      await w.door.admit(flip(envelopeOf(signer, { lamport })), 'peer', 'peer')
    }
    assert.equal(
      (await w.door.admit(envelopeOf(signer, { lamport: 5000 }).bytes, 'peer', 'peer')).verdict,
      'accept'
    )
  })

  it('ignores the same bytes a second time without looking at them again', async () => {
    const w = world()
    const { bytes } = envelopeOf(signer)
    await w.door.admit(bytes, 'a', 'peer')
    w.door.settle(bytes)
    const again = await w.door.admit(bytes, 'b', 'peer')
    assert.deepEqual([again.verdict, again.refusal?.code], ['ignore', 'REPLAYED'])
    assert.deepEqual([w.verify.calls, w.policy.evaluations, w.accepted.length], [1, 1, 1])
  })

  it('gives known bytes to the machine again while it has not kept them, and still ignores them', async () => {
    const w = world()
    const { bytes } = envelopeOf(signer)
    await w.door.admit(bytes, 'a', 'peer')
    assert.equal((await w.door.admit(bytes, 'b', 'peer')).verdict, 'ignore')
    assert.deepEqual([w.accepted.length, w.verify.calls], [2, 1])
    w.door.settle(bytes)
    assert.equal((await w.door.admit(bytes, 'b', 'peer')).verdict, 'ignore')
    assert.equal(w.accepted.length, 2)
  })

  it('does not give bytes again that have expired', async () => {
    const w = world()
    const { bytes } = envelopeOf(signer)
    await w.door.admit(bytes, 'a', 'peer')
    w.clock.advance(3600_000)
    assert.equal((await w.door.admit(bytes, 'b', 'peer')).verdict, 'ignore')
    assert.equal(w.accepted.length, 1)
  })

  it('ignores bytes that were accepted before a restart', async () => {
    const w = world()
    const { bytes } = envelopeOf(signer)
    w.door.restore(bytes)
    assert.equal((await w.door.admit(bytes, 'a', 'peer')).refusal?.code, 'REPLAYED')
    assert.equal(w.accepted.length, 0)
  })

  it('judges the same bytes from several peers at once only once, with one answer for all', async () => {
    const w = world()
    const gate = Promise.withResolvers<void>()
    w.policy.gate = gate.promise
    const { bytes } = envelopeOf(signer)
    const admissions = ['a', 'b', 'c'].map(from => w.door.admit(bytes, from, 'peer'))
    gate.resolve()
    assert.deepEqual(
      (await Promise.all(admissions)).map(admission => admission.verdict),
      ['accept', 'accept', 'accept']
    )
    assert.deepEqual([w.verify.calls, w.policy.evaluations, w.accepted.length], [1, 1, 1])
  })

  it('takes only one of two envelopes with one lamport value that are judged at the same time', async () => {
    const w = world()
    const gate = Promise.withResolvers<void>()
    w.policy.gate = gate.promise
    const both = [1, 2].map(nonce => w.door.admit(envelopeOf(signer, { nonce }).bytes, 'a', 'peer'))
    gate.resolve()
    const codes = (await Promise.all(both)).map(admission => admission.refusal?.code)
    assert.deepEqual(codes, [undefined, 'EQUIVOCATION'])
    assert.equal(w.accepted.length, 1)
  })

  it('lets what the machine had no room for come again', async () => {
    const w = world('ignore')
    const { bytes } = envelopeOf(signer)
    assert.equal((await w.door.admit(bytes, 'a', 'peer')).refusal?.code, 'DOOR_BUSY')
    w.state.answer = 'accept'
    assert.equal((await w.door.admit(bytes, 'a', 'peer')).verdict, 'accept')
  })

  it('evaluates a bounded number at once and ignores peers beyond a bounded queue, but never its own', async () => {
    const w = world()
    const gate = Promise.withResolvers<void>()
    w.policy.gate = gate.promise
    const signers = Array.from({ length: 4 }, testSigner)
    const flood = signers.flatMap(author =>
      Array.from({ length: 300 }, (_, lamport) =>
        w.door.admit(envelopeOf(author, { lamport }).bytes, 'a', 'peer')
      )
    )
    await until(() => w.policy.evaluations === 32)
    const own = w.door.admit(envelopeOf(other).bytes, other.did, 'local')
    gate.resolve()
    const codes = (await Promise.all(flood)).map(admission => admission.refusal?.code ?? 'ACCEPTED')
    assert.equal(codes.filter(code => code === 'DOOR_BUSY').length, 1200 - 32 - 1024)
    assert.equal((await own).verdict, 'accept')
    assert.equal(w.policy.mostUnderWay, 32)
  })
})

describe('runtime/door: envelopes out of consensus entries', () => {
  it('takes one that is expired or known, since the log has its own order and time', async () => {
    const w = world()
    const old = envelopeOf(signer, { draft: { notAfter: w.clock.nowMs() - 3600_000 } })
    assert.equal((await w.door.admit(old.bytes, 'leader', 'log')).verdict, 'accept')
    assert.equal((await w.door.admit(old.bytes, 'leader', 'log')).verdict, 'accept')
    assert.equal(w.accepted.length, 2)
  })

  it('still asks for signature and policy', async () => {
    const w = world()
    assert.equal(
      (await w.door.admit(flip(envelopeOf(signer)), 'leader', 'log')).refusal?.code,
      'BAD_SIGNATURE'
    )
    w.policy.answer = () => ({ allow: false, reasons: ['no'], gas: 0 })
    assert.equal(
      (await w.door.admit(envelopeOf(signer).bytes, 'leader', 'log')).refusal?.code,
      'POLICY_DENIED'
    )
  })
})

describe('runtime/door: links of plans, which plan sync brings', () => {
  const linkOf = (notAfter: number) =>
    envelopeOf(signer, {
      draft: { ...sampleDraft('UPDATE_PLAN'), notAfter } as unknown as Partial<Draft<'MANIFEST'>>
    }).bytes

  it('judges an expired one once, and gives it to the machine until that has kept it', async () => {
    const w = world()
    const bytes = linkOf(w.clock.nowMs() - 3600_000)
    assert.equal((await w.door.admit(bytes, 'peer', 'plan')).verdict, 'accept')
    // Longer than the replay guard remembers what has expired.
    w.clock.advance(600_000)
    assert.equal((await w.door.admit(bytes, 'peer', 'plan')).refusal?.code, 'REPLAYED')
    assert.deepEqual([w.policy.evaluations, w.verify.calls, w.accepted.length], [1, 1, 2])
    w.door.settle(bytes)
    assert.equal((await w.door.admit(bytes, 'peer', 'plan')).refusal?.code, 'REPLAYED')
    assert.equal((await w.door.admit(bytes, 'peer', 'peer')).refusal?.code, 'REPLAYED')
    assert.deepEqual([w.policy.evaluations, w.accepted.length], [1, 2])
  })

  it('gives them no place in the replay guard, so that they crowd out nobody', async () => {
    const w = world()
    assert.equal((await w.door.admit(linkOf(w.clock.nowMs()), 'peer', 'plan')).verdict, 'accept')
    assert.deepEqual([...w.door.windows()], [])
  })

  it('has their signatures looked at aside, where it can', async () => {
    let answer = true
    const w = world('accept', { verifyAside: async () => answer })
    const bytes = linkOf(w.clock.nowMs())
    answer = false
    assert.equal((await w.door.admit(bytes, 'peer', 'plan')).refusal?.code, 'BAD_SIGNATURE')
    answer = true
    assert.equal((await w.door.admit(bytes, 'peer', 'plan')).verdict, 'accept')
    assert.equal(w.verify.calls, 0)
  })

  it('still asks for signature and policy', async () => {
    const w = world()
    w.policy.answer = () => ({ allow: false, reasons: ['no'], gas: 0 })
    const { refusal } = await w.door.admit(linkOf(w.clock.nowMs()), 'peer', 'plan')
    assert.deepEqual([refusal?.code, w.verify.calls], ['POLICY_DENIED', 1])
  })
})

function flip({ envelope }: Admitted): Uint8Array {
  const sig = envelope.sig.slice()
  sig[0] = (sig[0] as number) ^ 1
  return encode({ ...envelope, sig })
}
