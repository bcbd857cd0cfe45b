/** Vectors of a thread of two epochs for protocols/group; written by make-group-vectors.ts. */
import { type CID, cidOf, encode } from '../../src/core/codec/index.ts'
import type { Admitted, EpochSeal, Payload } from '../../src/core/envelope/index.ts'
import {
  carriedBy,
  decisionDigest,
  groupIdOf,
  joinBytes,
  rosterHash,
  sealBytes,
  voteBytes,
  weightedOrder
} from '../../src/core/roster/index.ts'
import { testDraft, testKeys } from './swarm-cluster.ts'
import { twoEpochs } from './two-epochs.ts'

const { cluster, node: requester, need, thread, forms, decides } = twoEpochs()
const [first, second] = forms
const seal = second.envelope.payload.seal as EpochSeal

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function keysOf(did: string): ReturnType<typeof testKeys> {
  const found = cluster.nodes.find(each => each.did === did)
  if (found === undefined) throw new RangeError(`no keys of ${did}`)
  return found.keys
}

type Statement = Pick<EpochSeal['seals'][number], 'member' | 'digest' | 'proposal'>

/** The bytes that a member of the first roster signs. */
function statementBytes({ digest, proposal }: Statement, of: EpochSeal = seal): Uint8Array {
  const key = { thread, slot: 'slot-1', epoch: of.epoch }
  return sealBytes({
    ...key,
    roster: rosterHash(key, of.roster),
    digest,
    proposal: proposal?.toString() ?? null
  })
}

/** SEALs with the signatures that they need, so that nothing else is wrong with them. */
function sealed(statements: readonly Statement[], change: Partial<EpochSeal> = {}): EpochSeal {
  const of = { ...seal, ...change }
  return {
    ...of,
    seals: statements.map(one => ({
      ...one,
      sig: keysOf(one.member).sign(statementBytes(one, of))
    }))
  }
}

/** The second FORM with some fields replaced, JOINs and envelope signed anew. */
function formWith(change: Partial<Payload<'FORM'>>): Admitted<'FORM'> {
  const payload = { ...second.envelope.payload, ...change }
  const key = { thread, slot: payload.slot, epoch: payload.epoch }
  const promised = joinBytes(key, rosterHash(key, payload.roster))
  const joins = payload.roster.map(member => ({ member, sig: keysOf(member).sign(promised) }))
  const draft = testDraft(need.envelope.notAfter, 'FORM', need.cid, { ...payload, joins })
  const { lamport } = second.envelope
  return cluster.seal(requester.keys, { ...draft, epoch: payload.epoch } as typeof draft, lamport)
}

const statements: readonly Statement[] = seal.seals.map(({ member, digest, proposal }) => ({
  member,
  digest,
  proposal
}))
const other = { digest: new Uint8Array(32).fill(1), proposal: cidOf(encode({ other: 'bid' })) }

function spoilt(change: Partial<EpochSeal['seals'][number]>): Admitted<'FORM'> {
  const [one, ...rest] = seal.seals as [EpochSeal['seals'][number]]
  return formWith({ seal: { ...seal, seals: [{ ...one, ...change }, ...rest] } })
}

function invalidForms(): Record<string, readonly [rule: string, refusal: string, Admitted]> {
  const [one, two] = statements as [Statement, Statement]
  const silent = statements.map(({ member }) => ({ member, digest: null, proposal: null }))
  const lie = [{ ...one, ...other }, ...statements.slice(1)]
  return {
    'form-without-seals': ['GROUP-18', 'FORM_SEAL', formWith({ seal: null })],
    'form-with-two-seals': ['GROUP-18', 'FORM_SEAL', formWith({ seal: sealed([one, two]) })],
    'form-one-member-seals-twice': [
      'GROUP-18',
      'FORM_SEAL',
      formWith({ seal: sealed([one, one, two]) })
    ],
    'form-seals-of-another-roster': [
      'GROUP-18',
      'FORM_SEAL',
      formWith({ seal: sealed(statements, { roster: [...seal.roster].reverse() }) })
    ],
    'form-seal-signature': ['GROUP-18', 'FORM_SEAL', spoilt({ sig: new Uint8Array(64) })],
    'form-seal-of-another-decision': ['GROUP-18', 'FORM_SEAL', spoilt(other)],
    'form-seal-without-its-proposal': ['GROUP-18', 'FORM_SEAL', spoilt({ proposal: null })],
    'form-seal-hides-the-form': [
      'GROUP-18',
      'FORM_PREVIOUS',
      formWith({ seal: sealed(silent, { form: null }) })
    ],
    'form-epoch-skipped': ['GROUP-18', 'FORM_PREVIOUS', formWith({ epoch: 2 })],
    'form-seals-disagree': ['GROUP-19', 'FORM_CARRY', formWith({ seal: sealed(lie) })]
  }
}

