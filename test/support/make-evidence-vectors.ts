/**
 * Writes protocols/evidence/vectors. Run it with `node test/support/make-evidence-vectors.ts` after a deliberate change of the
 * protocol and review the difference: the files are the reference that the code is held to, not the other way round.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { encode } from '../../src/core/codec/index.ts'
import type { Admitted } from '../../src/core/envelope/index.ts'
import {
  type Evidence,
  encodeCertificateFile,
  encodeEvidence,
  evidenceId,
  type Offence
} from '../../src/core/roster/index.ts'
import { OTHER_DIGEST, sampleEvidence, subjectBytes } from './sample-evidence.ts'

const FOLDER = new URL('../../protocols/evidence/vectors/', import.meta.url)
const samples = sampleEvidence()
const { evidence, convicted, need, decide, finalize, form, otherForm, otherNeed } = samples
const { keysOf, requester, member, cluster, roster } = samples

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function write(path: string, vector: object): void {
  writeFileSync(new URL(path, FOLDER), `${JSON.stringify(vector, null, 2)}\n`)
}

function writeValid(): void {
  for (const offence of Object.keys(evidence) as Offence[]) {
    const bytes = encodeEvidence(evidence[offence])
    const proves = { convicted: convicted[offence], thread: need.id, slot: 'slot-1', epoch: 0 }
    write(`valid/${offence}.json`, {
      name: offence,
      evidence: hex(bytes),
      id: evidenceId(bytes),
      offence,
      ...proves
    })
  }
  for (const { bytes, envelope } of [decide, finalize] as const) {
    const { stage, votes } = envelope.payload.certificate
    const signed = new Set(votes.map(vote => vote.member))
    write(`valid/certificate-${stage}.json`, {
      name: `certificate-${stage}`,
      file: hex(encodeCertificateFile({ need: need.bytes, envelope: bytes })),
      verb: envelope.verb,
      stage,
      thread: need.id,
      signers: roster.filter(did => signed.has(did))
    })
  }
}

type Invalid = { readonly rule: number; readonly refusal: string } & (
  | { readonly evidence: Uint8Array }
  | { readonly file: Uint8Array }
)

const bad = (rule: number, refusal: string, of: Evidence): Invalid => ({
  rule,
  refusal,
  evidence: encodeEvidence(of)
})

/** What is wrong before anything is looked at as a statement. */
function malformed(): Record<string, Invalid> {
  const two = evidence['two-votes']
  const bytes = encodeEvidence(two)
  const [first, second] = two.votes
  const swapped = [
    [first, second],
    [second, first]
  ].map(votes => encode({ ...two, votes }))
  const wrongOrder = swapped.find(one => hex(one) !== hex(bytes)) as Uint8Array
  return {
    'evidence-cut': { rule: 1, refusal: 'NOT_CANONICAL', evidence: bytes.slice(0, -1) },
    'evidence-of-another-format': {
      rule: 1,
      refusal: 'PROOF_FORMAT',
      evidence: encode({ ...two, format: 'can-swarm/evidence/v2' })
    },
    'evidence-in-the-wrong-order': { rule: 2, refusal: 'PROOF_SHAPE', evidence: wrongOrder },
    'evidence-with-one-field-more': {
      rule: 2,
      refusal: 'PROOF_SHAPE',
      evidence: encode({ ...two, note: 'x' })
    },
    'two-forms-of-a-need': bad(3, 'PROOF_VERB', {
      ...evidence['two-forms'],
      forms: [form.bytes, need.bytes]
    }),
    'two-votes-unsigned': bad(3, 'BAD_SIGNATURE', {
      ...two,
      votes: [first, { ...second, sig: first.sig }]
    })
  }
}

function harmless(): Record<string, Invalid> {
  const { votes } = evidence['two-votes']
  const { joins } = evidence['two-joins']
  const { seals } = evidence['two-seals']
  const [honest, forged] = evidence['two-certificates'].certificates
  const outcome = finalize.envelope.payload.certificate
  const stranger = cluster.nodes.find(({ did }) => !roster.includes(did))?.did as string
  const shown = votes.find(({ digest }) => hex(digest) === hex(OTHER_DIGEST)) as (typeof votes)[0]
  const [left, showing] = seals
  const certificates = { ...evidence['two-certificates'] }
  return {
    'two-votes-alike': bad(4, 'PROOF_AGREES', {
      ...evidence['two-votes'],
      votes: [votes[0], votes[0]]
    }),
    'two-votes-by-a-stranger': bad(4, 'PROOF_STRANGER', {
      ...evidence['two-votes'],
      member: stranger
    }),
    'two-votes-about-two-needs': bad(4, 'PROOF_UNRELATED', {
      ...evidence['two-votes'],
      votes: [votes[0], voteElsewhere()]
    }),
    'two-joins-alike': bad(5, 'PROOF_AGREES', {
      ...evidence['two-joins'],
      joins: [joins[0], joins[0]]
    }),
    'two-forms-alike': bad(6, 'PROOF_AGREES', {
      ...evidence['two-forms'],
      forms: [form.bytes, form.bytes]
    }),
    'two-forms-of-two-senders': bad(6, 'PROOF_UNRELATED', {
      ...evidence['two-forms'],
      forms: [form.bytes, cluster.seal(keysOf(member), otherForm.envelope, 1).bytes]
    }),
    'two-certificates-alike': bad(7, 'PROOF_AGREES', {
      ...certificates,
      certificates: [honest, honest]
    }),
    'two-certificates-of-two-stages': bad(7, 'PROOF_UNRELATED', {
      ...certificates,
      certificates: [honest, outcome]
    }),
    'two-certificates-with-a-vote-twice': bad(7, 'PROOF_STRANGER', {
      ...certificates,
      certificates: [honest, { ...forged, votes: [...forged.votes, ...forged.votes.slice(0, 1)] }]
    }),
    'sealed-vote-that-is-shown': bad(8, 'PROOF_AGREES', {
      ...evidence['sealed-vote'],
      vote: shown,
      seal: showing
    }),
    'two-seals-alike': bad(9, 'PROOF_AGREES', { ...evidence['two-seals'], seals: [left, left] }),
    'false-seal-of-another-decision': bad(10, 'PROOF_UNRELATED', {
      ...evidence['false-seal'],
      seal: showing
    }),
    'broken-chain-that-holds': bad(11, 'PROOF_AGREES', {
      ...evidence['broken-chain'],
      later: laterForm().bytes
    })
  }
}

