// The question that sender, receiver and verifier ask: the same bytes, and a digest that names everything in it.
import assert from 'node:assert/strict'
import { parseEnvelope, VERBS } from '../../../../src/core/envelope/index.ts'
import {
  commitInput,
  type Evaluation,
  evaluationDigest,
  messageInput,
  toPolicyValue
} from '../../../../src/core/policy/index.ts'
import { SAMPLE_PAYLOADS, SIGNERS, sampleCid, sampleDraft } from '../../../support/sample-drafts.ts'
import { sampleEnvelope } from '../../../support/sample-envelopes.ts'

const sender = SIGNERS[0]?.did as string

describe('core/policy/input', () => {
  for (const verb of VERBS) {
    it(`asks the same about ${verb} before signing and after receiving`, () => {
      const received = parseEnvelope(sampleEnvelope(verb).bytes)
      assert.ok(received.ok)
      const before = messageInput({ ...sampleDraft(verb), sender, lamport: 7 } as Parameters<
        typeof messageInput
      >[0])
      assert.deepEqual(messageInput(received.value.envelope), before)
      assert.deepEqual(JSON.parse(JSON.stringify(before)), before)
    })
  }

  it('leaves out what the sender does not know before it asks', () => {
    const input = messageInput(sampleEnvelope('COMMIT').envelope)
    const known = [
      'gate',
      'verb',
      'thread',
      'capability',
      'sender',
      'lamport',
      'epoch',
      'fence',
      'refs',
      'payload',
      'notAfter',
      'traceparent'
    ]
    assert.deepEqual(Object.keys(input).sort(), known.sort())
  })

  it('gives links as text, bytes as hex, amounts as decimal text', () => {
    const cid = sampleCid('x')
    assert.deepEqual(
      toPolicyValue({
        cid,
        bytes: new Uint8Array([0, 255]),
        amount: 2n ** 62n,
        n: -3,
        none: null,
        list: [1n, [cid]]
      }),
      {
        cid: cid.toString(),
        bytes: '00ff',
        amount: '4611686018427387904',
        n: -3,
        none: null,
        list: ['1', [cid.toString()]]
      }
    )
  })

  it('asks the commit gate about NEED and COMMIT together', () => {
    const subject = {
      thread: 't',
      sender,
      epoch: 0,
      fence: [0, 3, 17],
      need: SAMPLE_PAYLOADS.NEED,
      requester: sender,
      ballot: SAMPLE_PAYLOADS.PROPOSE.ballot,
      standing: SAMPLE_PAYLOADS.PROPOSE.standing,
      committee: [{ did: sender, standing: null }],
      usage: { messages: 5, updates: 0, claims: 1, yields: 0, logMs: 900 },
      commit: SAMPLE_PAYLOADS.COMMIT
    } as const
    const input = commitInput(subject)
    assert.equal(input.gate, 'commit')
    assert.deepEqual(input, JSON.parse(JSON.stringify(input)))
    assert.equal((input['need'] as { budget: string }).budget, '100')
    assert.equal(
      (input['commit'] as { telemetry: { exitStatus: number } }).telemetry.exitStatus,
      -9
    )
  })

  it('changes the digest with anything in the evaluation', () => {
    const base: Evaluation = {
      input: messageInput(sampleEnvelope('NEED').envelope),
      decision: { allow: true, reasons: [], gas: 0 },
      capsule: 'capsule',
      engine: new Uint8Array(32)
    }
    const others: Evaluation[] = [
      base,
      { ...base, input: messageInput(sampleEnvelope('NEED', { lamport: 8 }).envelope) },
      { ...base, decision: { ...base.decision, allow: false } },
      { ...base, decision: { ...base.decision, reasons: ['rule: x'] } },
      { ...base, decision: { ...base.decision, gas: 1 } },
      { ...base, capsule: 'other' },
      { ...base, engine: new Uint8Array(32).fill(1) }
    ]
    const digests = new Set(
      others.map(evaluation => Buffer.from(evaluationDigest(evaluation)).toString('hex'))
    )
    assert.equal(digests.size, others.length)
    assert.deepEqual(evaluationDigest(base), evaluationDigest({ ...base }))
  })
})
