/**
 * Writes protocols/group/vectors. Run it with `node test/support/make-group-vectors.ts` after a deliberate change of the
 * protocol and review the difference: the files are the reference that the code is held to, not the other way round.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { cidOf, encode } from '../../src/core/codec/index.ts'
import type {
  Admitted,
  Certificate,
  Decision,
  Envelope,
  Payload
} from '../../src/core/envelope/index.ts'
import {
  decisionDigest,
  drawOrder,
  groupIdOf,
  joinBytes,
  outcomeDigest,
  rosterHash,
  voteBytes
} from '../../src/core/roster/index.ts'
import { epochVectors } from './epoch-vectors.ts'
import { finishedThread } from './finished-thread.ts'
import { testDraft, testKeys } from './swarm-cluster.ts'

const FOLDER = new URL('../../protocols/group/vectors/', import.meta.url)
const { cluster, node, thread } = finishedThread()
const need = only('NEED')
const form = only('FORM')
const decide = only('DECIDE')
const finalize = only('FINALIZE')
const group = groupIdOf(form.bytes)
const { roster } = form.envelope.payload
const requester = cluster.nodes[0]?.keys as ReturnType<typeof testKeys>
const stranger = testKeys(9)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function only<V extends 'NEED' | 'FORM' | 'DECIDE' | 'FINALIZE'>(verb: V): Admitted<V> {
  const found = node.swarm.view(thread)?.envelopes.find(envelope => envelope.verb === verb)
  return node.swarm.envelope(thread, found?.id ?? '') as Admitted<V>
}

function keysOf(did: string): ReturnType<typeof testKeys> {
  const found = cluster.nodes.find(each => each.did === did)
  if (found === undefined) throw new RangeError(`no keys of ${did}`)
  return found.keys
}

type Form = Payload<'FORM'>

/** A FORM with some fields replaced, signed anew; its JOINs are for its own roster unless they are replaced too. */
function formWith(
  change: Partial<Form>,
  keys: ReturnType<typeof testKeys> = requester,
  refs: Envelope['refs'] = []
): Admitted {
  const payload = { ...form.envelope.payload, ...change }
  const key = { thread, slot: payload.slot, epoch: payload.epoch }
  const promised = joinBytes(key, rosterHash(key, payload.roster))
  const joins =
    change.joins ?? payload.roster.map(member => ({ member, sig: keysOf(member).sign(promised) }))
  const draft = testDraft(need.envelope.notAfter, 'FORM', need.cid, { ...payload, joins })
  return cluster.seal(keys, { ...draft, epoch: payload.epoch, refs }, form.envelope.lamport)
}

type Voted = Pick<Certificate, 'stage' | 'digest'>

function votesOf(members: readonly string[], voted: Voted, of = group): Certificate['votes'] {
  const { slot, epoch } = form.envelope.payload
  const message = voteBytes({ group: of, slot, epoch, ...voted })
  return members.map(member => ({ member, sig: keysOf(member).sign(message) }))
}

/** A DECIDE with another body or certificate, signed anew. Votes are by the whole roster unless they are replaced. */
function decideWith(change: Partial<Decision>, certified: Partial<Certificate> = {}): Admitted {
  const decision = { ...decide.envelope.payload.decision, ...change }
  const voted: Voted = { stage: 'decide', digest: decisionDigest(decision), ...certified }
  const certificate: Certificate = {
    form: form.bytes,
    previous: [],
    votes: votesOf(roster, voted),
    ...voted,
    ...certified
  }
  const draft = testDraft(need.envelope.notAfter, 'DECIDE', need.cid, { decision, certificate })
  return cluster.seal(requester, { ...draft, epoch: decision.epoch }, 1)
}

/** The bytes of a FORM whose signature is zeros. */
function unsignedForm(): Uint8Array {
  return encode({ ...(form.envelope as Envelope), sig: new Uint8Array(64) })
}

type Invalid = {
  readonly rule: string
  readonly refusal: string
  readonly envelope: Admitted
}