/** A vote of the member in a group for another NEED of the same slot. */
function voteElsewhere(): (typeof evidence)['two-votes']['votes'][0] {
  const { envelope } = otherForm
  const payload = { ...envelope.payload, need: otherNeed.cid }
  const changed = { ...envelope, thread: otherNeed.cid, payload } as typeof envelope
  const elsewhere = cluster.seal(keysOf(requester), changed, 1) as Admitted<'FORM'>
  const sig = keysOf(member).sign(subjectBytes(elsewhere, 'decide', OTHER_DIGEST))
  return { form: elsewhere.bytes, digest: OTHER_DIGEST, sig }
}

/** A FORM of the next epoch that names the one before as it was. */
function laterForm(): Admitted {
  const { envelope } = form
  const seal = { epoch: 0, form: form.cid, roster: [...roster], seals: [] }
  const payload = { ...envelope.payload, epoch: 1, seal }
  return cluster.seal(keysOf(requester), { ...envelope, epoch: 1, payload } as typeof envelope, 1)
}

function files(): Record<string, Invalid> {
  const file = (refusal: string, of: Admitted, carried: Admitted): Invalid => ({
    rule: 12,
    refusal,
    file: encodeCertificateFile({ need: of.bytes, envelope: carried.bytes })
  })
  const { envelope } = finalize
  const invalidate = cluster.seal(
    keysOf(requester),
    { ...envelope, verb: 'INVALIDATE' } as unknown as typeof envelope,
    1
  )
  return {
    'certificate-of-another-need': file('CERTIFICATE_OTHER_NEED', otherNeed, decide),
    'certificate-final-in-an-invalidate': file('CERTIFICATE_VERB', need, invalidate),
    'certificate-without-a-need': { ...file('PROOF_VERB', decide, decide), rule: 3 }
  }
}

/** The certificate of a decision, beside evidence that makes it void, and beside such that does not. */
function writeVoid(): void {
  const file = hex(encodeCertificateFile({ need: need.bytes, envelope: decide.bytes }))
  const signedBy = (did: string, precisionMs: number, change: object = {}): Uint8Array => {
    const payload = { ...form.envelope.payload, precisionMs, ...change }
    return cluster.seal(keysOf(did), { ...form.envelope, payload } as typeof form.envelope, 1).bytes
  }
  const twoForms = (did: string, change: object = {}): Evidence => ({
    ...evidence['two-forms'],
    forms: [signedBy(did, 1, change), signedBy(did, 2, change)]
  })
  const cases: Readonly<Record<string, readonly [Evidence, boolean]>> = {
    'by-two-forms': [evidence['two-forms'], true],
    'by-two-other-forms-of-the-requester': [twoForms(requester), true],
    'not-by-two-forms-of-a-member': [twoForms(member), false],
    'not-by-two-forms-for-another-need': [twoForms(requester, { need: otherNeed.cid }), false],
    'not-by-two-forms-for-a-later-epoch': [twoForms(requester, { epoch: 1 }), false],
    'not-by-two-votes': [evidence['two-votes'], false],
    'not-by-a-broken-chain': [evidence['broken-chain'], false]
  }
  for (const [name, [proof, isVoid]] of Object.entries(cases)) {
    const shown = { file, evidence: hex(encodeEvidence(proof)), void: isVoid }
    write(`void/${name}.json`, { name, rule: 'EVIDENCE-15', ...shown })
  }
}

for (const folder of ['valid', 'invalid', 'void']) {
  rmSync(new URL(`${folder}/`, FOLDER), { recursive: true, force: true })
  mkdirSync(new URL(`${folder}/`, FOLDER), { recursive: true })
}
writeValid()
for (const [name, { rule, refusal, ...bytes }] of Object.entries({
  ...malformed(),
  ...harmless(),
  ...files()
})) {
  const shown = 'file' in bytes ? { file: hex(bytes.file) } : { evidence: hex(bytes.evidence) }
  write(`invalid/${name}.json`, { name, rule: `EVIDENCE-${rule}`, refusal, ...shown })
}
// Last: each envelope that is sealed takes the next nonce, and those above keep theirs.
writeVoid()
