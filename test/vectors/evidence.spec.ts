// protocols/evidence/vectors: one offence of each kind, certificate files, and what is neither, held against core/roster with the
// reference verifier. Nothing here writes the files.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fromHex } from '../../src/core/base/index.ts'
import { verifyReference } from '../../src/core/identity/index.ts'
import {
  type CertifiedClaim,
  type Conviction,
  checkCertificateFile,
  checkEvidence,
  decodeCertificateFile,
  decodeEvidence,
  encodeEvidence,
  evidenceId,
  isVoidedBy
} from '../../src/core/roster/index.ts'

type Vector = {
  readonly name: string
  readonly evidence?: string
  readonly file?: string
  readonly rule: string
  readonly refusal: string
  readonly void?: boolean
} & Conviction &
  Pick<CertifiedClaim, 'verb' | 'stage' | 'signers'> & { readonly id: string }

const FOLDER = new URL('../../protocols/evidence/vectors/', import.meta.url)

function load(folder: string): Vector[] {
  return readdirSync(new URL(folder, FOLDER))
    .sort()
    .map(name => JSON.parse(readFileSync(new URL(`${folder}${name}`, FOLDER), 'utf8')) as Vector)
}

/** What a vector comes to: a conviction, a claim, or the code of the refusal. */
function judge({
  evidence,
  file
}: Pick<Vector, 'evidence' | 'file'>): Conviction | CertifiedClaim | string {
  if (evidence !== undefined) {
    const decoded = decodeEvidence(fromHex(evidence))
    const checked = decoded.ok ? checkEvidence(decoded.value, verifyReference) : decoded
    return checked.ok ? checked.value : checked.refusal.code
  }
  const decoded = decodeCertificateFile(fromHex(file ?? ''))
  const checked = decoded.ok ? checkCertificateFile(decoded.value, verifyReference) : decoded
  return checked.ok ? checked.value : checked.refusal.code
}

describe('vectors/evidence', () => {
  const valid = load('valid/')
  const invalid = load('invalid/')
  it('has vectors', () => assert(valid.length >= 10 && invalid.length >= 20))

  for (const vector of valid)
    it(`accepts ${vector.name} for what it says`, () => {
      const judged = judge(vector)
      assert(typeof judged === 'object', String(judged))
      if (vector.evidence !== undefined) {
        const { offence, convicted, thread, slot, epoch } = vector
        assert.deepEqual(judged, { offence, convicted, thread, slot, epoch })
        const bytes = fromHex(vector.evidence)
        assert.equal(evidenceId(bytes), vector.id)
        const decoded = decodeEvidence(bytes)
        assert(decoded.ok)
        assert.deepEqual(encodeEvidence(decoded.value), bytes)
      } else {
        const { verb, stage, thread, signers } = judged as CertifiedClaim
        const { name, file, ...said } = vector
        assert.deepEqual({ verb, stage, thread, signers }, said)
      }
    })

  for (const vector of invalid)
    it(`refuses ${vector.name} with ${vector.refusal} (${vector.rule})`, () =>
      assert.equal(judge(vector), vector.refusal))

  for (const vector of load('void/'))
    it(`takes a certificate ${vector.void ? 'for' : 'not for'} void: ${vector.name}`, () => {
      const { file, evidence } = vector
      assert(file !== undefined && evidence !== undefined)
      const claim = judge({ file })
      const proof = judge({ evidence })
      assert(typeof claim === 'object' && typeof proof === 'object', `${claim} ${proof}`)
      assert.equal(isVoidedBy(claim as CertifiedClaim, proof as Conviction), vector.void)
    })

  it('has an invalid vector for each rule about bytes', () => {
    const rules = new Set(invalid.map(({ rule }) => rule))
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert.deepEqual([...rules].sort(), numbers.map(number => `EVIDENCE-${number}`).sort())
  })
})
