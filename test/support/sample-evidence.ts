import type { Admitted, Certificate, Draft, Verb } from '../../src/core/envelope/index.ts'
import {
  type EvidenceOf,
  groupIdOf,
  joinBytes,
  type Offence,
  rosterHash,
  sealBytes,
  type VoteSubject,
  voteBytes
} from '../../src/core/roster/index.ts'
import { finishedThread } from './finished-thread.ts'
import { planPayload } from './plan-payload.ts'
import { type SwarmCluster, testDraft, type testKeys } from './swarm-cluster.ts'

type Keys = ReturnType<typeof testKeys>

/** One offence of each kind, committed with real keys against a real thread, and who is guilty of it. */
export type Samples = {
  readonly cluster: SwarmCluster
  readonly need: Admitted<'NEED'>
  readonly form: Admitted<'FORM'>
  readonly decide: Admitted<'DECIDE'>
  readonly finalize: Admitted<'FINALIZE'>
  /** A second FORM of the same requester for the same epoch, and a NEED of the same slot. */
  readonly otherForm: Admitted<'FORM'>
  readonly otherNeed: Admitted<'NEED'>
  readonly requester: string
  /** The member that sins where one member sins. */
  readonly member: string
  readonly roster: readonly string[]
  readonly evidence: { readonly [O in Offence]: EvidenceOf<O> }
  readonly convicted: { readonly [O in Offence]: readonly string[] }
  readonly keysOf: (did: string) => Keys
}

export const OTHER_DIGEST: Uint8Array = new Uint8Array(32).fill(7)
export const FORMAT = 'can-swarm/evidence/v1' as const

export function sampleEvidence(): Samples {
  const { cluster, node, thread } = finishedThread()
  const only = <V extends 'NEED' | 'FORM' | 'DECIDE' | 'FINALIZE'>(verb: V): Admitted<V> => {
    const found = node.swarm.view(thread)?.envelopes.find(envelope => envelope.verb === verb)
    return node.swarm.envelope(thread, found?.id ?? '') as Admitted<V>
  }
  const [need, form, decide, finalize] = [
    only('NEED'),
    only('FORM'),
    only('DECIDE'),
    only('FINALIZE')
  ]
  const keysOf = (did: string): Keys => cluster.nodes.find(each => each.did === did)?.keys as Keys
  const requester = need.envelope.sender
  const { roster } = form.envelope.payload
  const member = roster[1] as string
  const again = <V extends Verb>(admitted: Admitted<V>, change: object): Admitted<V> => {
    const { envelope } = admitted
    const changed = {
      ...envelope,
      payload: { ...envelope.payload, ...change } as { epoch?: number }
    }
    return cluster.seal(
      keysOf(requester),
      {
        ...changed,
        epoch: envelope.epoch === null ? null : changed.payload.epoch
      } as unknown as Draft<V>,
      9_000
    )
  }
  const otherForm = again(form, { precisionMs: 1 })
  const otherNeed = again(need, { task: 'text/other' })
  const { certificate } = decide.envelope.payload
  const ballot = (digest: Uint8Array, of = form): EvidenceOf<'two-votes'>['votes'][0] => ({
    form: of.bytes,
    digest,
    sig: keysOf(member).sign(subjectBytes(of, 'decide', digest))
  })
  const promise = (roster: Uint8Array): EvidenceOf<'two-joins'>['joins'][0] => ({
    roster,
    sig: keysOf(member).sign(joinBytes({ thread, slot: 'slot-1', epoch: 0 }, roster))
  })
  const forged: Certificate = {
    ...certificate,
    digest: OTHER_DIGEST,
    votes: roster.slice(0, 3).map(did => ({
      member: did,
      sig: keysOf(did).sign(subjectBytes(form, 'decide', OTHER_DIGEST))
    }))
  }
  const key = { thread, slot: 'slot-1', epoch: 0 }
  const leave = (digest: Uint8Array | null): EvidenceOf<'two-seals'>['seals'][0] => {
    const seal = { roster: rosterHash(key, roster), digest, proposal: digest && need.cid }
    const subject = { ...key, ...seal, proposal: seal.proposal?.toString() ?? null }
    return { ...seal, sig: keysOf(member).sign(sealBytes(subject)) }
  }
  const later = again(form, {
    epoch: 1,
    seal: { epoch: 0, form: form.cid, roster: [...roster].reverse(), seals: [] }
  })
  const update = (value: string): Uint8Array => {
    const facts = [{ kind: 'ANNOTATE', task: 'text/upper', key: 'note', value } as const]
    const draft = testDraft(cluster.nowMs, 'UPDATE_PLAN', need.cid, planPayload(facts))
    return cluster.seal(keysOf(member), draft, 9_100).bytes
  }
  const honest = { ...certificate, votes: votesIn(certificate) }
  const evidence: Samples['evidence'] = {
    'two-votes': {
      format: FORMAT,
      offence: 'two-votes',
      member,
      stage: 'decide',
      votes: [ballot(certificate.digest), ballot(OTHER_DIGEST)]
    },
    'two-joins': {
      format: FORMAT,
      offence: 'two-joins',
      member,
      need: need.bytes,
      epoch: 0,
      joins: [promise(new Uint8Array(32)), promise(OTHER_DIGEST)]
    },
    'two-forms': {
      format: FORMAT,
      offence: 'two-forms',
      forms: [form.bytes, otherForm.bytes]
    },
    'two-certificates': {
      format: FORMAT,
      offence: 'two-certificates',
      need: need.bytes,
      certificates: [honest, forged]
    },
    'sealed-vote': {
      format: FORMAT,
      offence: 'sealed-vote',
      member,
      stage: 'decide',
      vote: ballot(certificate.digest),
      seal: leave(null)
    },
    'two-seals': {
      format: FORMAT,
      offence: 'two-seals',
      member,
      need: need.bytes,
      epoch: 0,
      seals: [leave(null), leave(OTHER_DIGEST)]
    },
    'false-seal': {
      format: FORMAT,
      offence: 'false-seal',
      member,
      decision: decide.envelope.payload.decision,
      seal: leave(certificate.digest)
    },
    'broken-chain': {
      format: FORMAT,
      offence: 'broken-chain',
      earlier: form.bytes,
      later: later.bytes
    },
    'plan-fork': {
      format: FORMAT,
      offence: 'plan-fork',
      need: need.bytes,
      updates: [update('one'), update('another')]
    }
  }
  const signedHonest = honest.votes.map(vote => vote.member)
  const convicted: Samples['convicted'] = {
    'two-votes': [member],
    'two-joins': [member],
    'two-forms': [requester],
    'two-certificates': roster.slice(0, 3).filter(did => signedHonest.includes(did)),
    'sealed-vote': [member],
    'two-seals': [member],
    'false-seal': [member],
    'broken-chain': [requester],
    'plan-fork': [member]
  }
  const common = { cluster, need, form, decide, finalize, otherForm, otherNeed }
  return { ...common, requester, member, roster, evidence, convicted, keysOf }
}

/** What a member signs to vote in a group. */
export function subjectBytes(
  form: Admitted<'FORM'>,
  stage: VoteSubject['stage'],
  digest: Uint8Array
): Uint8Array {
  const { slot, epoch } = form.envelope.payload
  return voteBytes({ group: groupIdOf(form.bytes), slot, epoch, stage, digest })
}

function votesIn(certificate: Certificate): Certificate['votes'] {
  return certificate.votes.slice(0, 4)
}
