/**
 * Writes protocols/record/vectors. Run it with `node test/support/make-record-vectors.ts` after a deliberate change of the
 * protocol and review the difference: the files are the reference that the code is held to, not the other way round.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Certificate, Draft, Envelope, Payload, Verb } from '../../src/core/envelope/index.ts'
import { parseEnvelope } from '../../src/core/envelope/index.ts'
import { decodeEntry, encodeEntry } from '../../src/core/need/index.ts'
import { decisionDigest, groupIdOf, outcomeDigest, voteBytes } from '../../src/core/roster/index.ts'
import type { RecordItem } from '../../src/core/swarm/index.ts'
import { checkRecord } from '../../src/replay/check-record.ts'
import {
  type Body,
  bodyOf,
  encodeLine,
  lineHash,
  PROTOCOL_VERSION,
  RECORD_VERSION
} from '../../src/replay/format.ts'
import { finishedThread } from './finished-thread.ts'
import { NO_POLICIES } from './record-header.ts'
import { type ClusterNode, SwarmCluster, testVerify } from './swarm-cluster.ts'

const FOLDER = new URL('../../protocols/record/vectors/', import.meta.url)
const scratch = mkdtempSync(join(tmpdir(), 'can-swarm-record-vectors-'))

type Thread = {
  readonly thread: string
  readonly node: ClusterNode
  readonly cluster: SwarmCluster
}

/** A NEED that nobody bids for: the group certifies that it expired. */
function expiredThread(): Thread {
  const cluster = new SwarmCluster({ nodes: 5, seed: 5 })
  const node = cluster.nodes[0] as ClusterNode
  const draft = cluster.need({ expiresAt: cluster.nowMs + 2_000 })
  const id = cluster.command(node, { type: 'state-need', draft })
  cluster.run(1)
  const { value } = node.replies.get(id) as { value: { envelope: string } }
  const isComplete = (): boolean => node.swarm.record(value.envelope)?.complete === true
  if (!cluster.runUntil(isComplete, 20_000)) throw new RangeError('the thread does not end')
  return { thread: value.envelope, node, cluster }
}

/** The lines of a record, signed by the recording node; the items or the lines' contents may be changed before. */
function linesOf({ thread, node }: Thread, change: Change = {}): string[] {
  const record = node.swarm.record(thread)
  if (record === undefined) throw new RangeError(`no thread ${thread}`)
  const items = change.items?.(record.items) ?? record.items
  const bodies: readonly Body[] = [
    {
      type: 'header',
      version: RECORD_VERSION,
      protocol: PROTOCOL_VERSION,
      thread,
      node: node.did,
      ...NO_POLICIES
    },
    ...items.map(bodyOf),
    { type: 'end', complete: true }
  ]
  let prev = ''
  return (change.bodies?.(bodies) ?? bodies).map((body, seq) => {
    // Every tenth line is signed, as in the log of a running node, and the last.
    const isSigned = body.type === 'end' || seq % 10 === 0
    const line = encodeLine({ seq, prev, body }, isSigned ? bytes => node.keys.sign(bytes) : null)
    prev = lineHash(line)
    return Buffer.from(line).toString()
  })
}

type Change = {
  readonly items?: (items: readonly RecordItem[]) => readonly RecordItem[]
  readonly bodies?: (bodies: readonly Body[]) => readonly Body[]
}

type Invalid = { readonly name: string; readonly rule: string; readonly refusal: string } & {
  readonly lines: readonly string[]
}

type Difference = {
  readonly keep: number
  readonly insert: readonly string[]
  readonly last: number
}

/** How to get the lines from the sound record: keep its first lines, then these, then its last ones. */
function difference(base: readonly string[], lines: readonly string[]): Difference {
  const shortest = Math.min(base.length, lines.length)
  let keep = 0
  while (keep < shortest && base[keep] === lines[keep]) keep++
  let last = 0
  while (last < shortest - keep && base.at(-1 - last) === lines.at(-1 - last)) last++
  return { keep, insert: lines.slice(keep, lines.length - last), last }
}

/** Reading stops at the line that is refused, so what comes after it may be left out where that is shorter. */
function shortest(base: readonly string[], lines: readonly string[], line: number): Difference {
  const whole = difference(base, lines)
  const cut = difference(base, lines.slice(0, line + 1))
  return cut.insert.length < whole.insert.length ? cut : whole
}

