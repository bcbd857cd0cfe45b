import { decode as decodeDagJson, encode as encodeDagJson } from '@ipld/dag-json'
import { equals, ok, type Result, refuse, toHex, utf8 } from '../core/base/index.ts'
import { CID, encode, hash, idOf, taggedBytes } from '../core/codec/index.ts'
import { TAGS } from '../core/envelope/index.ts'
import { decodeEntry, encodeEntry } from '../core/need/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import { dagJsonToCbor } from './cbor-writer.ts'
import {
  bytesIn,
  cborToDagJson,
  isMap,
  type Json,
  linkIn,
  parseDagJson,
  writeDagJson
} from './dag-json.ts'
import { type PlainLine, readPlainLine } from './plain-line.ts'

/** Version of the record's lines. A reader refuses any other. */
export const RECORD_VERSION = 2
/** Version of the protocol that the thread was run under: `v` of its envelopes. */
export const PROTOCOL_VERSION = 1
/** Bytes of one line: a block of 1 MiB in base64, and what stands around it. An envelope is at most 64 KiB. */
export const LINE_BYTES_MAX: number = 1536 * 1024

/** What a line says. Envelopes are shown as data; their bytes come back by encoding, and their CID proves it. CIDs as text. */
export type Body =
  | {
      readonly type: 'header'
      readonly version: number
      readonly protocol: number
      readonly thread: string
      /** DID of the recording node. */
      readonly node: string
      /** The base capsule by which that node judges messages, and its `policyEngine`. */
      readonly base: string
      readonly engine: Uint8Array
    }
  /** First line of each further file of a log: the chain goes on. */
  | { readonly type: 'part'; readonly part: number; readonly thread: string; readonly node: string }
  /** A block of a bundled capsule. */
  | { readonly type: 'block'; readonly cid: string; readonly data: Uint8Array }
  /** An envelope that the recording node took, and when: ms since 1970 by its clock. */
  | {
      readonly type: 'envelope'
      readonly at: number
      readonly cid: string
      readonly bytes: Uint8Array
    }
  | {
      readonly type: 'entry'
      readonly term: number
      readonly index: number
      readonly stamp: number
      /** Null for a tick. */
      readonly cid: string | null
      /** Null for a tick, and for an envelope that an earlier line shows. */
      readonly bytes: Uint8Array | null
    }
  /** An entry whose data is no body: a new leader's empty entry, or what a faulty leader wrote. */
  | {
      readonly type: 'bare-entry'
      readonly term: number
      readonly index: number
      readonly data: Uint8Array
    }
  | { readonly type: 'end'; readonly complete: boolean }

export type Header = Extract<Body, { type: 'header' }>

/** One line: its place, the hash of the line before, what it says, and mostly at the end of a batch the recording node's signature. */
export type Line = {
  readonly seq: number
  readonly prev: string
  readonly body: Body
  readonly sig: Uint8Array | null
  /** What `sig` is over. */
  readonly signed: () => Uint8Array
}

export type Signing = (bytes: Uint8Array) => Uint8Array

/** The bytes of a line without its newline. Signed when there is something to sign with: that covers all lines before it. */
export function encodeLine(
  { seq, prev, body }: Pick<Line, 'seq' | 'prev' | 'body'>,
  sign: Signing | null
): Uint8Array {
  const text = bodyText(body)
  const sig = sign === null ? null : sign(signingBytes(seq, prev, utf8(text)))
  return utf8(`${BEFORE_BODY}${text}${afterBody(seq, prev, sig)}`)
}

/** Name of a line in the next one's `prev`. */
export function lineHash(text: Uint8Array): string {
  return toHex(hash(text))
}

/** Parses one line; only its one canonical DAG-JSON form is accepted, so that no byte of a record is free. */
export function decodeLine(text: Uint8Array): Result<Line> {
  const plain = readPlainLine(text)
  return plain === null ? decodeAnyLine(text) : ok(withSigned(text, plain))
}

function withSigned(text: Uint8Array, { bodyEnd, ...line }: PlainLine): Line {
  const { seq, prev } = line
  const signed = (): Uint8Array =>
    signingBytes(seq, prev, text.subarray(BEFORE_BODY.length, bodyEnd))
  return { ...line, signed }
}

