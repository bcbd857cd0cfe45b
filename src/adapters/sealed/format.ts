import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import * as v from 'valibot'
import { concat, utf8 } from '../../core/base/index.ts'
import { encode, hash } from '../../core/codec/index.ts'
import { KEM_CIPHERTEXT_BYTES } from './kem.ts'

/** First bytes of a sealed file. */
export const MAGIC: Uint8Array = utf8('can-swarm/sealed/v1\n')
/** Bytes of a header: two keys and a name. */
export const HEADER_BYTES_MAX = 4096
/** Bytes of the text that one tag covers. */
export const PIECE_BYTES: number = 64 * 1024
/** What authentication adds to each piece. */
export const TAG_BYTES = 16

/** Of ChaCha20-Poly1305 (RFC 8439), in bytes. */
const NONCE_BYTES = 12
/** Of ChaCha20-Poly1305 (RFC 8439), in bytes. */
const KEY_BYTES = 32
const bytesOf = (length: number) =>
  v.custom<Uint8Array>(value => value instanceof Uint8Array && value.length === length)

/** What a sealed file says in the open. */
export const header = v.strictObject({
  /** DID of the recipient. */
  to: v.pipe(v.string(), v.maxLength(128)),
  /** X25519 key of this file alone. */
  key: bytesOf(32),
  /** ML-KEM-768 ciphertext, or null. */
  kem: v.nullable(bytesOf(KEM_CIPHERTEXT_BYTES))
})
export type Header = v.InferOutput<typeof header>

/** Magic, length of the header in four bytes, header. */
export function openPart(value: Header): Uint8Array {
  const encoded = encode(value)
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, encoded.length)
  return concat([MAGIC, length, encoded])
}

/** The key of the pieces: bound to everything that stands in the open, and to the recipient's own key. */
export function pieceKey(
  open: Uint8Array,
  recipient: Uint8Array,
  secrets: readonly Uint8Array[]
): Uint8Array {
  const info = Buffer.concat([MAGIC, hash(concat([open, recipient]))])
  return new Uint8Array(hkdfSync('sha256', concat([...secrets]), '', info, KEY_BYTES))
}

/** Place of a piece, and whether it is the last: pieces cannot be moved, left out, or cut off. */
function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index))
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0
  return nonce
}

export function sealPiece(
  key: Uint8Array,
  index: number,
  isLast: boolean,
  text: Uint8Array
): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonceOf(index, isLast), {
    authTagLength: TAG_BYTES
  })
  const sealed = Buffer.concat([cipher.update(text), cipher.final()])
  return concat([sealed, cipher.getAuthTag()])
}

/** Null when the piece is not the one that was sealed at this place. */
export function openPiece(
  key: Uint8Array,
  index: number,
  isLast: boolean,
  sealed: Uint8Array
): Uint8Array | null {
  if (sealed.length < TAG_BYTES) return null
  const decipher = createDecipheriv('chacha20-poly1305', key, nonceOf(index, isLast), {
    authTagLength: TAG_BYTES
  })
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    const text = decipher.update(sealed.subarray(0, -TAG_BYTES))
    return new Uint8Array(Buffer.concat([text, decipher.final()]))
  } catch {
    return null
  }
}

/** Cuts a stream into pieces of one size; the last is shorter, or empty. `isLast` goes with it. */
export async function* piecesOf(
  stream: AsyncIterable<Uint8Array>,
  size: number
): AsyncGenerator<{ readonly piece: Uint8Array; readonly isLast: boolean }> {
  let rest: Uint8Array = new Uint8Array()
  for await (const data of stream) {
    rest = concat([rest, data])
    while (rest.length > size) {
      yield { piece: rest.subarray(0, size), isLast: false }
      rest = rest.slice(size)
    }
  }
  yield { piece: rest, isLast: true }
}
