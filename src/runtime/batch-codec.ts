import * as v from 'valibot'
import { MESSAGE_BYTES_MAX, ok, type Result } from '../core/base/index.ts'
import { decodeStrict, encode } from '../core/codec/index.ts'
import type { PeerMessage } from '../core/swarm/index.ts'
import { decodeMessage, encodeMessage, tooLarge } from './message-codec.ts'
import { bytes, listOf } from './wire-fields.ts'

/** Messages in one batch. The heartbeats of a thousand groups to one peer are one message on the wire. */
export const BATCH_ITEMS_MAX = 1024
/** Bytes of the messages in one batch that this program makes, so that one batch does not hold up a stream for long. What is longer goes alone. */
export const BATCH_BYTES_MAX: number = 256 * 1024

/** A message with its size on the wire. */
export type Unpacked = { readonly message: PeerMessage; readonly size: number }

const schema = v.strictObject({
  type: v.literal('batch'),
  items: v.pipe(listOf(bytes, BATCH_ITEMS_MAX), v.minLength(2, 'a batch has two messages or more'))
})

/**
 * Messages to one peer that leave together, as few messages on the wire; their order stays. What is too long for any message is
 * left out and named in `dropped`.
 */
export function packMessages(messages: readonly PeerMessage[]): {
  readonly packed: readonly Uint8Array[]
  readonly dropped: readonly PeerMessage['type'][]
} {
  const packed: Uint8Array[] = []
  const dropped: PeerMessage['type'][] = []
  let batch: Uint8Array[] = []
  let size = 0
  const close = (): void => {
    if (batch.length > 1) packed.push(encode({ type: 'batch', items: batch }))
    else packed.push(...batch)
    batch = []
    size = 0
  }
  for (const message of messages) {
    const parts = encodeMessage(message)
    if (parts.length === 0) dropped.push(message.type)
    for (const part of parts) {
      if (size + part.length > BATCH_BYTES_MAX || batch.length >= BATCH_ITEMS_MAX) close()
      batch.push(part)
      size += part.length
    }
  }
  close()
  return { packed, dropped }
}

/** What a stranger sent: one message, or a batch, in which each stands for itself and none is a batch. */
export function unpackMessages(encoded: Uint8Array): readonly Result<Unpacked>[] {
  if (encoded.length > MESSAGE_BYTES_MAX) return [tooLarge()]
  if (!looksLikeBatch(encoded)) return [unpacked(encoded)]
  const value = decodeStrict(encoded)
  if (!value.ok) return [value]
  const batch = v.safeParse(schema, value.value, { abortEarly: true })
  // Not a batch, then: the codec of messages says what it is, or what is wrong with it.
  return batch.success ? batch.output.items.map(unpacked) : [unpacked(encoded)]
}

function unpacked(encoded: Uint8Array): Result<Unpacked> {
  const message = decodeMessage(encoded)
  return message.ok ? ok({ message: message.value, size: encoded.length }) : message
}

/** The canonical form of a batch begins like any other batch: its kind is seen before anything is decoded. */
function looksLikeBatch(encoded: Uint8Array): boolean {
  return BATCH_HEAD.every((byte, index) => encoded[index] === byte)
}

const BATCH_HEAD: Uint8Array = encode({ type: 'batch', items: [] }).subarray(0, 12)
