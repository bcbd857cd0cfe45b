import * as v from 'valibot'
import { concat, equals } from '../../core/base/index.ts'
import { decodeStrict } from '../../core/codec/index.ts'
import { SealedFileError } from './errors.ts'
import {
  HEADER_BYTES_MAX,
  type Header,
  header,
  MAGIC,
  openPiece,
  PIECE_BYTES,
  pieceKey,
  piecesOf,
  TAG_BYTES
} from './format.ts'
import { decapsulateWith } from './kem.ts'
import type { SealKeys } from './keys.ts'
import { agree, publicKeyOf } from './x25519.ts'

const HEAD_BYTES: number = MAGIC.length + 4

/** What was sealed to these keys, piece by piece; each is what was sealed. Raises SealedFileError: what was passed on before that is only a beginning. */
export async function* openSealed(
  keys: SealKeys,
  stream: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  const { open, said, rest } = await readHeader(stream[Symbol.asyncIterator]())
  const key = keyOf(keys, open, said)
  let index = 0
  for await (const { piece, isLast } of piecesOf(rest, PIECE_BYTES + TAG_BYTES)) {
    const text = openPiece(key, index, isLast, piece)
    if (text === null)
      throw new SealedFileError(
        index === 0
          ? `the file is sealed to ${said.to}, or was changed: this key does not open it`
          : `the file was cut or changed after ${index * PIECE_BYTES} bytes`,
        { to: said.to }
      )
    yield text
    index += 1
  }
}

function keyOf(keys: SealKeys, open: Uint8Array, said: Header): Uint8Array {
  const own = publicKeyOf(keys.x25519)
  if (said.kem !== null && keys.kem === null)
    throw new SealedFileError('the file needs ML-KEM, which this release of Node has not', {})
  try {
    const secrets = [agree(keys.x25519, said.key)]
    if (said.kem !== null && keys.kem !== null)
      secrets.push(decapsulateWith(keys.kem.seed, said.kem))
    return pieceKey(open, own, secrets)
  } catch (cause) {
    throw new SealedFileError('a key in the file is none: it was changed', {}, { cause })
  }
}

async function readHeader(iterator: AsyncIterator<Uint8Array>): Promise<{
  readonly open: Uint8Array
  readonly said: Header
  readonly rest: AsyncIterable<Uint8Array>
}> {
  let read: Uint8Array = new Uint8Array()
  const upTo = async (size: number): Promise<void> => {
    while (read.length < size) {
      const next = await iterator.next()
      if (next.done === true) throw notSealed('it ends in its header')
      read = concat([read, next.value])
    }
  }
  await upTo(HEAD_BYTES)
  if (!equals(read.subarray(0, MAGIC.length), MAGIC)) throw notSealed('it begins otherwise')
  const size = new DataView(read.buffer, read.byteOffset).getUint32(MAGIC.length)
  if (size > HEADER_BYTES_MAX) throw notSealed('its header is too long')
  await upTo(HEAD_BYTES + size)
  const open = read.slice(0, HEAD_BYTES + size)
  const decoded = decodeStrict(open.slice(HEAD_BYTES))
  const parsed = decoded.ok ? v.safeParse(header, decoded.value) : null
  if (parsed?.success !== true) throw notSealed('its header is none')
  const begun = read.slice(open.length)
  return { open, said: parsed.output, rest: following(begun, iterator) }
}

async function* following(
  begun: Uint8Array,
  iterator: AsyncIterator<Uint8Array>
): AsyncGenerator<Uint8Array> {
  yield begun
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
    yield next.value
}

function notSealed(why: string): SealedFileError {
  return new SealedFileError(`the file is not one that "audit export --for" wrote: ${why}`, {})
}
