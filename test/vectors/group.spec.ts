// protocols/group/vectors: draws, a FORM, certificates, and what breaks each rule, held against core/roster with the reference
// verifier. Nothing here writes the files.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fromHex, toHex } from '../../src/core/base/index.ts'
import { type Admitted, parseEnvelope } from '../../src/core/envelope/index.ts'
import { verifyReference } from '../../src/core/identity/index.ts'
import {
  carriedBy,
  checkDecision,
  checkForm,
  checkOutcome,
  decisionDigest,
  drawOrder,
  groupIdOf,
  joinBytes,
  outcomeDigest,
  rosterHash,
  sealBytes,
  sealsOf,
  voteBytes,
  type WeightedCandidate,
  weightedOrder
} from '../../src/core/roster/index.ts'

type Vector = {
  readonly name: string
  readonly need: string
  readonly envelope: string
  readonly rule: string
  readonly refusal: string
  /** FORMs of the epochs before, oldest first. */
  readonly previous?: readonly string[]
}
type Draw = { readonly name: string; readonly need: string; readonly epoch: number } & {
  readonly candidates: readonly string[]
  readonly order: readonly string[]
}

const FOLDER = new URL('../../protocols/group/vectors/', import.meta.url)

function load<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8')) as T
}

function names(folder: string): string[] {
  return readdirSync(new URL(folder, FOLDER)).sort()
}

function admit(hex: string): Admitted {
  const parsed = parseEnvelope(fromHex(hex))
  assert(parsed.ok, parsed.ok ? '' : parsed.refusal.message)
  return parsed.value
}

/** The code with which the core refuses a vector's envelope, or `ok`. */
function judge(vector: Vector): string {
  const need = admit(vector.need) as Admitted<'NEED'>
  const { verb, payload } = admit(vector.envelope).envelope
  if (verb === 'FORM') {
    const checked = checkForm(
      admit(vector.envelope) as Admitted<'FORM'>,
      { need, previous: (vector.previous ?? []).map(hex => admit(hex) as Admitted<'FORM'>) },
      verifyReference
    )
    return checked.ok ? 'ok' : checked.refusal.code
  }
  assert(verb === 'DECIDE' || verb === 'FINALIZE' || verb === 'INVALIDATE')
  const checked =
    'decision' in payload
      ? checkDecision(payload.decision, payload.certificate, need, verifyReference)
      : checkOutcome(payload.outcome, payload.certificate, need, verifyReference)
  return checked.ok ? 'ok' : checked.refusal.code
}

describe('vectors/group', () => {
  const draws = names('valid/').filter(name => name.startsWith('draw'))
  it('has vectors', () => assert(draws.length >= 3 && names('invalid/').length >= 20))

  for (const name of draws) {
    it(`orders the candidates of ${name}`, () => {
      const { need, epoch, candidates, order } = load<Draw>(`valid/${name}`)
      assert.deepEqual(drawOrder(need, epoch, candidates), order)
      assert.deepEqual(drawOrder(need, epoch, [...candidates].reverse()), order)
      assert.notDeepEqual(order, candidates)
    })
  }

  it('accepts the FORM, and gives its group, roster hash and JOIN bytes', () => {
    const vector = load<Vector & Record<'group' | 'rosterHash' | 'joinBytes', string>>(
      'valid/form.json'
    )
    assert.equal(judge(vector), 'ok')
    assert.equal(groupIdOf(fromHex(vector.envelope)), vector.group)
    const { slot, epoch, roster } = (admit(vector.envelope) as Admitted<'FORM'>).envelope.payload
    const key = { thread: admit(vector.need).id, slot, epoch }
    const hash = rosterHash(key, roster)
    assert.equal(toHex(hash), vector.rosterHash)
    assert.equal(toHex(joinBytes(key, hash)), vector.joinBytes)
  })

  it('orders weighted candidates', () => {
    const { need, epoch, candidates, order } = load<{
      need: string
      epoch: number
      candidates: WeightedCandidate[]
      order: string[]
    }>('valid/weighted-draw.json')
    assert.deepEqual(weightedOrder(need, epoch, candidates), order)
  })

  it('accepts the FORM of the second epoch, and gives what its members signed and what is carried', () => {
    const vector = load<
      Vector & { sealBytes: string[]; carried: { digest: string; proposal: string } }
    >('valid/form-epoch-1.json')
    assert.equal(judge(vector), 'ok')
    assert.equal(judge({ ...vector, previous: [] }), 'FORM_PREVIOUS')
    const form = admit(vector.envelope) as Admitted<'FORM'>
    const forms = [...(vector.previous ?? []).map(hex => admit(hex) as Admitted<'FORM'>), form]
    const carried = carriedBy(forms)
    assert(carried.ok && carried.value !== null)
    assert.equal(toHex(carried.value.digest), vector.carried.digest)
    assert.equal(carried.value.proposal, vector.carried.proposal)
    const sealed = sealsOf(form).flatMap(({ epoch, roster, seals }) => {
      const key = { thread: admit(vector.need).id, slot: form.envelope.payload.slot, epoch }
      return seals.map(({ digest, proposal }) => {
        const shown = { digest, proposal: proposal?.toString() ?? null }
        return toHex(sealBytes({ ...key, roster: rosterHash(key, roster), ...shown }))
      })
    })
    assert.deepEqual(sealed, vector.sealBytes)
  })

  it('accepts the certificate of the second epoch by itself', () => {
    const vector = load<Vector & { digest: string }>('valid/decide-epoch-1.json')
    assert.equal(judge(vector), 'ok')
    const { decision } = (admit(vector.envelope) as Admitted<'DECIDE'>).envelope.payload
    assert.equal(toHex(decisionDigest(decision)), vector.digest)
  })

  for (const name of ['decide', 'finalize']) {
    it(`accepts the certificate of ${name}, and gives its digest, vote bytes and signers`, () => {
      const vector = load<
        Vector & Record<'digest' | 'voteBytes', string> & { readonly signers: readonly string[] }
      >(`valid/${name}.json`)
      const need = admit(vector.need) as Admitted<'NEED'>
      const { payload } = (admit(vector.envelope) as Admitted<'DECIDE' | 'FINALIZE'>).envelope
      const [checked, digest] =
        'decision' in payload
          ? [
              checkDecision(payload.decision, payload.certificate, need, verifyReference),
              decisionDigest(payload.decision)
            ]
          : [
              checkOutcome(payload.outcome, payload.certificate, need, verifyReference),
              outcomeDigest(payload.outcome)
            ]
      assert(checked.ok, JSON.stringify(checked))
      assert.deepEqual(checked.value.signers, vector.signers)
      assert.equal(toHex(digest), vector.digest)
      const { group, form } = checked.value
      const { slot, epoch } = form.envelope.payload
      const { stage } = payload.certificate
      assert.equal(toHex(voteBytes({ group, slot, epoch, stage, digest })), vector.voteBytes)
    })
  }

  for (const name of names('invalid/')) {
    const vector = load<Vector>(`invalid/${name}`)
    it(`refuses ${vector.name} with ${vector.refusal} (${vector.rule})`, () =>
      assert.equal(judge(vector), vector.refusal))
  }

  it('has a vector for each rule that a stranger can check', () => {
    const rules = new Set(names('invalid/').map(name => load<Vector>(`invalid/${name}`).rule))
    const checkable = [6, 7, 8, 9, 14, 17, 18, 19].map(number => `GROUP-${number}`)
    assert.deepEqual([...rules].sort(), checkable.sort())
  })
})
