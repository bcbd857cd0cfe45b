import { parseEnvelope } from '../core/envelope/index.ts'
import { planEntryOf } from '../core/plan/index.ts'
import type { Clock } from '../ports/index.ts'
import type { Counters } from './counters.ts'
import { type Admission, BUSY, type Door } from './door.ts'
import type { PeerPace } from './peer-pace.ts'
import { Turns } from './turns.ts'

export type EnvelopeIntakeComponents = {
  readonly door: Pick<Door, 'admit'>
  readonly pace: PeerPace
  readonly clock: Clock
  readonly dropped: Counters
}

/**
 * Envelopes that peers bring, on their way to the door. A message of two updates that fork a plan is how peers show each other the fork
 * (PLAN-24): these count whenever they were said, as in plan sync, or those who are told late would stay apart from all others.
 */
export class EnvelopeIntake {
  readonly #components: EnvelopeIntakeComponents
  readonly #turns: Turns

  constructor(components: EnvelopeIntakeComponents) {
    this.#components = components
    this.#turns = new Turns(components.clock)
  }

  /** Takes the envelopes of a direct message. */
  take(from: string, items: readonly Uint8Array[]): void {
    if (items.length === 2) this.#takePair(from, items)
    else for (const item of items) void this.admit(item, from)
  }

  /** Brings an envelope to the door when it is its turn; what finds no room may come again. Never rejects. */
  async admit(bytes: Uint8Array, from: string): Promise<Admission> {
    const { door } = this.#components
    const judged = this.#turns.run(from, bytes.length, () => door.admit(bytes, from, 'peer'))
    if (judged !== null) return judged
    this.#components.dropped.add('envelope-queue-full')
    return { verdict: 'ignore', refusal: BUSY.refusal }
  }

  /** A peer that shows more forks than anybody needs is heard as any other. */
  #takePair(from: string, items: readonly Uint8Array[]): void {
    const { door, pace, clock, dropped } = this.#components
    const size = items.reduce((sum, { length }) => sum + length, 0)
    const taken = this.#turns.run(from, size, async () => {
      const isShown = isFork(items) && pace.spend(from, items.length, clock.nowMs()) === 0
      for (const item of items) void door.admit(item, from, isShown ? 'plan' : 'peer')
    })
    if (taken === null) dropped.add('envelope-queue-full')
  }
}

function isFork(items: readonly Uint8Array[]): boolean {
  const [one, other] = items.map(placeOf)
  return one != null && other != null && one.place === other.place && one.id !== other.id
}

function placeOf(bytes: Uint8Array): { readonly id: string; readonly place: string } | null {
  const parsed = parseEnvelope(bytes)
  if (!parsed.ok) return null
  const thread = String(parsed.value.envelope.thread)
  const entry = planEntryOf(thread, parsed.value)
  if (entry === null || entry.chain === null) return null
  const { session, seq } = entry.chain
  return { id: parsed.value.id, place: `${thread} ${entry.sender} ${session} ${seq}` }
}