function decideWithout(previous: readonly Uint8Array[]): Admitted<'DECIDE'> {
  const { decision, certificate } = decides[1].envelope.payload
  const payload = { decision, certificate: { ...certificate, previous: [...previous] } }
  const draft = testDraft(need.envelope.notAfter, 'DECIDE', need.cid, payload)
  return cluster.seal(requester.keys, { ...draft, epoch: 1 } as typeof draft, 1)
}

/** Certified by the whole second roster, and not what its FORM carries. */
function decideOf(proposal: CID): Admitted<'DECIDE'> {
  const { decision, certificate } = decides[1].envelope.payload
  const body = { ...decision, proposal }
  const digest = decisionDigest(body)
  const { slot, epoch, roster } = second.envelope.payload
  const bytes = voteBytes({ group: groupIdOf(second.bytes), slot, epoch, stage: 'decide', digest })
  const votes = roster.map(member => ({ member, sig: keysOf(member).sign(bytes) }))
  const payload = { decision: body, certificate: { ...certificate, digest, votes } }
  const draft = testDraft(need.envelope.notAfter, 'DECIDE', need.cid, payload)
  return cluster.seal(requester.keys, { ...draft, epoch: 1 } as typeof draft, 1)
}

/** `valid` and `invalid` vectors by name. */
export function epochVectors(): {
  readonly valid: Record<string, object>
  readonly invalid: Record<string, object>
} {
  const common = { need: hex(need.bytes), previous: [hex(first.bytes)] }
  const carried = carriedBy(forms)
  if (!carried.ok || carried.value === null) throw new RangeError('a decision is carried')
  const { decision } = decides[1].envelope.payload
  const weights = [1, 2, 5, 16]
  const candidates = weights.map((weight, index) => ({ did: testKeys(index).did, weight }))
  const invalid = Object.entries(invalidForms()).map(([name, [rule, refusal, envelope]]) => [
    name,
    { name, rule, ...common, envelope: hex(envelope.bytes), refusal }
  ])
  const unchained = { name: 'decide-without-its-chain', rule: 'GROUP-14', refusal: 'FORM_PREVIOUS' }
  const replaced = { name: 'decide-replaces-what-is-carried', rule: 'GROUP-14' }
  return {
    valid: {
      'weighted-draw': {
        name: 'weighted-draw',
        need: thread,
        epoch: 0,
        candidates,
        order: weightedOrder(thread, 0, candidates)
      },
      'form-epoch-1': {
        name: 'form-epoch-1',
        ...common,
        envelope: hex(second.bytes),
        sealBytes: seal.seals.map(one => hex(statementBytes(one))),
        carried: { digest: hex(carried.value.digest), proposal: carried.value.proposal }
      },
      'decide-epoch-1': {
        name: 'decide-epoch-1',
        need: common.need,
        envelope: hex(decides[1].bytes),
        digest: hex(decisionDigest(decision))
      }
    },
    invalid: {
      ...Object.fromEntries(invalid),
      'decide-without-its-chain': {
        ...unchained,
        need: common.need,
        envelope: hex(decideWithout([]).bytes)
      },
      [replaced.name]: {
        ...replaced,
        refusal: 'CERTIFICATE_CARRY',
        need: common.need,
        envelope: hex(decideOf(other.proposal).bytes)
      }
    }
  }
}
