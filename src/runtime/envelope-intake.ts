import { type Admitted, parseEnvelope } from '../core/envelope/index.ts'
import { planEntryOf } from '../core/plan/index.ts'
import type { Clock } from '../ports/index.ts'
import type { Door } from './door.ts'
import { Lanes } from './lanes.ts'
import type { PeerPace } from './peer-pace.ts'

export type EnvelopeIntakeComponents = {
  readonly door: Pick<Door, 'admit'>
  readonly pace: PeerPace
  readonly clock: Clock
}

/** Forks that wait for the door; beyond, their updates are judged as any peer's envelopes. */
const FORKS_WAITING_MAX = 64

/**
 * Envelopes of direct messages, on their way to the door. A message of two updates that fork a plan is how peers show each other the fork
 * (PLAN-24): these count whenever they were said, as in plan sync, or those who are told late would stay apart from all others.
 */
export class EnvelopeIntake {
  readonly #components: EnvelopeIntakeComponents
  readonly #forks = new Lanes(1)

  constructor(components: EnvelopeIntakeComponents) {
    this.#components = components
  }

  take(from: string, items: readonly Uint8Array[]): void {
    if (this.#mayShowFork(from, items)) void this.#forks.run(() => this.#takeFork(from, items))
    else for (const item of items) void this.#components.door.admit(item, from, 'peer')
  }

  /** A peer that shows more than anybody needs is heard as any other. */
  #mayShowFork(from: string, items: readonly Uint8Array[]): boolean {
    const { pace, clock } = this.#components
    return (
      items.length === 2 &&
      this.#forks.waiting < FORKS_WAITING_MAX &&
      isFork(items) &&
      pace.spend(from, items.length, clock.nowMs()) === 0
    )
  }

  /** One after the other: no rate of their author bounds what these cost. */
  async #takeFork(from: string, items: readonly Uint8Array[]): Promise<void> {
    for (const item of items) {
      await new Promise<void>(resolve => setImmediate(resolve))
      await this.#components.door.admit(item, from, 'plan')
    }
  }
}

function isFork(items: readonly Uint8Array[]): boolean {
  const [one, other] = items.map(placeOf)
  return one != null && other != null && one.place === other.place && one.id !== other.id
}

function placeOf(bytes: Uint8Array): { readonly id: string; readonly place: string } | null {
  const parsed = parseEnvelope(bytes)
  return parsed.ok ? placeOfUpdate(parsed.value) : null
}

function placeOfUpdate(admitted: Admitted): { readonly id: string; readonly place: string } | null {
  const thread = String(admitted.envelope.thread)
  const entry = planEntryOf(thread, admitted)
  if (entry === null || entry.chain === null) return null
  const { session, seq } = entry.chain
  return { id: admitted.id, place: `${thread} ${entry.sender} ${session} ${seq}` }
}
