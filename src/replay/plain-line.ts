import { isUtf8 } from 'node:buffer'
import { digestOfId } from '../core/codec/index.ts'
import { EnvelopeReader } from './envelope-reader.ts'
import type { Body } from './format.ts'

/** The lines that a record mostly consists of, as `format.ts` knows them. */
export type PlainLine = {
  readonly seq: number
  readonly prev: string
  readonly sig: Uint8Array | null
  readonly body: Extract<Body, { readonly type: 'envelope' | 'entry' }>
  /** Where the body ends in the line. */
  readonly bodyEnd: number
}

type PlainBody = PlainLine['body']

/** Hexadecimal characters of a line's hash, and bytes of a signature. */
const HASH_CHARACTERS = 64
const SIGNATURE_BYTES = 64
/** Characters of the id of an envelope. */
const ID_CHARACTERS = 59

const ENVELOPE = ascii('{"body":{"at":')
const ENTRY = ascii('{"body":{"cid":')
const CID = ascii(',"cid":')
const LINK = ascii('{"/":"')
const LINK_END = ascii('"}')
const NULL = ascii('null')
const CONTENT = ascii(',"envelope":')
const ENVELOPE_END = ascii(',"type":"envelope"}')
const INDEX = ascii(',"index":')
const STAMP = ascii(',"stamp":')
const TERM = ascii(',"term":')
const ENTRY_END = ascii(',"type":"entry"}')
const PREV = ascii(',"prev":"')
const SEQ = ascii('","seq":')
const SIG = ascii(',"sig":')
const END = ascii('}')
/** Head of the bytes of a signature in DAG-CBOR. */
const SIGNATURE_HEAD: readonly number[] = [0x58, SIGNATURE_BYTES]

/** A line with an envelope or a log entry, in a fraction of the time; null for other lines, and for all that is not written in the plainest way: those are for `decodeLine`. */
export function readPlainLine(bytes: Uint8Array): PlainLine | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!isUtf8(text)) return null
  reader.start(bytes, 0)
  const body = reader.literal(ENVELOPE)
    ? envelopeBody(text)
    : reader.literal(ENTRY)
      ? entryBody(text)
      : null
  const bodyEnd = reader.at
  if (body === null || !reader.literal(PREV)) return null
  const prev = hashText(text)
  if (prev === null || !reader.literal(SEQ)) return null
  const seq = reader.count()
  if (seq < 0 || !reader.literal(SIG)) return null
  const sig = reader.literal(NULL) ? null : signature()
  if (sig === undefined || !reader.literal(END) || reader.at !== text.length) return null
  return { seq, prev, sig, body, bodyEnd }
}

/** One for the thread: reading is synchronous. */
const reader = new EnvelopeReader()

function envelopeBody(text: Buffer): PlainBody | null {
  const at = reader.count()
  if (at < 0 || !reader.literal(CID)) return null
  const cid = link(text)
  if (cid === null || !reader.literal(CONTENT)) return null
  const bytes = reader.value()
  return bytes !== null && reader.literal(ENVELOPE_END)
    ? { type: 'envelope', at, cid, bytes }
    : null
}

function entryBody(text: Buffer): PlainBody | null {
  const isTick = reader.literal(NULL)
  const cid = isTick ? null : link(text)
  if ((!isTick && cid === null) || !reader.literal(CONTENT)) return null
  const isShort = reader.literal(NULL)
  const bytes = isShort || isTick ? null : reader.value()
  if ((!isShort && bytes === null) || !reader.literal(INDEX)) return null
  const index = reader.count()
  if (index < 0 || !reader.literal(STAMP)) return null
  const stamp = reader.count()
  if (stamp < 0 || !reader.literal(TERM)) return null
  const term = reader.count()
  if (term < 0 || !reader.literal(ENTRY_END)) return null
  return { type: 'entry', term, index, stamp, cid, bytes }
}

/** Text of a link to an envelope. */
function link(text: Buffer): string | null {
  if (!reader.literal(LINK)) return null
  const id = text.toString('latin1', reader.at, reader.at + ID_CHARACTERS)
  reader.at += ID_CHARACTERS
  return digestOfId(id) !== null && reader.literal(LINK_END) ? id : null
}

function hashText(text: Buffer): string | null {
  const start = reader.at
  const end = start + HASH_CHARACTERS
  for (let at = start; at < end; at++) {
    const code = text[at] ?? 0
    const isHex = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66)
    if (!isHex) return null
  }
  reader.at = end
  return text.toString('latin1', start, end)
}

/** Undefined for what is none. */
function signature(): Uint8Array | undefined {
  const value = reader.value()
  const isPlain =
    value !== null &&
    value.length === SIGNATURE_HEAD.length + SIGNATURE_BYTES &&
    SIGNATURE_HEAD.every((byte, at) => value[at] === byte)
  return isPlain ? value.slice(SIGNATURE_HEAD.length) : undefined
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, character => character.charCodeAt(0))
}
