/**
 * What must hold over the audit records of all nodes (P1 to P4, P6), computed from the records' own bytes: no fold of the program
 * is asked, but by the replay that is itself one of the checks. Each check returns a sentence for everything that is wrong.
 */

import { toHex } from '../../src/core/base/index.ts'
import {
  type Admitted,
  compareFence,
  type Fence,
  type Outcome,
  parseEnvelope,
  type Verb
} from '../../src/core/envelope/index.ts'
import { decodeEntry } from '../../src/core/need/index.ts'
import { decisionDigest, outcomeDigest } from '../../src/core/roster/index.ts'
import { type RecordItem, TERMINAL, type ThreadView } from '../../src/core/swarm/index.ts'
import { checkRecord, type Report } from '../../src/replay/check-record.ts'
import { itemOf } from '../../src/replay/format.ts'
import { readLines } from '../../src/replay/read-lines.ts'

/** What one node's record says of one thread. */
export type Account = {
  /** For messages. */
  readonly node: string
  readonly thread: string
  readonly need: Admitted<'NEED'>
  readonly forms: readonly Admitted<'FORM'>[]
  readonly entries: readonly Entry[]
  readonly decides: readonly Admitted<'DECIDE'>[]
  readonly ends: readonly Admitted<'FINALIZE' | 'INVALIDATE'>[]
  /** What replaying it found. */
  readonly replay: Pick<Report, 'ok' | 'complete' | 'finalizeBytesEqual' | 'problems'>
}

/** One log entry that carries something or moves time. */
export type Entry = {
  readonly term: number
  readonly index: number
  readonly stamp: number
  readonly admitted: Admitted | null
}

/** Reads and replays a record that a node has exported. */
export async function readAccount(
  node: string,
  path: string,
  init: { readonly policies: boolean }
): Promise<Account> {
  const items: RecordItem[] = []
  for await (const read of readLines(path)) {
    const item = read.ok ? itemOf(read.value.line.body) : read
    if (!item.ok) throw new Error(`${path}: ${item.refusal.message}`)
    if (item.value !== null) items.push(item.value)
  }
  const replay = await checkRecord(path, { ...init, replay: true })
  return { node, ...accountOf(items), replay }
}

/** The items of a record by kind. */
export function accountOf(items: readonly RecordItem[]): Omit<Account, 'node' | 'replay'> {
  const envelopes = items.flatMap(item => (item.type === 'envelope' ? [parse(item.bytes)] : []))
  const of = <V extends Verb>(...verbs: V[]): Admitted<V>[] =>
    envelopes.filter(({ envelope }) => verbs.includes(envelope.verb as V)) as Admitted<V>[]
  const [need] = of('NEED')
  if (need === undefined) throw new Error('a record begins with its NEED')
  const entries = items.flatMap(item => (item.type === 'entry' ? entryOf(item.entry) : []))
  return {
    thread: need.id,
    need,
    forms: of('FORM'),
    entries,
    decides: of('DECIDE'),
    ends: of('FINALIZE', 'INVALIDATE')
  }
}

/** P1: one decision for each (slot, epoch), over all nodes and threads. */
export function checkDecides(accounts: readonly Account[]): string[] {
  const first = new Map<string, { readonly digest: string; readonly node: string }>()
  return accounts.flatMap(({ node, need, decides }) =>
    decides.flatMap(({ envelope }) => {
      const { decision } = envelope.payload
      const key = `${need.envelope.sender}/${decision.slot}/${decision.epoch}`
      const digest = toHex(decisionDigest(decision))
      const known = first.get(key)
      if (known === undefined) first.set(key, { digest, node })
      return known === undefined || known.digest === digest
        ? []
        : [`P1: ${node} has another DECIDE for ${key} than ${known.node}`]
    })
  )
}

/** P2: the same outcome of a thread wherever it has ended. */
export function checkOutcomes(accounts: readonly Account[]): string[] {
  const first = new Map<string, { readonly digest: string; readonly node: string }>()
  return accounts.flatMap(({ node, thread, ends }) =>
    ends.flatMap(({ envelope }) => {
      const digest = toHex(outcomeDigest(envelope.payload.outcome))
      const known = first.get(thread)
      if (known === undefined) first.set(thread, { digest, node })
      return known === undefined || known.digest === digest
        ? []
        : [`P2: ${node} has another outcome of ${thread} than ${known.node}`]
    })
  )
}

