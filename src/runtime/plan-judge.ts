import type { Clock } from '../ports/index.ts'
import type { Admission, Door } from './door.ts'
import { Lanes } from './lanes.ts'

export type PlanJudgeInit = {
  readonly clock: Clock
  readonly door: Pick<Door, 'admit'>
  /** Whether what a peer brings is still to be judged. */
  readonly isWanted: (peer: string) => boolean
}

/**
 * Envelopes of one message that come to the door in one turn of the event loop, so many and so many bytes at most: a few ms. Together their questions are
 * one for a thread of the policies, and their records one append. While threads answer, other turns are taken.
 */
const TURN_ENVELOPES_MAX = 8
const TURN_BYTES_MAX: number = 64 * 1024
const TURNS_AT_ONCE = 3
/** Wait before an envelope that the door had no room for is shown to it again, in ms, and how often: together less than a frame may take. */
const AGAIN_MS = 250
const AGAIN_MAX = 160

/** Brings the envelopes of plan sync to the door (R4), a few in each turn of the event loop. */
export class PlanJudge {
  readonly #init: PlanJudgeInit
  /** Envelopes that the door accepted. */
  brought = 0

  constructor(init: PlanJudgeInit) {
    this.#init = init
  }

  /** The code of a rejection, which an honest peer's door would have spoken too; null where there is none. */
  async judge(from: string, envelopes: readonly Uint8Array[]): Promise<string | null> {
    const lanes = new Lanes(TURNS_AT_ONCE)
    const codes = await Promise.all(
      turnsOf(envelopes).map(turn => lanes.run(() => this.#judgeTurn(from, turn)))
    )
    return codes.flat().find(code => code !== null) ?? null
  }

  async #judgeTurn(from: string, turn: readonly Uint8Array[]): Promise<(string | null)[]> {
    // Answers of the policy's worker may come as fast as they are asked for: sockets and timers have their turn between.
    await new Promise<void>(resolve => setImmediate(resolve))
    return Promise.all(turn.map(bytes => this.#judgeOne(from, bytes)))
  }

  async #judgeOne(from: string, bytes: Uint8Array): Promise<string | null> {
    const { clock, door, isWanted } = this.#init
    for (let attempt = 0; ; attempt++) {
      if (!isWanted(from)) return null
      const { verdict, refusal } = await door.admit(bytes, from, 'plan')
      if (verdict === 'accept') this.brought++
      if (verdict === 'reject') return refusal?.code ?? 'REJECTED'
      if (verdict === 'accept' || attempt >= AGAIN_MAX || !mayComeAgain(refusal)) return null
      await new Promise<void>(resolve => clock.after(AGAIN_MS, resolve))
    }
  }
}

/** Envelopes in order, cut into what is judged in one turn. */
function turnsOf(envelopes: readonly Uint8Array[]): Uint8Array[][] {
  const turns: Uint8Array[][] = []
  let turn: Uint8Array[] = []
  let bytes = 0
  for (const envelope of envelopes) {
    bytes += envelope.length
    if (turn.length === 0 || turn.length === TURN_ENVELOPES_MAX || bytes > TURN_BYTES_MAX) {
      turn = []
      turns.push(turn)
      bytes = envelope.length
    }
    turn.push(envelope)
  }
  return turns
}

/** What was this node's load or fault and not the envelope's. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'RATE_LIMITED',
  'DOOR_BUSY',
  'POLICY_TIMEOUT',
  'POLICY_UNAVAILABLE'
])

function mayComeAgain(refusal: Admission['refusal']): boolean {
  return refusal !== undefined && TRANSIENT.has(refusal.code)
}
