import { toHex } from '../core/base/index.ts'
import { CID, idOf } from '../core/codec/index.ts'
import { type Admitted, readEnvelope } from '../core/envelope/index.ts'
import type { ReadProgress } from './check-record.ts'
import { firstDifference } from './difference.ts'
import type { Body, Header } from './format.ts'
import { sizeOf } from './read-chunks.ts'
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
/** Envelopes and entries of one record that are compared, some 200 bytes of memory each: many times what a log may hold. */
const COMPARED_MAX = 500_000

export type DiffInit = {
  readonly onProgress?: (progress: ReadProgress) => void
  /** Rejects with its reason once it aborts. */
  readonly signal?: AbortSignal
}

/** Where something stands in a record, and what its content hashes to. */
type Place = { readonly line: number; readonly digest: string }
type Item = Place & {
  /** Id of an envelope, or group and index of an entry. */
  readonly key: string
  readonly event: () => string
  /** What is compared field by field when the digests differ. */
  readonly content: () => object
}
type Pair = { readonly key: string; readonly left: Place | null; readonly right: Place | null }

/**
 * How the records of two nodes of one thread differ. Who wrote them, when an envelope was seen, the order in which things came, and what an export leaves out for
 * a log are no differences. In memory are hashes only: what is listed is read a second time. Rejects with RECORD_MISSING; a record is compared up to its first
 * line that is none.
 */
export async function diffRecords(
  left: string,
  right: string,
  { onProgress, signal }: DiffInit = {}
): Promise<RecordDiff> {
  const totalBytes = (await sizeOf(left)) + (await sizeOf(right))
  let bytes = 0
  const onBytes = (count: number): void => {
    signal?.throwIfAborted()
    bytes = Math.min(bytes + count, totalBytes)
    onProgress?.({ bytes, totalBytes })
  }
  const [a, b] = [new Reading(left, onBytes), new Reading(right, onBytes)]
  const found = comparePlaces(await a.places(), await b.places())
  const items = [await a.items(found.listed, 'left'), await b.items(found.listed, 'right')] as const
  const around: RecordDifference[] =
    a.end === b.end
      ? []
      : [{ ...NOWHERE, event: 'end', kind: 'differs', leftValue: a.end, rightValue: b.end }]
  const headers = headerDifferences(a.header, b.header)
  const differences = [...headers, ...found.listed.flatMap(pair => told(pair, items)), ...around]
  const count = headers.length + found.count + around.length
  return {
    same: count === 0,
    left,
    right,
    threads: [a.header?.thread ?? null, b.header?.thread ?? null],
    nodes: [a.header?.node ?? null, b.header?.node ?? null],
    ends: [a.end, b.end],
    differences: differences.slice(0, LISTED_MAX),
    more: Math.max(0, count - LISTED_MAX)
  }
}

const NOWHERE = { left: null, right: null, field: null, leftValue: null, rightValue: null }

type Places = ReadonlyMap<string, Place>

/** What is not the same in both: how many, and the first of them. */
function comparePlaces(a: Places, b: Places): { readonly count: number; readonly listed: Pair[] } {
  const listed: Pair[] = []
  let count = 0
  const note = (pair: Pair): void => {
    count += 1
    if (listed.length < LISTED_MAX) listed.push(pair)
  }
  for (const [key, left] of a) {
    const right = b.get(key) ?? null
    if (right?.digest !== left.digest) note({ key, left, right })
  }
  for (const [key, right] of b) if (!a.has(key)) note({ key, left: null, right })
  return { count, listed }
}

/** One record, read from its beginning as often as it takes. */
class Reading {
  header: Header | null = null
  /** How it ends. */
  end = 'cut off'
  readonly #path: string
  readonly #onBytes: (count: number) => void

  constructor(path: string, onBytes: (count: number) => void) {
    this.#path = path
    this.#onBytes = onBytes
  }

