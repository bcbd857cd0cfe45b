import { AuthorRate } from '../core/envelope/index.ts'
import {
  NOTICE_REASON_LENGTH_MAX,
  NOTICE_REASONS_MAX,
  type PeerMessage
} from '../core/swarm/index.ts'
import type { Clock } from '../ports/index.ts'
import type { Refused } from './door.ts'

/** Notices to one peer in a second, and at once: enough for a person, of no use to a flood. */
const NOTICES_PER_SECOND = 2
const NOTICES_BURST = 16
/** Refused envelopes whose author has been told. */
const TOLD_MAX = 1_024

export type RefusalNoticesComponents = {
  readonly clock: Clock
  readonly send: (to: string, message: PeerMessage) => void
}

/**
 * Tells authors by which rule the door refused their envelope (POL-18). Only one that is connected, whoever brought the envelope: its signature
 * was checked. Each envelope once, a few a second to one peer, and never more bytes than the envelope had: nobody makes a node talk to
 * another more than he talks to it.
 */
export class RefusalNotices {
  readonly #components: RefusalNoticesComponents
  readonly #connected = new Set<string>()
  readonly #rate = new AuthorRate({ perSecond: NOTICES_PER_SECOND, burst: NOTICES_BURST })
  /** Envelope ids, oldest first. */
  readonly #told = new Set<string>()

  constructor(components: RefusalNoticesComponents) {
    this.#components = components
  }

  /** A peer came or went. */
  onPeer(did: string, connected: boolean): void {
    if (connected) this.#connected.add(did)
    else this.#connected.delete(did)
  }

  tell({ id, from, author, code, reasons, bytes }: Refused): void {
    const nowMs = this.#components.clock.nowMs()
    // A peer may gossip before it is known to be one of ours.
    const isHere = from === author || this.#connected.has(author)
    if (!isHere || this.#told.has(id)) return
    if (!this.#rate.check(author, nowMs).ok) return
    this.#rate.spend(author, nowMs)
    this.#told.add(id)
    const [oldest = id] = this.#told
    if (this.#told.size > TOLD_MAX) this.#told.delete(oldest)
    this.#components.send(author, {
      type: 'refused',
      envelope: id,
      code,
      reasons: fitting(reasons, bytes)
    })
  }
}

/** Bytes of a notice besides its reasons: type, id, code, and what CBOR adds. */
const FRAME_BYTES = 192

/** The first reasons, cut to length, that leave the notice no longer than the envelope was. */
function fitting(reasons: readonly string[], bytes: number): string[] {
  const fit: string[] = []
  let left = bytes - FRAME_BYTES
  for (const reason of reasons.slice(0, NOTICE_REASONS_MAX)) {
    const text = reason.slice(0, NOTICE_REASON_LENGTH_MAX).toWellFormed()
    left -= new TextEncoder().encode(text).length + 3
    if (left < 0) break
    fit.push(text)
  }
  return fit
}
