import { toHex } from '../base/index.ts'
import { CID, taggedHash } from '../codec/index.ts'
import { type Draft, type Fence, type Payload, type Standing, TAGS } from '../envelope/index.ts'
import type { PolicyDecision, PolicyInput, PolicyValue } from './types.ts'

/** A draft with the name and clock value under which it is, or will be, said. Any envelope is one. */
export type Message = Draft & { readonly sender: string; readonly lamport: number }

/**
 * What the message gate is asked about an envelope: every field that both sides know before there is a nonce, an evaluation
 * and a signature, so that preflight and ingress ask the same bytes and get the same digest.
 */
export function messageInput(message: Message): PolicyInput {
  // In the order of the encoding, which then has nothing to sort.
  return {
    gate: 'message',
    refs: toPolicyValue(message.refs),
    verb: message.verb,
    epoch: message.epoch,
    fence: toPolicyValue(message.fence),
    sender: message.sender,
    thread: toPolicyValue(message.thread),
    lamport: message.lamport,
    payload: toPolicyValue(message.payload),
    notAfter: message.notAfter,
    capability: message.capability,
    traceparent: message.traceparent
  }
}

/** What the bid gate judges: a PROPOSE of the log against the NEED that it answers. */
export type BidSubject = {
  /** Text CID of the thread. */
  readonly thread: string
  readonly requester: string
  /** Of the group that takes the bid. */
  readonly epoch: number
  readonly need: Payload<'NEED'>
  /** Text CID of the PROPOSE. */
  readonly proposal: string
  /** Who bids. */
  readonly sender: string
} & Pick<Payload<'PROPOSE'>, 'ballot' | 'standing' | 'patch' | 'shardDependencies'>

/** The same question at every verifier, before it attests. */
export function bidInput(subject: BidSubject): PolicyInput {
  return {
    gate: 'bid',
    thread: subject.thread,
    requester: subject.requester,
    epoch: subject.epoch,
    need: toPolicyValue(subject.need),
    proposal: subject.proposal,
    sender: subject.sender,
    ballot: toPolicyValue(subject.ballot),
    standing: toPolicyValue(subject.standing),
    patch: toPolicyValue(subject.patch),
    shardDependencies: toPolicyValue(subject.shardDependencies)
  }
}

/** What a worker had used up to its COMMIT, counted in the log of the epoch. */
export type Usage = {
  /** Its envelopes in the log, of any verb. */
  readonly messages: number
  /** Its UPDATE_PLANs among them. */
  readonly updates: number
  /** Leases that it took: one, and one more for each retry. */
  readonly claims: number
  /** Leases that it gave back. */
  readonly yields: number
  /** Log time from the group's first entry to the COMMIT, in ms. */
  readonly logMs: number
}

/** What the commit gate judges: a COMMIT against the NEED that it answers. */
export type CommitSubject = {
  /** Text CID of the thread. */
  readonly thread: string
  readonly requester: string
  /** Who made the COMMIT. */
  readonly sender: string
  readonly epoch: number | null
  readonly fence: Fence | null
  readonly need: Payload<'NEED'>
  /** Of the decided proposal: what the worker promised, and said of itself. */
  readonly ballot: Payload<'PROPOSE'>['ballot']
  readonly standing: Standing | null
  /** The verifiers whose ATTEST_PLANs the decision counted, in log order. */
  readonly committee: readonly { readonly did: string; readonly standing: Standing | null }[]
  readonly usage: Usage
  readonly commit: Payload<'COMMIT'>
}

/** The same question at every verifier; nothing of the asking node is in it. */
export function commitInput(subject: CommitSubject): PolicyInput {
  return {
    gate: 'commit',
    thread: subject.thread,
    requester: subject.requester,
    sender: subject.sender,
    epoch: subject.epoch,
    fence: toPolicyValue(subject.fence),
    need: toPolicyValue(subject.need),
    ballot: toPolicyValue(subject.ballot),
    standing: toPolicyValue(subject.standing),
    committee: toPolicyValue(subject.committee),
    usage: toPolicyValue(subject.usage),
    commit: toPolicyValue(subject.commit)
  }
}

/** One evaluation, as its digest names it. */
export type Evaluation = {
  readonly input: PolicyInput
  readonly decision: PolicyDecision
  /** Text CID of the capsule. */
  readonly capsule: string
  /** Hash of evaluator and metering rules. */
  readonly engine: Uint8Array
}

/** `policyEvalDigest`: the same 32 bytes wherever the same capsule was asked the same and said the same at the same cost. */
export function evaluationDigest({ input, decision, capsule, engine }: Evaluation): Uint8Array {
  const { allow, reasons, gas } = decision
  return taggedHash(TAGS.policy, { input, engine, capsule, decision: { gas, allow, reasons } })
}

/**
 * Protocol data as a policy sees it: links as text, bytes as lower-case hex, amounts as decimal strings (JSON numbers lose
 * digits above 2^53), everything else as it is. A map in which nothing changes is not copied.
 */
export function toPolicyValue(value: unknown): PolicyValue {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value as PolicyValue
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(toPolicyValue)
  return CID.asCID(value)?.toString() ?? toPolicyMap(value as { readonly [key: string]: unknown })
}

function toPolicyMap(map: { readonly [key: string]: unknown }): PolicyValue {
  let made: { [key: string]: PolicyValue } | null = null
  for (const key of Object.keys(map)) {
    const item = map[key]
    const value = toPolicyValue(item)
    if (value === item) continue
    made ??= { ...map } as { [key: string]: PolicyValue }
    made[key] = value
  }
  return made ?? (map as PolicyValue)
}