const prevOf = (line: string): string => (JSON.parse(line) as { prev: string }).prev
const signatureOf = (line: string): string =>
  (JSON.parse(line) as { sig: { '/': { bytes: string } } }).sig['/'].bytes

function brokenLines(lines: readonly string[]): Invalid[] {
  const at = (index: number): string => lines[index] as string
  return [
    {
      name: 'a space that JSON allows',
      rule: 'REC-1',
      refusal: 'RECORD_LINE',
      lines: lines.with(3, at(3).replace(',', ', '))
    },
    {
      name: 'another version',
      rule: 'REC-3',
      refusal: 'RECORD_VERSION',
      lines: lines.with(0, at(0).replace('"version":2', '"version":1'))
    },
    {
      name: 'another version of the protocol',
      rule: 'REC-3',
      refusal: 'RECORD_VERSION',
      lines: lines.with(0, at(0).replace('"protocol":1', '"protocol":2'))
    },
    { name: 'no header', rule: 'REC-2', refusal: 'RECORD_ORDER', lines: lines.slice(1) },
    {
      name: 'a line removed',
      rule: 'REC-4',
      refusal: 'RECORD_ORDER',
      lines: lines.toSpliced(5, 1)
    },
    {
      name: 'a line repeated',
      rule: 'REC-4',
      refusal: 'RECORD_ORDER',
      lines: lines.toSpliced(5, 0, at(5))
    },
    {
      name: 'the hash of another line',
      rule: 'REC-5',
      refusal: 'RECORD_CHAIN',
      lines: lines.with(5, at(5).replace(prevOf(at(5)), prevOf(at(4))))
    },
    {
      name: 'the signature of another line',
      rule: 'REC-6',
      refusal: 'RECORD_SIGNATURE',
      lines: lines.with(10, at(10).replace(signatureOf(at(10)), signatureOf(at(20))))
    },
    {
      name: 'an envelope changed',
      rule: 'REC-8',
      refusal: 'RECORD_CID',
      lines: lines.with(1, at(1).replace('"budget":100', '"budget":101'))
    },
    { name: 'no end', rule: 'REC-7', refusal: 'RECORD_TRUNCATED', lines: lines.slice(0, -1) },
    {
      name: 'more after the end',
      rule: 'REC-7',
      refusal: 'RECORD_AFTER_END',
      lines: [...lines, at(lines.length - 1)]
    }
  ]
}

/** The first body with the id of the second. */
function swapped(body: Body | undefined, other: Body | undefined): Body {
  if (body?.type !== 'envelope' || other?.type !== 'envelope') throw new RangeError('no envelopes')
  return { ...body, cid: other.cid }
}

type Entry = Extract<RecordItem, { readonly type: 'entry' }>

/** The last line without its signature. */
function unsigned(lines: readonly string[]): string[] {
  const last = lines.at(-1) as string
  return lines.with(-1, last.replace(/"sig":.*$/u, '"sig":null}'))
}