/** GROUP-17: what keeps a FORM small and close to honest clocks. */
function unboundedForms(): Record<string, Invalid> {
  const rule = 'GROUP-17'
  const manifest = form.envelope.payload.candidates[0]?.manifest ?? need.cid
  const candidates = Array.from({ length: 64 }, (_, index) => ({
    did: testKeys(index).did,
    manifest
  }))
  const refs = Array.from({ length: 256 }, () => need.cid)
  return {
    'form-too-large': {
      rule,
      refusal: 'FORM_TOO_LARGE',
      envelope: formWith({ candidates }, requester, refs)
    },
    'form-with-a-wide-precision': {
      rule,
      refusal: 'FORM_PRECISION',
      envelope: formWith({ precisionMs: 10_001 })
    }
  }
}

function invalidForms(): Record<string, Invalid> {
  const bad = (rule: string, refusal: string, envelope: Admitted): Invalid => ({
    rule,
    refusal,
    envelope
  })
  const { candidates, joins } = form.envelope.payload
  const key = { thread, slot: 'slot-1', epoch: 0 }
  const reversed = [...roster].reverse()
  const otherPromise = joinBytes(key, rosterHash(key, reversed))
  const member = roster[1] as string
  return {
    'form-by-a-member': bad('GROUP-6', 'FORM_NOT_BY_REQUESTER', formWith({}, keysOf(member))),
    'form-for-another-slot': bad('GROUP-6', 'FORM_OTHER_NEED', formWith({ slot: 'slot-2' })),
    'form-for-another-epoch': bad('GROUP-6', 'FORM_OTHER_NEED', formWith({ epoch: 4 })),
    'form-k-plan-zero': bad('GROUP-7', 'FORM_K', formWith({ kPlan: 0 })),
    'form-k-result-above-the-need': bad('GROUP-7', 'FORM_K', formWith({ kResult: 2 })),
    'form-single-without-solo': bad(
      'GROUP-8',
      'FORM_SINGLE',
      formWith({ tier: 'single', roster: [requester.did] })
    ),
    'form-of-three': bad('GROUP-8', 'FORM_SIZE', formWith({ roster: roster.slice(0, 3) })),
    'form-against-the-draw': bad('GROUP-8', 'FORM_DRAW', formWith({ roster: reversed })),
    'form-member-twice': bad(
      'GROUP-8',
      'FORM_DRAW',
      formWith({ roster: [...roster.slice(0, 3), roster[2] as string] })
    ),
    'form-member-no-candidate': bad(
      'GROUP-8',
      'FORM_DRAW',
      formWith({ candidates: candidates.filter(({ did }) => did !== member) })
    ),
    'form-join-missing': bad('GROUP-9', 'FORM_JOINS', formWith({ joins: joins.slice(1) })),
    'form-join-for-another-roster': bad(
      'GROUP-9',
      'FORM_JOINS',
      formWith({
        joins: joins.map(join =>
          join.member === member ? { member, sig: keysOf(member).sign(otherPromise) } : join
        )
      })
    )
  }
}