/** P2: each record with an end is complete, sound, and gives that end's bytes again. */
export function checkReplays(accounts: readonly Account[]): string[] {
  return accounts.flatMap(({ node, thread, ends, replay }) => {
    if (ends.length === 0) return []
    if (!replay.complete) return [`P2: the record of ${thread} at ${node} is not complete`]
    if (replay.ok && replay.finalizeBytesEqual) return []
    const why = replay.problems.map(({ message }) => message).join('; ')
    return [`P2: the record of ${thread} at ${node} does not replay: ${why}`]
  })
}

/**
 * P3: a result is final only by enough passing verdicts of others, and only void by enough failing ones or a challenge; and all
 * final results of one task on one input are the same bytes.
 */
export function checkVerdicts(accounts: readonly Account[]): string[] {
  const outputs = new Map<string, string>()
  return accounts.flatMap(account => {
    const { node, thread, need } = account
    const outcome = outcomeOf(account)
    if (outcome === null || outcome.result === 'EXPIRED') return []
    const problems: string[] = []
    const verb = outcome.result === 'FINAL' ? 'ATTEST' : 'REJECT'
    const wanted = account.forms.at(-1)?.envelope.payload.kResult ?? Number.POSITIVE_INFINITY
    const found = independentVerdicts(account, outcome, verb).size
    if (found < wanted && outcome.challenges.length === 0)
      problems.push(
        `P3: ${thread} is ${outcome.result} at ${node} by ${found} verdict(s) of ${wanted}`
      )
    if (outcome.result !== 'FINAL') return problems
    const { task, inputs, taskClass } = need.envelope.payload
    const key = [task, ...inputs].join()
    const result = outcome.outputs.join()
    if (taskClass === 'deterministic' && (outputs.get(key) ?? result) !== result)
      problems.push(
        `P3: ${thread} has another final result at ${node} than the same task elsewhere`
      )
    outputs.set(key, result)
    return problems
  })
}

/** P4: what an outcome rests on was committed under the live lease of its holder, and fences only rise. */
export function checkFences(accounts: readonly Account[]): string[] {
  return accounts.flatMap(account => {
    const { node, thread } = account
    const outcome = outcomeOf(account)
    const { commits, problems } = followLease(account)
    const all = problems.map(problem => `P4: ${problem} in ${thread} at ${node}`)
    if (outcome === null || outcome.commit === null) return all
    const commit = commits.find(({ id }) => id === outcome.commit?.toString())
    if (commit === undefined)
      all.push(`P4: the log of ${thread} at ${node} lacks the COMMIT of its outcome`)
    else if (!commit.isLive)
      all.push(
        `P4: the outcome of ${thread} at ${node} rests on a COMMIT with an expired fence: ${lifeOf(account)}`
      )
    else if (outcome.fence === null || compareFence(outcome.fence, commit.fence) !== 0)
      all.push(`P4: the outcome of ${thread} at ${node} names another fence than its COMMIT`)
    return all
  })
}

/** P6: every thread has ended, with a reason, on every node that was asked. */
export function checkEnds(
  views: readonly { readonly node: string; readonly view: ThreadView }[]
): string[] {
  return views.flatMap(({ node, view }) =>
    TERMINAL.has(view.phase) && view.reason !== ''
      ? []
      : [`P6: ${view.thread} is ${view.phase} at ${node}: ${view.reason}`]
  )
}

/** All of it, but for P6, which needs views. */
export function checkAccounts(accounts: readonly Account[]): string[] {
  return [checkDecides, checkOutcomes, checkReplays, checkVerdicts, checkFences].flatMap(check =>
    check(accounts)
  )
}

/** COMMITs in the log that came after their lease was lost. A fault test wants to have seen some. */
export function staleCommits(account: Account): readonly string[] {
  return followLease(account).commits.flatMap(({ id, isLive }) => (isLive ? [] : [id]))
}

type Commit = { readonly id: string; readonly fence: Fence; readonly isLive: boolean }

