import { encode as encodeDagCbor } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { utf8 } from '../base/index.ts'
import { idFromDigest } from './id-text.ts'
import { viewPlain, writePlain } from './plain-writer.ts'
import { sha256 } from './sha256.ts'

/** Multicodec code of DAG-CBOR. */
export const DAG_CBOR = 0x71
/** Multicodec codes that protocol CIDs may have (R1): dag-pb, raw, dag-cbor. */
export const CID_CODECS: ReadonlySet<number> = new Set([0x70, 0x55, DAG_CBOR])
/** Multihash code of the one hash function of the protocol. */
export const SHA2_256 = 0x12

/** SHA-256 of the bytes. */
export function hash(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}

/**
 * Canonical DAG-CBOR bytes of a value. The caller passes plain data without floats or `undefined`; whether strangers'
 * data qualifies is decided by `decodeStrict` on the bytes.
 */
export function encode(value: unknown): Uint8Array {
  return writePlain(value) ?? encodeReference(value)
}

/** The same by the library, which decides what is not plain. Throws on what has no encoding. */
export function encodeReference(value: unknown): Uint8Array {
  const bytes = encodeDagCbor(value)
  // On Node the library's answer for larger values may be a Buffer, which compares unequal to equal bytes, and lies in a pool of 64 KiB,
  // which whoever keeps the answer would keep.
  const isAlone = bytes.constructor === Uint8Array && bytes.length === bytes.buffer.byteLength
  return isAlone ? bytes : new Uint8Array(bytes)
}

/** The CIDv1 (sha2-256) of bytes; dag-cbor unless another codec is named. */
export function cidOf(bytes: Uint8Array, codec: number = DAG_CBOR): CID {
  return CID.createV1(codec, createDigest(SHA2_256, sha256(bytes)))
}

/** Text of `cidOf(bytes)`, the id of an envelope, in a tenth of the time. */
export function idOf(bytes: Uint8Array): string {
  return idFromDigest(sha256(bytes))
}

/**
 * SHA-256 over a domain tag and the canonical bytes of a value. The tag keeps a signature or hash made for one purpose
 * from being valid for another.
 */
export function taggedHash(tag: string, value: unknown): Uint8Array {
  return sha256(viewPlain(value, headOf(tag)) ?? taggedBytes(tag, value))
}

/** The bytes that are signed for a statement: `tag`, a zero byte, then canonical DAG-CBOR. */
export function taggedBytes(tag: string, value: unknown): Uint8Array {
  return tagBytes(tag, encode(value))
}

/** Like `taggedBytes`, for a value that is already encoded, in one piece or two. */
export function tagBytes(tag: string, encoded: Uint8Array, rest: Uint8Array = NOTHING): Uint8Array {
  const head = headOf(tag)
  const bytes = new Uint8Array(head.length + encoded.length + rest.length)
  bytes.set(head)
  bytes.set(encoded, head.length)
  bytes.set(rest, head.length + encoded.length)
  return bytes
}

const NOTHING: Uint8Array = new Uint8Array()

/** The tag and its zero byte. There are as many tags as kinds of statement. */
function headOf(tag: string): Uint8Array {
  const known = heads.get(tag)
  if (known !== undefined) return known
  const head = utf8(`${tag}\0`)
  if (heads.size < TAGS_MAX) heads.set(tag, head)
  return head
}

/** Tags whose bytes are kept ready; the protocol has some twenty. */
const TAGS_MAX = 64
const heads = new Map<string, Uint8Array>()