function invalidCertificates(): Record<string, Invalid> {
  const bad = (refusal: string, envelope: Admitted, rule = 'GROUP-14'): Invalid => ({
    rule,
    refusal,
    envelope
  })
  const digest = decisionDigest(decide.envelope.payload.decision)
  const voted: Voted = { stage: 'decide', digest }
  const [first, second] = roster as [string, string]
  const two = votesOf([first, second], voted)
  const elsewhere = groupIdOf(formWith({ precisionMs: 1 }).bytes)
  const strangers = { member: stranger.did, sig: stranger.sign(new Uint8Array()) }
  const unjoined = formWith({ joins: form.envelope.payload.joins.slice(1) }).bytes
  return {
    'decide-with-a-need-for-a-form': bad('CERTIFICATE_FORM', decideWith({}, { form: need.bytes })),
    'decide-form-unsigned': bad('BAD_SIGNATURE', decideWith({}, { form: unsignedForm() })),
    'decide-form-without-a-join': bad('FORM_JOINS', decideWith({}, { form: unjoined })),
    'decide-of-another-slot': bad('CERTIFICATE_OTHER_NEED', decideWith({ slot: 'slot-2' })),
    'decide-of-another-digest': bad(
      'CERTIFICATE_DIGEST',
      decideWith({ index: 1 }, { digest, votes: votesOf(roster, voted) })
    ),
    'decide-of-another-stage': bad('CERTIFICATE_DIGEST', decideWith({}, { stage: 'outcome' })),
    'decide-two-votes': bad('CERTIFICATE_QUORUM', decideWith({}, { votes: two })),
    'decide-one-member-thrice': bad(
      'CERTIFICATE_QUORUM',
      decideWith({}, { votes: votesOf([first, first, first], voted) })
    ),
    'decide-with-a-stranger': bad(
      'CERTIFICATE_QUORUM',
      decideWith({}, { votes: [...two, strangers] })
    ),
    'decide-votes-of-another-group': bad(
      'CERTIFICATE_QUORUM',
      decideWith({}, { votes: votesOf(roster, voted, elsewhere) })
    ),
    'decide-votes-of-another-stage': bad(
      'CERTIFICATE_QUORUM',
      decideWith({}, { votes: votesOf(roster, { stage: 'outcome', digest }) })
    )
  }
}

function write(path: string, vector: object): void {
  writeFileSync(new URL(path, FOLDER), `${JSON.stringify(vector, null, 2)}\n`)
}

/** The same candidates for two NEEDs and two epochs: the orders have nothing to do with each other. */
function writeDraws(): void {
  const candidates = Array.from({ length: 7 }, (_, index) => testKeys(index).did)
  const other = cidOf(encode({ sample: 'need' })).toString()
  for (const [name, of, epoch] of [
    ['draw', thread, 0],
    ['draw-next-epoch', thread, 1],
    ['draw-other-need', other, 0]
  ] as const) {
    const order = drawOrder(of, epoch, candidates)
    write(`valid/${name}.json`, { name, need: of, epoch, candidates, order })
  }
}

for (const folder of ['valid', 'invalid']) {
  rmSync(new URL(`${folder}/`, FOLDER), { recursive: true, force: true })
  mkdirSync(new URL(`${folder}/`, FOLDER), { recursive: true })
}
writeDraws()
const common = { need: hex(need.bytes) }
const key = { thread, slot: 'slot-1', epoch: 0 }
write('valid/form.json', {
  name: 'form',
  ...common,
  envelope: hex(form.bytes),
  group,
  roster,
  rosterHash: hex(rosterHash(key, roster)),
  joinBytes: hex(joinBytes(key, rosterHash(key, roster)))
})
for (const [name, admitted, digest] of [
  ['decide', decide, decisionDigest(decide.envelope.payload.decision)],
  ['finalize', finalize, outcomeDigest(finalize.envelope.payload.outcome)]
] as const) {
  const { stage, votes } = admitted.envelope.payload.certificate
  const signers = roster.filter(member => votes.some(vote => vote.member === member))
  const message = voteBytes({ group, slot: 'slot-1', epoch: 0, stage, digest })
  write(`valid/${name}.json`, {
    name,
    ...common,
    envelope: hex(admitted.bytes),
    digest: hex(digest),
    voteBytes: hex(message),
    signers
  })
}
for (const [name, { rule, refusal, envelope }] of Object.entries({
  ...invalidForms(),
  ...unboundedForms(),
  ...invalidCertificates()
}))
  write(`invalid/${name}.json`, {
    name,
    rule,
    need: hex(need.bytes),
    envelope: hex(envelope.bytes),
    refusal
  })
const { valid, invalid } = epochVectors()
for (const [name, vector] of Object.entries(valid)) write(`valid/${name}.json`, vector)
for (const [name, vector] of Object.entries(invalid)) write(`invalid/${name}.json`, vector)
