import { decode as decodeDagCbor } from '@ipld/dag-cbor'
import { decode as decodeDagJson, encode as encodeDagJson } from '@ipld/dag-json'
import * as v from 'valibot'
import { equals, ok, type Result, refuse, toHex } from '../core/base/index.ts'
import { CID, cidOf, encode, hash, taggedBytes } from '../core/codec/index.ts'
import { TAGS } from '../core/envelope/index.ts'
import { decodeEntry, encodeEntry } from '../core/need/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'

/** Version of the record's lines. A reader refuses any other. */
export const RECORD_VERSION = 1
/** Bytes of one line. An envelope is at most 64 KiB; as DAG-JSON with its entry it stays far below this. */
export const LINE_BYTES_MAX: number = 512 * 1024

/** What a line says. Envelopes are shown as data; their bytes come back by encoding, and their CID proves it. */
export type Body =
  | {
      readonly type: 'header'
      readonly version: number
      readonly thread: CID
      readonly node: string
    }
  | { readonly type: 'envelope'; readonly cid: CID; readonly envelope: unknown }
  | {
      readonly type: 'entry'
      readonly term: number
      readonly index: number
      readonly stamp: number
      readonly cid: CID | null
      readonly envelope: unknown
    }
  /** An entry whose data is no body: a new leader's empty entry, or what a faulty leader wrote. */
  | {
      readonly type: 'bare-entry'
      readonly term: number
      readonly index: number
      readonly data: Uint8Array
    }
  | { readonly type: 'end'; readonly complete: boolean }

/** One line: its place, the hash of the line before, what it says, and the recording node's signature. */
export type Line = {
  readonly seq: number
  readonly prev: string
  readonly body: Body
  readonly sig: Uint8Array
}

const position = {
  term: v.pipe(v.number(), v.safeInteger()),
  index: v.pipe(v.number(), v.safeInteger())
}
const cid = v.custom<CID>(input => CID.asCID(input) !== null)
const bytes = v.custom<Uint8Array>(input => input instanceof Uint8Array)
const line = v.strictObject({
  seq: v.pipe(v.number(), v.safeInteger()),
  prev: v.string(),
  sig: bytes,
  body: v.variant('type', [
    v.strictObject({
      type: v.literal('header'),
      version: v.number(),
      thread: cid,
      node: v.string()
    }),
    v.strictObject({ type: v.literal('envelope'), cid, envelope: v.unknown() }),
    v.strictObject({
      type: v.literal('entry'),
      ...position,
      stamp: v.pipe(v.number(), v.safeInteger()),
      cid: v.nullable(cid),
      envelope: v.unknown()
    }),
    v.strictObject({ type: v.literal('bare-entry'), ...position, data: bytes }),
    v.strictObject({ type: v.literal('end'), complete: v.boolean() })
  ])
})

/** The bytes that the recording node signs for a line. */
export function lineSigningBytes(unsigned: Omit<Line, 'sig'>): Uint8Array {
  return taggedBytes(TAGS.record, [unsigned.seq, unsigned.prev, hash(encodeDagJson(unsigned.body))])
}

export function encodeLine(value: Line): Uint8Array {
  return encodeDagJson(value)
}

/** Name of a line in the next one's `prev`. */
export function lineHash(text: Uint8Array): string {
  return toHex(hash(text))
}

/** Parses one line; only its one canonical DAG-JSON form is accepted, so that no byte of a record is free. */
export function decodeLine(text: Uint8Array): Result<Line> {
  let value: unknown
  try {
    value = decodeDagJson(text)
    if (!equals(encodeDagJson(value), text))
      return refuse('RECORD_LINE', 'the line is not canonical DAG-JSON')
  } catch (error) {
    return refuse('RECORD_LINE', `the line is not DAG-JSON: ${(error as Error).message}`)
  }
  const parsed = v.safeParse(line, value)
  if (!parsed.success)
    return refuse(
      'RECORD_LINE',
      `the line has another shape: ${v.getDotPath(parsed.issues[0]) ?? ''} ${parsed.issues[0].message}`
    )
  return ok(parsed.output as Line)
}

/** What a line says of one item of a thread's record. */
export function bodyOf(item: RecordItem): Body {
  if (item.type === 'envelope')
    return { type: 'envelope', cid: cidOf(item.bytes), envelope: dataOf(item.bytes) }
  const { term, index, data } = item.entry
  const body = decodeEntry(data)
  if (body === null) return { type: 'bare-entry', term, index, data }
  if (body.envelope === null)
    return { type: 'entry', term, index, stamp: body.stamp, cid: null, envelope: null }
  return {
    type: 'entry',
    term,
    index,
    stamp: body.stamp,
    cid: cidOf(body.envelope),
    envelope: dataOf(body.envelope)
  }
}

/** The item that a line stands for, byte for byte. Header and end stand for none. */
export function itemOf(body: Body): Result<RecordItem | null> {
  switch (body.type) {
    case 'header':
    case 'end':
      return ok(null)
    case 'bare-entry':
      return ok({ type: 'entry', entry: { term: body.term, index: body.index, data: body.data } })
    case 'envelope': {
      const bytesOf = bytesOfData(body.envelope, body.cid)
      return bytesOf.ok ? ok({ type: 'envelope', bytes: bytesOf.value }) : bytesOf
    }
    case 'entry': {
      const { term, index, stamp } = body
      if (body.cid === null)
        return ok({
          type: 'entry',
          entry: { term, index, data: encodeEntry({ stamp, envelope: null }) }
        })
      const bytesOf = bytesOfData(body.envelope, body.cid)
      if (!bytesOf.ok) return bytesOf
      return ok({
        type: 'entry',
        entry: { term, index, data: encodeEntry({ stamp, envelope: bytesOf.value }) }
      })
    }
  }
}

/** The data of an envelope as it was signed: no schema has touched it. */
function dataOf(envelope: Uint8Array): unknown {
  return decodeDagCbor(envelope)
}

function bytesOfData(data: unknown, expected: CID): Result<Uint8Array> {
  try {
    const encoded = encode(data)
    if (cidOf(encoded).toString() === expected.toString()) return ok(encoded)
    return refuse('RECORD_CID', `the envelope does not hash to ${expected.toString()}`)
  } catch (error) {
    return refuse('RECORD_CID', `the envelope cannot be encoded: ${(error as Error).message}`)
  }
}
