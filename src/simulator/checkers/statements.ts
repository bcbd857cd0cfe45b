/**
 * Statements read by their bytes: a second reading of protocols/envelope and protocols/codec, which shares nothing with the core but the
 * CBOR library. What the core takes for true is held against this.
 */
import { hash as hashOf } from 'node:crypto'
import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { create as digestOf } from 'multiformats/hashes/digest'

export type Statement = {
  /** CID of the complete bytes, as text. */
  readonly id: string
  readonly bytes: Uint8Array
  readonly verb: string
  readonly sender: string
  readonly thread: string | null
  readonly epoch: number | null
  readonly fence: readonly number[] | null
  readonly lamport: number
  readonly notAfter: number
  readonly sig: Uint8Array
  /** As decoded: links are CIDs, amounts numbers or bigints. */
  // biome-ignore lint/suspicious/noExplicitAny: a payload is read by whoever knows its verb, and nothing is taken for granted.
  readonly payload: any
  /** The bytes that the sender signed. */
  readonly signed: Uint8Array
}

const DAG_CBOR = 0x71
const SHA2_256 = 0x12

const read = new WeakMap<Uint8Array, Statement>()
const ids = new WeakMap<Uint8Array, string>()

/** Reads an envelope; the same bytes once. */
export function statementOf(bytes: Uint8Array): Statement {
  const known = read.get(bytes)
  if (known !== undefined) return known
  const value = decode<Record<string, unknown>>(bytes)
  const { sig, ...rest } = value
  const fresh = {
    id: idOf(bytes),
    bytes,
    verb: value['verb'],
    sender: value['sender'],
    thread: value['thread'] === null ? null : String(value['thread']),
    epoch: value['epoch'],
    fence: value['fence'],
    lamport: value['lamport'],
    notAfter: value['notAfter'],
    payload: value['payload'],
    sig,
    signed: tagged('can-swarm/envelope/v1', rest)
  } as Statement
  read.set(bytes, fresh)
  return fresh
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hashOf('sha256', bytes, 'buffer'))
}

/** Text CID of the bytes; worked out once for each object. */
export function idOf(bytes: Uint8Array): string {
  const known = ids.get(bytes)
  if (known !== undefined) return known
  const id = CID.createV1(DAG_CBOR, digestOf(SHA2_256, sha256(bytes))).toString()
  ids.set(bytes, id)
  return id
}

/** Tag, zero byte, canonical bytes. */
export function tagged(tag: string, value: unknown): Uint8Array {
  return Buffer.concat([Buffer.from(`${tag}\0`), encode(value)])
}

export function taggedHash(tag: string, value: unknown): Uint8Array {
  return sha256(tagged(tag, value))
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
