// Goal: an author learns by which rule its envelope was refused, and nobody can make a node talk more than it is talked to (POL-18).
import assert from 'node:assert/strict'
import {
  NOTICE_REASON_LENGTH_MAX,
  NOTICE_REASONS_MAX,
  type PeerMessage
} from '../../../src/core/swarm/index.ts'
import { encodeMessage, unpackMessages } from '../../../src/runtime/index.ts'
import { world } from '../../support/driver-world.ts'
import { type EnvelopeChange, envelopeOf, testSigner, until } from '../../support/virtual-world.ts'

type World = ReturnType<typeof world>

const author = testSigner()

/** What was sent to a peer, as messages. */
function sentTo({ network }: World, did: string): PeerMessage[] {
  return network.sent
    .filter(({ to }) => to === did)
    .flatMap(({ bytes }) => unpackMessages(bytes))
    .flatMap(result => (result.ok ? [result.value.message] : []))
}

async function running(reasons: readonly string[] = ['verb: "MANIFEST"']): Promise<World> {
  const w = world()
  w.policy.answer = () => ({ allow: false, reasons, gas: 1 })
  await w.driver.start()
  w.network.peer(author.did, true)
  return w
}

/** Brings an envelope in a direct message, and waits until the door has said no. */
async function bring(w: World, change: EnvelopeChange = {}, from = author.did): Promise<string> {
  const { bytes, id } = envelopeOf(author, change)
  const refusals = (): number =>
    Object.values(w.driver.stats().door).reduce((sum, count) => sum + count, 0)
  const before = refusals()
  for (const message of encodeMessage({ type: 'envelopes', items: [bytes] }))
    w.network.message(from, message)
  await until(() => refusals() > before)
  return id
}

describe('runtime/refusal-notices', () => {
  it('tells the author the rule and what it saw', async () => {
    const w = await running(['need-budget: "9"', 'verb: "X"'])
    const envelope = await bring(w)
    assert.deepEqual(sentTo(w, author.did), [
      {
        type: 'refused',
        envelope,
        code: 'POLICY_DENIED',
        reasons: ['need-budget: "9"', 'verb: "X"']
      }
    ])
  })

  const mismatches: [string, string, EnvelopeChange][] = [
    ['other rules', 'POLICY_ENGINE_MISMATCH', { engine: new Uint8Array(32).fill(6) }],
    [
      'another base capsule',
      'CAPSULE_UNAVAILABLE',
      { capsule: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku' }
    ],
    ['another digest', 'POLICY_DIGEST_MISMATCH', { digest: new Uint8Array(32) }]
  ]
  for (const [what, code, change] of mismatches)
    it(`tells the author of ${what}`, async () => {
      const w = await running()
      w.policy.answer = () => ({ allow: true, reasons: [], gas: 0 })
      await bring(w, change)
      const [notice] = sentTo(w, author.did)
      assert.ok(notice?.type === 'refused')
      assert.equal(notice.code, code)
      assert.equal(notice.reasons.length, 1)
    })

  it('tells the author and not the one who passed it on', async () => {
    const w = await running()
    w.network.peer('relay', true)
    await bring(w, {}, 'relay')
    assert.equal(sentTo(w, author.did).length, 1)
    assert.deepEqual(sentTo(w, 'relay'), [])
  })

  it('tells nobody who is not connected', async () => {
    const w = await running()
    w.network.peer(author.did, false)
    await bring(w, {}, 'relay')
    assert.deepEqual(w.network.sent, [])
    await bring(w)
    assert.equal(sentTo(w, author.did).length, 1)
  })

  it('says nothing about what any stage before the policy refuses', async () => {
    const w = await running()
    const { bytes } = envelopeOf(author)
    const forged = Uint8Array.from(bytes)
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    for (const message of encodeMessage({ type: 'envelopes', items: [forged, Uint8Array.of(1)] }))
      w.network.message(author.did, message)
    await until(() => Object.keys(w.driver.stats().door).length === 2)
    assert.deepEqual(w.network.sent, [])
  })

  it('tells of each envelope once, and of a flood a few', async () => {
    const w = await running()
    for (let i = 0; i < 3; i++) await bring(w)
    assert.equal(sentTo(w, author.did).length, 1)
    for (let nonce = 1; nonce < 100; nonce++) await bring(w, { nonce, lamport: nonce + 1 })
    assert.equal(sentTo(w, author.did).length, 16)
    w.clock.advance(1000)
    await bring(w, { nonce: 100, lamport: 200 })
    assert.equal(sentTo(w, author.did).length, 17)
  })

  it('sends fewer bytes than the envelope had, whatever the rules say', async () => {
    const reasons = Array.from({ length: 64 }, (_, i) => `${i}: ${'☃'.repeat(500)}`)
    const w = await running(reasons)
    for (const length of [0, 400, 4000]) {
      const traceparent = null
      const agent = 'x'.repeat(length)
      const payload = { ...PAYLOAD, agent }
      const change = { draft: { payload, traceparent }, nonce: length, lamport: length + 1 }
      const { bytes } = envelopeOf(author, change)
      w.network.sent.splice(0)
      await bring(w, change)
      const [notice] = sentTo(w, author.did)
      assert.ok(notice?.type === 'refused')
      assert.ok((w.network.sent[0]?.bytes.length ?? 0) <= bytes.length, `${length}`)
      assert.ok(notice.reasons.length <= NOTICE_REASONS_MAX)
      assert.ok(notice.reasons.every(reason => reason.length <= NOTICE_REASON_LENGTH_MAX))
    }
  })
})

const PAYLOAD = {
  capabilities: [],
  roles: ['worker' as const],
  tags: [],
  zone: 'local',
  org: 'test',
  price: 1n,
  stake: 0n,
  agent: ''
}