/** Records that a recording node signed itself, so that every line holds, and that still prove nothing. */
function brokenContents(final: Thread, expired: Thread): Invalid[] {
  const isEntry = (item: RecordItem): boolean => item.type === 'entry'
  const carriesEnvelope = (item: RecordItem): boolean =>
    item.type === 'entry' && (decodeEntry(item.entry.data)?.envelope ?? null) !== null
  const signed = (items: NonNullable<Change['items']>): string[] => linesOf(final, { items })
  const others = expired.node.swarm.record(expired.thread)?.items ?? []
  const foreign = others[0] as Extract<RecordItem, { readonly type: 'envelope' }>
  return [
    {
      name: "a line of another thread's record",
      rule: 'REC-5',
      refusal: 'RECORD_CHAIN',
      lines: linesOf(final).with(3, linesOf(expired)[3] as string)
    },
    {
      name: 'an envelope of another thread',
      rule: 'REC-9',
      refusal: 'REPLAY_THREAD',
      lines: signed(items => items.toSpliced(2, 0, foreign))
    },
    {
      name: 'an entry that carries an envelope of another thread',
      rule: 'REC-9',
      refusal: 'REPLAY_THREAD',
      lines: signed(items => {
        const at = items.findIndex(carriesEnvelope)
        const { entry } = items[at] as Entry
        const stamp = decodeEntry(entry.data)?.stamp ?? 0
        const data = encodeEntry({ stamp, envelope: foreign.bytes })
        return items.with(at, { type: 'entry', entry: { ...entry, data } })
      })
    },
    {
      name: 'an entry that names an envelope which no line shows',
      rule: 'REC-8',
      refusal: 'RECORD_REFERENCE',
      lines: linesOf(final, {
        bodies: bodies =>
          bodies.map(body => (body.type === 'entry' ? { ...body, bytes: null } : body))
      })
    },
    {
      name: 'a block that does not hash to its id',
      rule: 'REC-8',
      refusal: 'RECORD_CID',
      lines: linesOf(final, {
        bodies: bodies =>
          bodies.toSpliced(1, 0, { type: 'block', cid: final.thread, data: Uint8Array.of(1) })
      })
    },
    {
      name: 'a block after other lines',
      rule: 'REC-2',
      refusal: 'RECORD_HEADER',
      lines: linesOf(final, {
        bodies: bodies =>
          bodies.toSpliced(2, 0, { type: 'block', cid: final.thread, data: Uint8Array.of(1) })
      })
    },
    {
      name: 'a part of the log of another thread',
      rule: 'REC-2',
      refusal: 'RECORD_HEADER',
      lines: linesOf(final, {
        bodies: bodies =>
          bodies.toSpliced(3, 0, {
            type: 'part',
            part: 1,
            thread: expired.thread,
            node: final.node.did
          })
      })
    },
    {
      name: 'a second end that follows on the first',
      rule: 'REC-7',
      refusal: 'RECORD_AFTER_END',
      lines: linesOf(final, { bodies: bodies => [...bodies, bodies.at(-1) as Body] })
    },
    {
      name: 'an end that nobody signed',
      rule: 'REC-7',
      refusal: 'RECORD_SIGNATURE',
      lines: unsigned(linesOf(final))
    },
    {
      name: 'an envelope under the id of another',
      rule: 'REC-8',
      refusal: 'RECORD_CID',
      lines: linesOf(final, { bodies: bodies => bodies.with(1, swapped(bodies[1], bodies[2])) })
    },
    {
      name: 'a header in the middle',
      rule: 'REC-2',
      refusal: 'RECORD_HEADER',
      lines: linesOf(final, { bodies: bodies => bodies.toSpliced(3, 0, bodies[0] as Body) })
    },
    {
      name: 'the last entry left out',
      rule: 'REC-13',
      refusal: 'REPLAY_OUTCOME',
      lines: signed(items => items.toSpliced(items.findLastIndex(isEntry), 1))
    },
    {
      name: 'an entry left out in the middle',
      rule: 'REC-11',
      refusal: 'REPLAY_ORDER',
      lines: signed(items => items.toSpliced(items.findLastIndex(isEntry) - 1, 1))
    },
    {
      name: 'no entries, only certificates',
      rule: 'REC-13',
      refusal: 'REPLAY_DECIDE',
      lines: signed(items => items.filter(item => !isEntry(item)))
    },
    {
      name: 'the log begun anew after its end',
      rule: 'REC-11',
      refusal: 'REPLAY_ORDER',
      lines: signed(items => [...items, items.find(isEntry) as RecordItem])
    },
    {
      name: 'the NEED twice',
      rule: 'REC-11',
      refusal: 'REPLAY_ORDER',
      lines: signed(items => items.toSpliced(1, 0, items[0] as RecordItem))
    },
    {
      name: 'a FORM with a JOIN that its member did not sign',
      rule: 'REC-11',
      refusal: 'FORM_JOINS',
      lines: signed(items => items.with(1, withoutJoin(final, items[1] as RecordItem)))
    },
    {
      name: 'a decision of all members to which their log does not lead',
      rule: 'REC-13',
      refusal: 'REPLAY_DECIDE',
      lines: signed(items => items.map(item => conspired(final, item, 'DECIDE')))
    },
    {
      name: 'an outcome of all members to which their log does not lead',
      rule: 'REC-13',
      refusal: 'REPLAY_OUTCOME',
      lines: signed(items => items.map(item => conspired(final, item, 'FINALIZE')))
    },
    {
      name: 'no FORM',
      rule: 'REC-11',
      refusal: 'REPLAY_ORDER',
      lines: signed(items => items.toSpliced(1, 1))
    },
    {
      name: 'the NEED of another thread',
      rule: 'REC-11',
      refusal: 'REPLAY_THREAD',
      lines: signed(items => items.with(0, foreign))
    },
    {
      name: 'no FINALIZE',
      rule: 'REC-13',
      refusal: 'REPLAY_INCOMPLETE',
      lines: signed(items => items.slice(0, -1))
    }
  ]
}