/** The lease as a second computation sees it: a CLAIM of the decided worker starts one, beats renew it, time ends it. */
function followLease(account: Account): { commits: Commit[]; problems: string[] } {
  const decision = account.decides[0]?.envelope.payload.decision
  const { leaseTtlMs } = account.need.envelope.payload.windows
  const commits: Commit[] = []
  const problems: string[] = []
  let highest: Fence | null = null
  let lease: { readonly fence: Fence; readonly ttlMs: number; until: number } | null = null
  const seen = new Set<string>()
  for (const { term, index, stamp, admitted } of account.entries) {
    // An envelope counts once, though a new leader may have put it into the log again.
    const isFirst = admitted !== null && !seen.has(admitted.id)
    if (admitted !== null) seen.add(admitted.id)
    const isWorker =
      isFirst && decision !== undefined && admitted.envelope.sender === decision.worker
    if (isWorker && index > decision.index) {
      const { verb, fence } = admitted.envelope
      const isLive = isHeld(lease, fence, stamp)
      if (verb === 'CLAIM' && lease === null && !commits.some(commit => commit.isLive)) {
        const granted: Fence = [decision.epoch, term, index]
        if (highest !== null && compareFence(granted, highest) <= 0)
          problems.push(`the fence ${granted.join('.')} does not rise above ${highest.join('.')}`)
        highest = granted
        const asked = (admitted as Admitted<'CLAIM'>).envelope.payload.leaseTtlMs
        const ttlMs = Math.min(asked, leaseTtlMs)
        lease = { fence: granted, ttlMs, until: stamp + ttlMs }
      } else if (verb === 'HEARTBEAT' && isLive && lease !== null) {
        lease.until = stamp + lease.ttlMs
      } else if (verb === 'YIELD' && isLive) {
        lease = null
      } else if (verb === 'COMMIT' && fence !== null) {
        commits.push({ id: admitted.id, fence, isLive })
        if (isLive) lease = null
      }
    }
    // An entry is judged before the time that it brings takes effect.
    if (lease !== null && stamp >= lease.until) lease = null
  }
  return { commits, problems }
}

/** The log in short, for messages. */
function lifeOf({ entries }: Account): string {
  const first = entries[0]?.stamp ?? 0
  return entries
    .map(({ term, index, stamp, admitted }) => {
      const { verb = 'tick', sender = '', fence = null } = admitted?.envelope ?? {}
      return `${term}.${index} +${stamp - first} ${verb} ${sender.slice(-4)} ${fence?.join('.') ?? ''}`
    })
    .join(', ')
}

function isHeld(
  lease: { readonly fence: Fence; readonly until: number } | null,
  fence: Fence | null,
  stamp: number
): boolean {
  return (
    lease !== null &&
    fence !== null &&
    compareFence(fence, lease.fence) === 0 &&
    stamp < lease.until
  )
}

/** Who revealed this verdict on the outcome's COMMIT in the log, without those who have a part in it. */
function independentVerdicts(
  account: Account,
  outcome: Outcome,
  verb: 'ATTEST' | 'REJECT'
): Set<string> {
  const { need, entries, decides } = account
  const worker = decides[0]?.envelope.payload.decision.worker
  const isSolo = need.envelope.payload.solo
  const senders = entries.flatMap(({ admitted }) => {
    if (admitted?.envelope.verb !== verb) return []
    const { payload, sender } = (admitted as Admitted<'ATTEST' | 'REJECT'>).envelope
    const isAbout = payload.commit.toString() === outcome.commit?.toString()
    const isRelated = sender === worker || sender === need.envelope.sender
    return isAbout && payload.salt !== null && (isSolo || !isRelated) ? [sender] : []
  })
  return new Set(senders)
}

function outcomeOf({ ends }: Account): Outcome | null {
  return ends[0]?.envelope.payload.outcome ?? null
}

function entryOf(entry: { term: number; index: number; data: Uint8Array }): Entry[] {
  const body = decodeEntry(entry.data)
  if (body === null) return []
  const admitted = body.envelope === null ? null : parse(body.envelope)
  return [{ term: entry.term, index: entry.index, stamp: body.stamp, admitted }]
}

function parse(bytes: Uint8Array): Admitted {
  const parsed = parseEnvelope(bytes)
  if (!parsed.ok) throw new Error(`a record holds something else: ${parsed.refusal.message}`)
  return parsed.value
}