  async places(): Promise<Places> {
    const places = new Map<string, Place>()
    for await (const { key, line, digest } of this.#read()) {
      // Mostly the id that a line gives is that of its bytes: one text for both.
      places.set(key, { line, digest: digest === key ? key : digest })
      if (places.size < COMPARED_MAX) continue
      this.end = `line ${line + 1}: a comparison holds no more`
      break
    }
    return places
  }

  /** Those of the listed that this side has, by their keys. */
  async items(listed: readonly Pair[], side: 'left' | 'right'): Promise<Map<string, Item>> {
    const wanted = new Map(
      listed.flatMap(pair => (pair[side] ? [[pair.key, pair[side].line]] : []))
    )
    const items = new Map<string, Item>()
    if (wanted.size === 0) return items
    const { end } = this
    for await (const item of this.#read()) {
      if (wanted.get(item.key) === item.line) items.set(item.key, item)
      if (items.size === wanted.size) break
    }
    this.end = end
    return items
  }

  /** Every envelope by id, every entry by group and index. An envelope inside an entry counts like one beside it. */
  async *#read(): AsyncGenerator<Item> {
    let epoch = -1
    let number = 0
    this.end = 'cut off'
    for await (const read of readLines(this.#path, this.#onBytes)) {
      if (!read.ok) {
        this.end = `line ${number + 1}: ${read.refusal.message}`
        return
      }
      const { body } = read.value.line
      if (body.type === 'header') this.header = body
      else if (body.type === 'end') this.end = body.complete ? 'complete' : 'still open'
      else if (body.type === 'envelope') {
        const admitted = envelopeIn(body.bytes)
        if (admitted?.envelope.verb === 'FORM')
          epoch = Math.max(epoch, admitted.envelope.payload.epoch)
        yield itemOf(body.cid, number, body.bytes)
      } else if (body.type === 'entry' || body.type === 'bare-entry') {
        yield entryOf(body, number, epoch)
        if (body.type === 'entry' && body.bytes !== null && body.cid !== null)
          yield itemOf(body.cid, number, body.bytes)
      }
      number += 1
    }
  }
}

function entryOf(
  body: Extract<Body, { type: 'entry' | 'bare-entry' }>,
  line: number,
  epoch: number
): Item {
  const cid = body.type === 'entry' ? body.cid : null
  return {
    key: `${epoch} ${body.index}`,
    line,
    event: () => `entry ${body.index} of epoch ${epoch}`,
    digest: `${body.term} ${body.type === 'entry' ? body.stamp : 'bare'} ${cid ?? ''}`,
    content: () => entryContent(body)
  }
}

function entryContent(body: Body): object {
  if (body.type !== 'entry') return body
  const { term, index, stamp, cid } = body
  return { term, index, stamp, cid }
}

/** An envelope counts by its bytes: the id that a line gives it may be another's. */
function itemOf(key: string, line: number, bytes: Uint8Array): Item {
  const event = (): string => {
    const admitted = envelopeIn(bytes)
    return admitted === null ? 'envelope' : `${admitted.envelope.verb} ${admitted.id}`
  }
  const content = (): object => envelopeIn(bytes)?.envelope ?? { bytes: toHex(bytes) }
  return { key, line, event, digest: idOf(bytes), content }
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

/** Nothing where a record has changed since it was compared. */
function told(
  { key, left, right }: Pair,
  [ofLeft, ofRight]: readonly [ReadonlyMap<string, Item>, ReadonlyMap<string, Item>]
): RecordDifference[] {
  const [a, b] = [ofLeft.get(key), ofRight.get(key)]
  const item = a ?? b
  if (item === undefined) return []
  const places = { left: left?.line ?? null, right: right?.line ?? null }
  const event = item.event()
  if (left === null) return [{ ...NOWHERE, ...places, event, kind: 'only-right' }]
  if (right === null) return [{ ...NOWHERE, ...places, event, kind: 'only-left' }]
  if (a === undefined || b === undefined) return []
  const first = firstDifference(a.content(), b.content())
  const values = { leftValue: first?.expected ?? null, rightValue: first?.found ?? null }
  return [{ ...places, event, kind: 'differs', field: first?.field ?? null, ...values }]
}
