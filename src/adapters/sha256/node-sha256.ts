import { hash } from 'node:crypto'
import { useSha256 } from '../../core/codec/index.ts'

/** Bytes of a SHA-256. */
const DIGEST_BYTES = 32

/** SHA-256 of the bytes by OpenSSL, some ten times as fast as in JavaScript. */
export function nodeSha256(bytes: Uint8Array): Uint8Array {
  // As text, a character a byte: a Buffer would have memory of its own, which takes longer to get than a hash, and compares unequal to plain arrays.
  const text = hash('sha256', bytes, 'binary')
  const digest = new Uint8Array(DIGEST_BYTES)
  for (let at = 0; at < DIGEST_BYTES; at++) digest[at] = text.charCodeAt(at)
  return digest
}

/** Has the core of this process hash by it (see `useSha256`). */
export function useNodeSha256(): void {
  useSha256(nodeSha256)
}
