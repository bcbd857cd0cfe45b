import { SwarmError } from '../core/base/index.ts'
import type { NodeParts } from './node-parts.ts'

const IN_TROUBLE =
  'This node says nothing on it now, the other verifiers may: "can-swarm doctor" and the log of the node say how often that was.'

/** What a user can do about a capsule that gives no answers here, by the code of what went wrong. */
const ADVICE: Readonly<Record<string, string>> = {
  CAPSULE_REFUSED:
    'No honest node judges a result by it: the requester has to state a NEED with another capsule, which "can-swarm policy test" finds sound.',
  CAPSULE_UNAVAILABLE:
    'Until somebody delivers it this node judges no result of this NEED: its requester can offer it with "can-swarm policy add".',
  POLICY_TIMEOUT: IN_TROUBLE,
  POLICY_UNAVAILABLE: IN_TROUBLE
}

/** Shows in a thread why this node has no answer of the capsule that its NEED names. Other failures say nothing about the capsule. */
export function warnOfCapsule({ driver }: NodeParts, thread: string, error: unknown): void {
  const advice = error instanceof SwarmError ? ADVICE[error.code] : undefined
  if (advice === undefined) return
  const { message, code } = error as SwarmError
  void driver.command({ type: 'warn', thread, message: `${message} [${code}]. ${advice}` })
}
