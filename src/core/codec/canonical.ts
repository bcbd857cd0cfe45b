import { decode as decodeDagCbor, encode as encodeDagCbor } from '@ipld/dag-cbor'
import { sha256 } from '@noble/hashes/sha2.js'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { DEPTH_MAX, equals, ok, type Result, refuse, utf8, concat } from '../base/index.ts'

/** Multicodec codes that protocol CIDs may have (R1): dag-pb, raw, dag-cbor. */
export const DAG_CBOR = 0x71
const CODECS = new Set([0x70, 0x55, DAG_CBOR])
const SHA2_256 = 0x12

/** SHA-256 of the bytes. */
export function hash(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}

/** Canonical DAG-CBOR bytes of a value. The caller passes plain data without floats or `undefined`. */
export function encode(value: unknown): Uint8Array {
  return encodeDagCbor(value)
}

/** The CIDv1 (sha2-256) of bytes; dag-cbor unless another codec is named. */
export function cidOf(bytes: Uint8Array, codec: number = DAG_CBOR): CID {
  return CID.createV1(codec, createDigest(SHA2_256, sha256(bytes)))
}

/**
 * SHA-256 over a domain tag and the canonical bytes of a value. The tag keeps a signature or hash made for one purpose
 * from being valid for another.
 */
export function taggedHash(tag: string, value: unknown): Uint8Array {
  return sha256(taggedBytes(tag, value))
}

/** The bytes that are signed for a statement: `tag`, a zero byte, then canonical DAG-CBOR. */
export function taggedBytes(tag: string, value: unknown): Uint8Array {
  return concat([utf8(`${tag}\0`), encode(value)])
}

/**
 * Decodes DAG-CBOR and accepts it only in its one canonical form (R1): re-encoding must give the same bytes, nesting
 * must stay within DEPTH_MAX, links must follow the CID profile, floats and prototype keys are refused.
 * The caller has checked the size.
 */
export function decodeStrict(bytes: Uint8Array): Result<unknown> {
  const depth = depthOf(bytes)
  if (depth > DEPTH_MAX) return refuse('TOO_DEEP', `nesting is deeper than ${DEPTH_MAX}`)
  let value: unknown
  try {
    value = decodeDagCbor(bytes)
    if (!equals(encodeDagCbor(value), bytes)) {
      return refuse('NOT_CANONICAL', 'the bytes are not canonical DAG-CBOR')
    }
  } catch (error) {
    return refuse('NOT_CANONICAL', `the bytes are not DAG-CBOR: ${(error as Error).message}`)
  }
  const flaw = findFlaw(value)
  return flaw === undefined ? ok(value) : refuse('NOT_CANONICAL', flaw)
}

/**
 * Deepest nesting of arrays and maps, read from CBOR heads without building values, so that a small hostile input
 * cannot exhaust the stack of the decoder. Malformed input gives some number; the decoder then refuses it.
 */
function depthOf(bytes: Uint8Array): number {
  const open: number[] = []
  let position = 0
  let deepest = 0
  while (position < bytes.length) {
    const head = bytes[position] as number
    const major = head >> 5
    const [argument, size] = argumentOf(bytes, position, head & 31)
    position += size
    if (major === 2 || major === 3) position += argument
    const children = major === 4 ? argument : major === 5 ? argument * 2 : major === 6 ? 1 : 0
    if (children > 0) {
      open.push(children)
      deepest = Math.max(deepest, open.length)
      if (deepest > DEPTH_MAX) return deepest
      continue
    }
    closeItem(open)
  }
  return deepest
}

function closeItem(open: number[]): void {
  while (open.length > 0) {
    const left = (open[open.length - 1] as number) - 1
    if (left > 0) {
      open[open.length - 1] = left
      return
    }
    open.pop()
  }
}

function argumentOf(bytes: Uint8Array, position: number, info: number): [number, number] {
  if (info < 24) return [info, 1]
  const width = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0
  let argument = 0
  for (let i = 1; i <= width; i++) argument = argument * 256 + (bytes[position + i] ?? 0)
  return [argument, 1 + width]
}

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

function findFlaw(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? undefined : 'floats are not allowed'
  if (value === undefined) return 'undefined is not allowed'
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  const cid = CID.asCID(value)
  if (cid !== null) return cidFlaw(cid)
  if (Array.isArray(value)) return firstFlaw(value)
  for (const key of Object.keys(value)) {
    if (FORBIDDEN_KEYS.has(key)) return `the key ${key} is not allowed`
  }
  return firstFlaw(Object.values(value))
}

function firstFlaw(items: readonly unknown[]): string | undefined {
  for (const item of items) {
    const flaw = findFlaw(item)
    if (flaw !== undefined) return flaw
  }
  return undefined
}

function cidFlaw(cid: CID): string | undefined {
  const fits = cid.version === 1 && cid.multihash.code === SHA2_256 && cid.multihash.digest.length === 32
  return fits && CODECS.has(cid.code) ? undefined : 'a CID must be v1, sha2-256, of codec dag-cbor, dag-pb or raw'
}
