import { CID } from '../core/codec/index.ts'
import type { Admitted } from '../core/envelope/index.ts'
import { eventOf } from './admission.ts'
import { type Flaw, flawed } from './flaw.ts'

/** Envelopes whose Lamport values are remembered, some 200 bytes each: four times what a log may hold. */
const REMEMBERED_MAX = 80_000

/** Senders whose envelopes are remembered: more than have a part in a thread. */
const SENDERS_MAX = 10_000

/** What one sender has said so far. */
type Said = {
  readonly values: Map<string, number>
  readonly ids: Map<number, string>
  highest: number
}

/**
 * Whether each sender raised its Lamport value (REC-14): an envelope that refers to another one of its sender was said later, and no two have one value. Nothing
 * is known of envelopes of one sender that do not refer to each other, since a log has them as they arrived, nor of other senders': a node does not follow every
 * jump of theirs.
 */
export class LamportOrder {
  readonly #senders = new Map<string, Said>()
  #count = 0

  /** What is wrong with the next envelope, or null. */
  take(admitted: Admitted): Flaw | null {
    const { id, envelope } = admitted
    const { sender, lamport } = envelope
    const said = this.#saidBy(sender)
    if (said.values.has(id)) return null
    // Above all that this sender said: it may refer to what it likes.
    const flaw = lamport > said.highest ? null : check(admitted, said)
    this.#remember(said, id, lamport)
    return flaw
  }

  #saidBy(sender: string): Said {
    const known = this.#senders.get(sender)
    if (known !== undefined) return known
    const said = { values: new Map(), ids: new Map(), highest: -1 }
    this.#senders.set(sender, said)
    const [[oldest, { values }] = [sender, said]] = this.#senders
    if (this.#senders.size > SENDERS_MAX) {
      this.#senders.delete(oldest)
      this.#count -= values.size
    }
    return said
  }

  #remember(said: Said, id: string, lamport: number): void {
    said.values.set(id, lamport)
    if (!said.ids.has(lamport)) said.ids.set(lamport, id)
    if (lamport > said.highest) said.highest = lamport
    this.#count += 1
    if (this.#count <= REMEMBERED_MAX) return
    const [[oldest, value] = [id, lamport]] = said.values
    said.values.delete(oldest)
    if (said.ids.get(value) === oldest) said.ids.delete(value)
    this.#count -= 1
  }
}

function check(admitted: Admitted, { values, ids }: Said): Flaw | null {
  const { envelope } = admitted
  for (const link of linksOf([envelope.thread, envelope.refs, envelope.payload])) {
    const value = values.get(link.toString())
    if (value !== undefined && value >= envelope.lamport)
      return disorder(admitted, link.toString(), `more than ${value}`)
  }
  const same = ids.get(envelope.lamport)
  // Of the plan, another rule says what counts (PLAN-21).
  return same === undefined || envelope.verb === 'UPDATE_PLAN'
    ? null
    : disorder(admitted, same, `another value than ${envelope.lamport}`)
}

function* linksOf(value: unknown): Generator<CID> {
  if (value instanceof CID) yield value
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    for (const part of Object.values(value)) yield* linksOf(part)
}

function disorder(admitted: Admitted, other: string, expected: string): Flaw {
  const event = eventOf(admitted)
  const { sender, lamport } = admitted.envelope
  const message = `${event}: ${sender} did not raise its lamport value over that of ${other}`
  const about = { event, sender, field: 'lamport', expected, found: String(lamport) }
  return flawed('REPLAY_LAMPORT', message, about).flaw
}
