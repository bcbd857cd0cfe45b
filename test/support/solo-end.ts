import { strict as assert } from 'node:assert'
import type { Certificate, Draft, Outcome, Payload } from '../../src/core/envelope/index.ts'
import {
  type CertificateFile,
  groupIdOf,
  joinBytes,
  outcomeDigest,
  rosterHash,
  voteBytes
} from '../../src/core/roster/index.ts'
import { needDraft, VirtualWorld } from '../../src/simulator/index.ts'
import { CAPSULE, testDraft } from './swarm-cluster.ts'

const NOW_MS = 1_800_000_000_000
const HASH = new Uint8Array(32).fill(1)

/** What a stranger may write into a thread of its own, which it forms, decides and ends alone. */
export type Strange = {
  readonly need?: Partial<Payload<'NEED'>>
  /** Of all three envelopes, ms since 1970. */
  readonly notAfter?: number
  readonly outcome?: Partial<Outcome>
}

/** A certified end by one key alone, with all signatures as they have to be. */
export function soloEnd({
  need: needs = {},
  notAfter,
  outcome: ends = {}
}: Strange): CertificateFile {
  const world = new VirtualWorld({ nodes: 1, seed: 1 })
  const { keys } = world.nodes[0] as VirtualWorld['nodes'][0]
  const { did } = keys
  const late = notAfter === undefined ? {} : { notAfter }
  const need = world.seal(
    keys,
    {
      ...needDraft(NOW_MS, { capsule: CAPSULE, solo: true, kPlan: 1, kResult: 1, ...needs }),
      ...late
    },
    1
  )
  const { slot, epoch } = need.envelope.payload
  const key = { thread: need.id, slot, epoch }
  const drafted = <V extends 'FORM' | 'FINALIZE'>(verb: V, payload: Payload<V>): Draft<V> => ({
    ...testDraft(NOW_MS, verb, need.cid, payload),
    epoch,
    ...late
  })
  const form = world.seal(
    keys,
    drafted('FORM', {
      need: need.cid,
      slot,
      epoch,
      seal: null,
      earlierSeals: [],
      checkpoint: null,
      tier: 'single',
      candidates: [{ did, manifest: need.cid }],
      roster: [did],
      joins: [{ member: did, sig: keys.sign(joinBytes(key, rosterHash(key, [did]))) }],
      kPlan: 1,
      kResult: 1,
      quorum: 'more-than-two-thirds',
      precisionMs: 1_000
    }),
    2
  )
  const outcome: Outcome = {
    need: need.cid,
    slot,
    epoch,
    result: 'EXPIRED',
    reason: 'nobody has bid',
    proposal: null,
    commit: null,
    outputs: [],
    attestations: [],
    challenges: [],
    payouts: [],
    fence: null,
    stamp: NOW_MS,
    term: 1,
    index: 1,
    logHash: HASH,
    planDigest: HASH,
    ...ends
  }
  const digest = outcomeDigest(outcome)
  const group = groupIdOf(form.bytes)
  const vote = voteBytes({ group, slot, epoch, stage: 'outcome', digest })
  const certificate: Certificate = {
    form: form.bytes,
    previous: [],
    stage: 'outcome',
    digest,
    votes: [{ member: did, sig: keys.sign(vote) }]
  }
  const finalize = world.seal(keys, drafted('FINALIZE', { outcome, certificate }), 3)
  assert(finalize.envelope.sender === did)
  return { need: need.bytes, envelope: finalize.bytes }
}
