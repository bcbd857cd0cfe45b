// protocols/sync/vectors: every type of direct message as canonical bytes, and bytes that are none, held against the codec of the stream and, where a message is signed, the
// reference verifier. Nothing here writes the files.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { decode as decodeDagJson } from '@ipld/dag-json'
import { fromHex, toHex } from '../../src/core/base/index.ts'
import { encode } from '../../src/core/codec/index.ts'
import { verifyReference } from '../../src/core/identity/index.ts'
import { joinBytes, sealBytes, voteBytes } from '../../src/core/roster/index.ts'
import type { PeerMessage } from '../../src/core/swarm/index.ts'
import { encodeMessage, unpackMessages } from '../../src/runtime/index.ts'

type Signature = {
  readonly signer: string
  readonly slot: string
  readonly epoch: number
  readonly signed: string
}
type Valid = {
  readonly name: string
  readonly message: { readonly type: string }
  readonly encoded: string
  readonly signature?: Signature
  readonly items?: readonly string[]
}
type Invalid = {
  readonly name: string
  readonly breaks: string
  readonly refusal: string
  readonly encoded: string
  readonly signature?: Signature
}
type Vector = {
  readonly type: string
  readonly document: string
  readonly valid: readonly Valid[]
  readonly invalid: readonly Invalid[]
}

const PROTOCOLS = new URL('../../protocols/', import.meta.url)
const FOLDER = new URL('sync/vectors/', PROTOCOLS)
const vectors = readdirSync(FOLDER).map(
  file => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Vector
)

function documentOf(name: string): string {
  return readFileSync(new URL(`${name}/README.md`, PROTOCOLS), 'utf8')
}

/** The types of which the documents say `{type: "..."}`. */
function documentedTypes(): string[] {
  const text = ['sync', 'group', 'raft', 'policy'].map(documentOf).join('\n')
  return [...new Set([...text.matchAll(/\{type: "(?<type>[a-z-]+)"/gu)].map(([, type]) => type))]
    .map(String)
    .sort()
}

/** What becomes of bytes from a stream: `ok`, or the code of the refusal, for each message in them. */
function judged(encoded: string): string[] {
  return unpackMessages(fromHex(encoded)).map(found => (found.ok ? 'ok' : found.refusal.code))
}

function theOne(encoded: string): PeerMessage {
  const [found, ...more] = unpackMessages(fromHex(encoded))
  assert.ok(found?.ok === true && more.length === 0)
  return found.value.message
}

/** The bytes that a member signs, of what the message says and what its receiver knows. */
function signedBytes(message: PeerMessage, { slot, epoch }: Signature): Uint8Array {
  if (message.type === 'vote') {
    const { group, stage, digest } = message
    return voteBytes({ group, slot, epoch, stage, digest })
  }
  assert.ok(message.type === 'join' || message.type === 'sealed')
  assert.equal(message.epoch, epoch)
  const key = { thread: message.thread, slot, epoch }
  if (message.type === 'join') return joinBytes(key, message.rosterHash)
  const { roster, digest, proposal } = message
  return sealBytes({ ...key, roster, digest, proposal })
}

function isSigned(message: PeerMessage, signature: Signature): boolean {
  assert.ok('sig' in message)
  const signed = signedBytes(message, signature)
  assert.equal(toHex(signed), signature.signed)
  return verifyReference(signature.signer, signed, message.sig)
}

describe('protocols/sync/vectors', () => {
  it('cover every message of the documents, and of the program', () => {
    const types = vectors.map(({ type }) => type).sort()
    assert.equal(types.length, 17)
    assert.deepEqual(types, documentedTypes())
    for (const { valid, invalid } of vectors) assert.ok(valid.length >= 1 && invalid.length >= 3)
    const signed = vectors.filter(({ valid }) => valid.every(({ signature }) => signature))
    assert.deepEqual(signed.map(({ type }) => type).sort(), ['join', 'sealed', 'vote'])
  })

  for (const { type, document, valid, invalid } of vectors) {
    for (const { name, message, encoded, signature, items } of valid) {
      it(`${type}: ${name} has these bytes, and they say it`, () => {
        const value = decodeDagJson<PeerMessage>(new TextEncoder().encode(JSON.stringify(message)))
        assert.equal(message.type, type)
        assert.equal(toHex(encode(value)), encoded)
        assert.deepEqual(judged(encoded), items ?? ['ok'])
        if (items !== undefined) return
        assert.deepEqual(theOne(encoded), value)
        assert.deepEqual(encodeMessage(value).map(toHex), [encoded])
        if (signature !== undefined) assert.ok(isSigned(theOne(encoded), signature))
      })
    }
    for (const { name, breaks, refusal, encoded, signature } of invalid) {
      it(`${type}: ${name} is dropped: it breaks ${breaks}`, () => {
        const words = documentOf(document).includes(breaks) || documentOf('sync').includes(breaks)
        assert.ok(words, 'the document says so')
        assert.deepEqual(judged(encoded), [refusal === 'signature' ? 'ok' : refusal])
        assert.equal(refusal === 'signature', signature !== undefined)
        if (signature !== undefined) assert.ok(!isSigned(theOne(encoded), signature))
      })
    }
  }
})
