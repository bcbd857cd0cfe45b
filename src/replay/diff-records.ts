import { toHex } from '../core/base/index.ts'
import { CID, idOf } from '../core/codec/index.ts'
import { type Admitted, readEnvelope } from '../core/envelope/index.ts'
import { firstDifference } from './difference.ts'
import type { Body, Header } from './format.ts'
import { readLines } from './read-lines.ts'

/** One thing that stands in one record and not, or otherwise, in the other. Lines count from 0; null where there is none. */
export type RecordDifference = {
  /** What it is about: `NEED bafy...`, `entry 12`, `header`, `end`. */
  readonly event: string
  readonly kind: 'only-left' | 'only-right' | 'differs'
  readonly left: number | null
  readonly right: number | null
  /** The first field that differs, and both sides. */
  readonly field: string | null
  readonly leftValue: string | null
  readonly rightValue: string | null
}

export type RecordDiff = {
  /** The two say the same of the thread, whoever wrote them and when. */
  readonly same: boolean
  readonly left: string
  readonly right: string
  readonly threads: readonly [string | null, string | null]
  readonly nodes: readonly [string | null, string | null]
  /** How each ends. */
  readonly ends: readonly [string, string]
  /** In the order of the left record, then what only the right one has. */
  readonly differences: readonly RecordDifference[]
  /** More than are listed. */
  readonly more: number
}

/** Differences that are listed. */
const LISTED_MAX = 100

type Item = {
  readonly line: number
  readonly event: string
  readonly digest: string
  /** What is compared field by field when the digests differ. */
  readonly content: () => object
}
type Contents = {
  readonly header: Header | null
  readonly items: ReadonlyMap<string, Item>
  readonly end: string
}

/**
 * How the records of two nodes of one thread differ. Who wrote them, when an envelope was seen, the order in which things came, and what an export leaves out for
 * a log are no differences. Rejects with RECORD_MISSING; a record is compared up to its first line that is none.
 */
export async function diffRecords(left: string, right: string): Promise<RecordDiff> {
  const a = await contentsOf(left)
  const b = await contentsOf(right)
  const found: RecordDifference[] = headerDifferences(a.header, b.header)
  for (const [key, item] of a.items) {
    const other = b.items.get(key)
    if (other === undefined) found.push(only('only-left', item))
    else if (other.digest !== item.digest) found.push(differs(item, other))
  }
  for (const [key, item] of b.items) if (!a.items.has(key)) found.push(only('only-right', item))
  if (a.end !== b.end)
    found.push({ ...NOWHERE, event: 'end', kind: 'differs', leftValue: a.end, rightValue: b.end })
  return {
    same: found.length === 0,
    left,
    right,
    threads: [a.header?.thread ?? null, b.header?.thread ?? null],
    nodes: [a.header?.node ?? null, b.header?.node ?? null],
    ends: [a.end, b.end],
    differences: found.slice(0, LISTED_MAX),
    more: Math.max(0, found.length - LISTED_MAX)
  }
}

const NOWHERE = { left: null, right: null, field: null, leftValue: null, rightValue: null }

/** Every envelope by id, every entry by group and index. An envelope inside an entry counts like one beside it. */
async function contentsOf(path: string): Promise<Contents> {
  const items = new Map<string, Item>()
  let header: Header | null = null
  let end = 'cut off'
  let epoch = -1
  let number = 0
  for await (const read of readLines(path)) {
    if (!read.ok) {
      end = `line ${number + 1}: ${read.refusal.message}`
      break
    }
    const { body } = read.value.line
    if (body.type === 'header') header = body
    else if (body.type === 'end') end = body.complete ? 'complete' : 'still open'
    else if (body.type === 'envelope') {
      const admitted = envelopeIn(body.bytes)
      items.set(body.cid, itemOf(number, body.bytes))
      if (admitted?.envelope.verb === 'FORM')
        epoch = Math.max(epoch, admitted.envelope.payload.epoch)
    } else if (body.type === 'entry' || body.type === 'bare-entry') {
      const cid = body.type === 'entry' ? body.cid : null
      const digest = `${body.term} ${body.type === 'entry' ? body.stamp : 'bare'} ${cid ?? ''}`
      items.set(`${epoch} ${body.index}`, {
        line: number,
        event: `entry ${body.index} of epoch ${epoch}`,
        digest,
        content: () => entryContent(body)
      })
      if (body.type === 'entry' && body.bytes !== null && cid !== null)
        items.set(cid, itemOf(number, body.bytes))
    }
    number += 1
  }
  return { header, items, end }
}

function entryContent(body: Body): object {
  if (body.type !== 'entry') return body
  const { term, index, stamp, cid } = body
  return { term, index, stamp, cid }
}

/** An envelope counts by its bytes: the id that a line gives it may be another's. */
function itemOf(line: number, bytes: Uint8Array): Item {
  const admitted = envelopeIn(bytes)
  const event = admitted === null ? 'envelope' : `${admitted.envelope.verb} ${admitted.id}`
  const content = (): object => envelopeIn(bytes)?.envelope ?? { bytes: toHex(bytes) }
  return { line, event, digest: idOf(bytes), content }
}

function envelopeIn(bytes: Uint8Array): Admitted | null {
  const read = readEnvelope(bytes)
  return read.ok ? read.value : null
}

function headerDifferences(a: Header | null, b: Header | null): RecordDifference[] {
  if (a === null || b === null) return []
  const of = ({ thread, base, engine, protocol }: Header): object => ({
    thread: CID.parse(thread),
    base: CID.parse(base),
    engine,
    protocol
  })
  const first = firstDifference(of(a), of(b))
  if (first === null) return []
  const { field, expected: leftValue, found: rightValue } = first
  return [{ event: 'header', kind: 'differs', left: 0, right: 0, field, leftValue, rightValue }]
}

function only(kind: 'only-left' | 'only-right', { event, line }: Item): RecordDifference {
  const place = kind === 'only-left' ? { left: line } : { right: line }
  return { ...NOWHERE, event, kind, ...place }
}

function differs(a: Item, b: Item): RecordDifference {
  const first = firstDifference(a.content(), b.content())
  return {
    event: a.event,
    kind: 'differs',
    left: a.line,
    right: b.line,
    field: first?.field ?? null,
    leftValue: first?.expected ?? null,
    rightValue: first?.found ?? null
  }
}