function envelopeIn(item: RecordItem): Envelope | null {
  const parsed = item.type === 'envelope' ? parseEnvelope(item.bytes) : null
  return parsed?.ok === true ? parsed.value.envelope : null
}

/** The envelope with another payload, signed anew by its sender. */
function resaid<V extends Verb>(
  { node, cluster }: Thread,
  { sender, lamport, sig: _, ...draft }: Envelope<V>,
  payload: Payload<V>
): RecordItem {
  const keys = cluster.nodes.find(({ did }) => did === sender)?.keys ?? node.keys
  const { bytes } = cluster.seal(keys, { ...draft, payload } as unknown as Draft<V>, lamport)
  return { type: 'envelope', bytes, atMs: 0 }
}

function withoutJoin(thread: Thread, item: RecordItem): RecordItem {
  const form = envelopeIn(item) as Envelope<'FORM'>
  const [first, ...others] = form.payload.joins
  const joins = [{ member: first?.member ?? '', sig: new Uint8Array(64) }, ...others]
  return resaid(thread, form, { ...form.payload, joins })
}

/** What the members would have to sign to have their way against their own log. */
function conspired(thread: Thread, item: RecordItem, verb: 'DECIDE' | 'FINALIZE'): RecordItem {
  const said = envelopeIn(item)
  if (said?.verb !== verb) return item
  const { certificate } = said.payload
  const votes = (stage: 'decide' | 'outcome', digest: Uint8Array): Certificate => {
    const { slot, epoch } =
      'decision' in said.payload ? said.payload.decision : said.payload.outcome
    const group = groupIdOf(certificate.form)
    const bytes = voteBytes({ group, slot, epoch, stage, digest })
    const sign = (did: string): Uint8Array =>
      (thread.cluster.nodes.find(node => node.did === did) as ClusterNode).keys.sign(bytes)
    const signers = certificate.votes.map(({ member }) => ({ member, sig: sign(member) }))
    return { ...certificate, digest, votes: signers }
  }
  if (said.verb === 'DECIDE') {
    const decision = { ...said.payload.decision, term: said.payload.decision.term + 1 }
    const certified = votes('decide', decisionDigest(decision))
    return resaid(thread, said, { decision, certificate: certified })
  }
  const { outcome: before } = (said as Envelope<'FINALIZE'>).payload
  const outcome = { ...before, stamp: before.stamp + 1 }
  const certified = votes('outcome', outcomeDigest(outcome))
  return resaid(thread, said as Envelope<'FINALIZE'>, { outcome, certificate: certified })
}

async function findings(path: string): ReturnType<typeof checkRecord> {
  return checkRecord(path, { verify: testVerify, policies: false, replay: true })
}

/** What a reader must find in a sound record. */
async function expectation(file: string): Promise<object> {
  const { lines, thread, node, decide, outcome } = await findings(new URL(file, FOLDER).pathname)
  return { file, lines, thread, node, decide, outcome }
}

mkdirSync(FOLDER, { recursive: true })
const final = finishedThread()
const expired = expiredThread()
const base = linesOf(final)
const write = (name: string, text: string): void => writeFileSync(new URL(name, FOLDER), text)
write('final.jsonl', `${base.join('\n')}\n`)
write('expired.jsonl', `${linesOf(expired).join('\n')}\n`)
const invalid: object[] = []
for (const vector of [...brokenLines(base), ...brokenContents(final, expired)]) {
  const path = join(scratch, 'invalid.jsonl')
  writeFileSync(path, `${vector.lines.join('\n')}\n`)
  const { problems } = await findings(path)
  const [problem] = problems
  if (problem?.code !== vector.refusal)
    throw new RangeError(`${vector.name}: ${problem?.code} instead of ${vector.refusal}`)
  const { lines, ...rest } = vector
  const { line } = problem
  invalid.push({ ...rest, line, base: 'final.jsonl', ...shortest(base, lines, line) })
}
const valid = [await expectation('final.jsonl'), await expectation('expired.jsonl')]
write('expected.json', `${JSON.stringify({ valid, invalid }, null, 2)}\n`)
rmSync(scratch, { recursive: true, force: true })
