import { type CID, cidOf } from '../core/codec/index.ts'
import type { Draft, Payload, Verb } from '../core/envelope/index.ts'
import { CAPABILITY_OF_VERB } from '../core/policy/index.ts'

/** The one capsule, input and output of virtual worlds: nothing is behind their CIDs. */
export const CAPSULE: CID = cidOf(new TextEncoder().encode('test capsule'))
export const INPUT: CID = cidOf(new TextEncoder().encode('input'), 0x55)
export const OUTPUT: CID = cidOf(new TextEncoder().encode('output'), 0x55)
/** What a worker that errs or lies delivers. */
export const WRONG_OUTPUT: CID = cidOf(new TextEncoder().encode('wrong output'), 0x55)

/** How long an envelope of a virtual world may be said, in ms. */
const LIFE_MS = 3_600_000

export function draftOf<V extends Verb>(
  nowMs: number,
  verb: V,
  thread: CID | null,
  payload: Payload<V>
): Draft<V> {
  return {
    verb,
    thread,
    capability: CAPABILITY_OF_VERB[verb],
    epoch: null,
    fence: null,
    refs: [],
    payload,
    notAfter: nowMs + LIFE_MS,
    traceparent: null
  } as Draft as Draft<V>
}

/** Everybody can do everything: roles are played by scripts. */
export function manifestDraft(nowMs: number): Draft<'MANIFEST'> {
  return draftOf(nowMs, 'MANIFEST', null, {
    capabilities: ['text/upper'],
    roles: ['voter', 'worker', 'verifier'],
    tags: [],
    zone: '',
    org: '',
    price: 1n,
    stake: 0n,
    agent: 'test'
  })
}

export function needDraft(nowMs: number, overrides: Partial<Payload<'NEED'>> = {}): Draft<'NEED'> {
  return draftOf(nowMs, 'NEED', null, {
    slot: 'slot-1',
    epoch: 0,
    task: 'text/upper',
    requires: ['text/upper'],
    produces: [],
    inputs: [INPUT],
    budget: 100n,
    verifyBounty: 10n,
    kPlan: 1,
    kResult: 1,
    windows: {
      bidMs: 300,
      leaseTtlMs: 1_000,
      verifyMs: 2_000,
      sealMs: 100,
      revealMs: 1_000,
      challengeMs: 500
    },
    expiresAt: nowMs + 20_000,
    capsule: CAPSULE,
    taskClass: 'deterministic',
    solo: false,
    terms: null,
    ...overrides
  })
}
