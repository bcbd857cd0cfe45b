import { assert } from '../core/base/index.ts'
import type { JournalRecord, PeerMessage } from '../core/swarm/index.ts'
import { decodeMessage, decodeRecord, encodeMessage, encodeRecord } from '../runtime/index.ts'

/** The message as it comes out at the other end of a stream; a long one in parts. */
export function overTheWire(message: PeerMessage): readonly PeerMessage[] {
  return encodeMessage(message).map(bytes => {
    const decoded = decodeMessage(bytes)
    assert(decoded.ok, `a ${message.type} of the machine can be sent`)
    return decoded.value
  })
}

/** The record as it comes back from a disk. */
export function throughTheDisk(record: JournalRecord): JournalRecord {
  const decoded = decodeRecord(encodeRecord(record))
  assert(decoded.ok, `a ${record.type} of the machine can be written down`)
  return decoded.value
}