/** The same answer for any line, the slow way. */
export function decodeAnyLine(text: Uint8Array): Result<Line> {
  const plain = parseDagJson(text)
  if (plain !== null) return lineOf(text, plain as unknown as Tree, PLAIN)
  let value: unknown
  try {
    value = decodeDagJson(text)
    if (!equals(encodeDagJson(value), text))
      return refuse('RECORD_LINE', 'the line is not canonical DAG-JSON')
    return lineOf(text, value as Tree, LIBRARY)
  } catch (error) {
    return refuse('RECORD_LINE', `the line is not DAG-JSON: ${(error as Error).message}`)
  }
}

/** What a line says of one item of a thread's record. */
export function bodyOf(item: RecordItem): Body {
  if (item.type === 'envelope')
    return { type: 'envelope', at: item.atMs, cid: idOf(item.bytes), bytes: item.bytes }
  const { term, index, data } = item.entry
  const body = decodeEntry(data)
  if (body === null) return { type: 'bare-entry', term, index, data }
  const { stamp, envelope: bytes } = body
  return { type: 'entry', term, index, stamp, cid: bytes === null ? null : idOf(bytes), bytes }
}

/**
 * The item that a line stands for, byte for byte; null for lines that stand for none. `earlier` gives the bytes of an envelope that an earlier line
 * showed. Refusals: RECORD_CID, RECORD_REFERENCE.
 */
export function itemOf(
  body: Body,
  earlier: (cid: string) => Uint8Array | undefined = () => undefined
): Result<RecordItem | null> {
  if (body.type === 'envelope')
    return isNamed(body.cid, body.bytes)
      ? ok({ type: 'envelope', bytes: body.bytes, atMs: body.at })
      : misnamed(body.cid)
  if (body.type === 'bare-entry') {
    const { term, index, data } = body
    return ok({ type: 'entry', entry: { term, index, data } })
  }
  if (body.type !== 'entry') return ok(null)
  const { term, index, stamp, cid } = body
  const bytes = body.bytes ?? (cid === null ? null : earlier(cid))
  if (bytes === undefined)
    return refuse('RECORD_REFERENCE', `no line before shows the envelope ${cid}`)
  if (bytes !== null && body.bytes !== null && !isNamed(cid, bytes)) return misnamed(cid)
  return ok({
    type: 'entry',
    entry: { term, index, data: encodeEntry({ stamp, envelope: bytes }) }
  })
}

function isNamed(cid: string | null, bytes: Uint8Array): boolean {
  return cid === idOf(bytes)
}

function misnamed(cid: string | null): Result<never> {
  return refuse('RECORD_CID', `the envelope does not hash to ${cid}`)
}

const BEFORE_BODY = '{"body":'

function afterBody(seq: number, prev: string, sig: Uint8Array | null): string {
  return `,"prev":${JSON.stringify(prev)},"seq":${seq},"sig":${sig === null ? 'null' : writeDagJson(sig)}}`
}

function signingBytes(seq: number, prev: string, body: Uint8Array): Uint8Array {
  return taggedBytes(TAGS.record, [seq, prev, hash(body)])
}

function bodyText(body: Body): string {
  switch (body.type) {
    case 'header': {
      const { thread, base } = body
      return writeDagJson({ ...body, thread: CID.parse(thread), base: CID.parse(base) })
    }
    case 'part':
      return writeDagJson({ ...body, thread: CID.parse(body.thread) })
    case 'block':
      return writeDagJson({ ...body, cid: CID.parse(body.cid) })
    case 'envelope':
      return `{"at":${body.at},"cid":{"/":"${body.cid}"},"envelope":${cborToDagJson(body.bytes)},"type":"envelope"}`
    case 'entry': {
      const { cid, bytes, index, stamp, term } = body
      const link = cid === null ? 'null' : `{"/":"${cid}"}`
      const envelope = bytes === null ? 'null' : cborToDagJson(bytes)
      return `{"cid":${link},"envelope":${envelope},"index":${index},"stamp":${stamp},"term":${term},"type":"entry"}`
    }
    default:
      return writeDagJson(body)
  }
}

/** A parsed value, in the form of whoever has parsed it. */
type Tree = { readonly [key: string]: unknown }

/** How to read a parsed value. */
type Access = {
  readonly link: (value: unknown) => string | null
  readonly bytes: (value: unknown) => Uint8Array | null
  /** Canonical DAG-CBOR. May throw on what has none. */
  readonly cbor: (value: unknown) => Uint8Array
}

const PLAIN: Access = {
  link: value => linkIn(value as Json),
  bytes: value => bytesIn(value as Json),
  cbor: value => dagJsonToCbor(value as Json)
}

const LIBRARY: Access = {
  link: value => CID.asCID(value)?.toString() ?? null,
  bytes: value => (value instanceof Uint8Array ? value : null),
  cbor: encode
}

