// Every vector of protocols/envelope through the door's core stages, in the door's order; the valid ones also by hand, with
// nothing of src/: canonical form, id and signature.
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify as verifyByHand } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { base32 } from 'multiformats/bases/base32'
import { base58btc } from 'multiformats/bases/base58'
import { nodeVerifier } from '../../src/adapters/ed25519/index.ts'
import {
  AuthorRate,
  checkFreshness,
  ENVELOPE_REFUSALS,
  parseEnvelope,
  ReplayGuard,
  signingBytes,
  VERBS
} from '../../src/core/envelope/index.ts'
import { verifyReference } from '../../src/core/identity/index.ts'
import { isCanonical } from '../support/naive-cbor.ts'
import { SAMPLE_NOW_MS } from '../support/sample-drafts.ts'

type Valid = { name: string; verb: string; nowMs: number; input: string; id: string }
type Invalid = {
  name: string
  rule: string
  input: string
  padTo?: number
  nowMs?: number
  before?: string[]
  spent?: number
  refusal: string
}

const FOLDER = new URL('../../protocols/envelope/vectors/', import.meta.url)
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

function load<T>(folder: string): T[] {
  const url = new URL(`${folder}/`, FOLDER)
  return readdirSync(url).map(name => JSON.parse(readFileSync(new URL(name, url), 'utf8')))
}

const verifiers = [verifyReference, nodeVerifier()]

/** The first refusal of the core's stages, or the id. */
function judge(vector: Omit<Invalid, 'name' | 'rule' | 'refusal'>): string {
  const nowMs = vector.nowMs ?? SAMPLE_NOW_MS
  const input = hex(vector.input)
  const bytes = new Uint8Array(vector.padTo ?? input.length)
  bytes.set(input)
  const parsed = parseEnvelope(bytes)
  if (!parsed.ok) return parsed.refusal.code
  const { envelope, id } = parsed.value
  const rate = new AuthorRate()
  for (let i = 0; i < (vector.spent ?? 0); i++) rate.spend(envelope.sender, nowMs)
  const allowed = rate.check(envelope.sender, nowMs)
  if (!allowed.ok) return allowed.refusal.code
  const verdicts = verifiers.map(verify =>
    verify(envelope.sender, signingBytes(envelope), envelope.sig)
  )
  assert.equal(verdicts[0], verdicts[1], 'the verifiers differ')
  if (verdicts[0] !== true) return 'BAD_SIGNATURE'
  const fresh = checkFreshness(envelope, nowMs)
  if (!fresh.ok) return fresh.refusal.code
  const guard = new ReplayGuard()
  for (const text of vector.before ?? []) {
    const past = parseEnvelope(hex(text))
    assert.ok(past.ok)
    guard.remember(past.value)
  }
  const replay = guard.check(parsed.value, nowMs)
  return replay.ok ? id : replay.refusal.code
}

describe('vectors: envelope', () => {
  const valid = load<Valid>('valid')
  const invalid = load<Invalid>('invalid')

  it('has a valid one for each verb', () => {
    assert.deepEqual([...new Set(valid.map(vector => vector.verb))].sort(), VERBS.toSorted())
  })

  it('has an invalid one for each rule that core decides, with a refusal of that rule', () => {
    // Left out: full tables, which a vector cannot fill, and the policy, whose vectors belong to the capsule.
    const elsewhere = new Set(['POLICY_DENIED', 'STALE_LAMPORT', 'REPLAY_GUARD_FULL'])
    const codes = Object.keys(ENVELOPE_REFUSALS).filter(code => !elsewhere.has(code))
    assert.deepEqual([...new Set(invalid.map(vector => vector.refusal))].sort(), codes.sort())
    const rules: Readonly<Record<string, { readonly rule: string }>> = ENVELOPE_REFUSALS
    for (const vector of invalid)
      assert.equal(rules[vector.refusal]?.rule, vector.rule, vector.name)
  })

  for (const vector of valid) {
    it(`takes ${vector.name}`, () => assert.equal(judge(vector), vector.id))

    it(`takes ${vector.name} by hand`, () => {
      const bytes = hex(vector.input)
      assert.ok(isCanonical(bytes))
      const digest = createHash('sha256').update(bytes).digest()
      assert.equal(vector.id, base32.encode(Uint8Array.from([1, 0x71, 0x12, 32, ...digest])))
      // `v` and `sig` are the first two of seventeen entries: taking `sig` out leaves the map of sixteen that is signed.
      assert.equal(vector.input.slice(0, 20), 'b1617601637369675840')
      const signed = Buffer.concat([
        Buffer.from('can-swarm/envelope/v1\0'),
        hex('b0617601'),
        bytes.subarray(74)
      ])
      assert.ok(verifyByHand(null, signed, keyOf(bytes), bytes.subarray(10, 74)))
    })
  }

  for (const vector of invalid) {
    it(`[${vector.rule}] refuses ${vector.name}`, () => assert.equal(judge(vector), vector.refusal))
  }
})

/** The sender's key, found by its text. */
function keyOf(bytes: Uint8Array): ReturnType<typeof createPublicKey> {
  const [, , text] = /(sender\x788)(did:key:z6Mk[1-9A-Za-z]{44})/u.exec(
    Buffer.from(bytes).toString('latin1')
  ) as unknown as [string, string, string]
  const raw = base58btc.decode(text.slice('did:key:'.length)).slice(2)
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') },
    format: 'jwk'
  })
}