function lineOf(text: Uint8Array, tree: Tree, access: Access): Result<Line> {
  if (!hasKeys(tree, ['body', 'prev', 'seq', 'sig'])) return misshapen('')
  const { seq, prev } = tree
  const sig = tree['sig'] === null ? null : access.bytes(tree['sig'])
  if (!isCount(seq)) return misshapen('seq')
  if (typeof prev !== 'string') return misshapen('prev')
  if (tree['sig'] !== null && sig === null) return misshapen('sig')
  const body = bodyIn(tree['body'] as Tree, access)
  if (body === null) return misshapen('body')
  const signed = (): Uint8Array => {
    const after = utf8(afterBody(seq, prev, sig)).length
    return signingBytes(seq, prev, text.subarray(BEFORE_BODY.length, text.length - after))
  }
  return ok({ seq, prev, body, sig, signed })
}

function misshapen(where: string): Result<never> {
  return refuse('RECORD_LINE', `the line has another shape: ${where || 'its fields'}`)
}

const KEYS: { readonly [T in Body['type']]: readonly string[] } = {
  header: ['base', 'engine', 'node', 'protocol', 'thread', 'type', 'version'],
  part: ['node', 'part', 'thread', 'type'],
  block: ['cid', 'data', 'type'],
  envelope: ['at', 'cid', 'envelope', 'type'],
  entry: ['cid', 'envelope', 'index', 'stamp', 'term', 'type'],
  'bare-entry': ['data', 'index', 'term', 'type'],
  end: ['complete', 'type']
}

function bodyIn(tree: unknown, access: Access): Body | null {
  if (!isMap(tree as Json)) return null
  const { type, ...fields } = tree as Tree
  if (typeof type !== 'string' || !Object.hasOwn(KEYS, type)) return null
  const known = type as Body['type']
  // A header of another version may look otherwise: what it says of its version counts.
  if (known === 'header' && isCount(fields['version']) && fields['version'] !== RECORD_VERSION)
    return { ...UNKNOWN_HEADER, version: fields['version'] }
  if (!hasKeys(tree as Tree, KEYS[known])) return null
  return READ[known](fields, access)
}

const UNKNOWN_HEADER: Omit<Header, 'version'> = {
  type: 'header',
  protocol: 0,
  thread: '',
  node: '',
  base: '',
  engine: new Uint8Array()
}

const READ: { readonly [T in Body['type']]: (fields: Tree, access: Access) => Body | null } = {
  header: (fields, access) => {
    const { version, protocol, node } = fields
    const [thread, base] = [access.link(fields['thread']), access.link(fields['base'])]
    const engine = access.bytes(fields['engine'])
    if (!isCount(version) || !isCount(protocol) || typeof node !== 'string') return null
    if (thread === null || base === null || engine === null) return null
    return { type: 'header', version, protocol, thread, node, base, engine }
  },
  part: ({ part, node, ...fields }, access) => {
    const thread = access.link(fields['thread'])
    if (!isCount(part) || typeof node !== 'string' || thread === null) return null
    return { type: 'part', part, thread, node }
  },
  block: (fields, access) => {
    const [cid, data] = [access.link(fields['cid']), access.bytes(fields['data'])]
    return cid === null || data === null ? null : { type: 'block', cid, data }
  },
  envelope: ({ at, cid: named, envelope }, access) => {
    const cid = access.link(named)
    if (!isCount(at) || cid === null) return null
    return { type: 'envelope', at, cid, bytes: access.cbor(envelope) }
  },
  entry: ({ term, index, stamp, cid: named, envelope }, access) => {
    const cid = named === null ? null : access.link(named)
    if (!isCount(term) || !isCount(index) || !isCount(stamp)) return null
    if ((named !== null && cid === null) || (cid === null && envelope !== null)) return null
    const bytes = envelope === null ? null : access.cbor(envelope)
    return { type: 'entry', term, index, stamp, cid, bytes }
  },
  'bare-entry': ({ term, index, data: read }, access) => {
    const data = access.bytes(read)
    if (!isCount(term) || !isCount(index) || data === null) return null
    return { type: 'bare-entry', term, index, data }
  },
  end: ({ complete }) => (typeof complete === 'boolean' ? { type: 'end', complete } : null)
}

function hasKeys(tree: Tree, keys: readonly string[]): boolean {
  if (!isMap(tree as Json)) return false
  const found = Object.keys(tree)
  return found.length === keys.length && keys.every(key => Object.hasOwn(tree, key))
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
