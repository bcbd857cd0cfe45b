import { engineHash, loadShippedCapsule, openCapsule } from '../../src/adapters/opa/index.ts'
import {
  type BidSubject,
  bidInput,
  evaluationDigest,
  messageInput
} from '../../src/core/policy/index.ts'
import { basePath } from '../../src/policy/index.ts'
import type { WorldPolicy } from '../../src/simulator/index.ts'

export type RealPolicy = WorldPolicy & {
  /** Digest of the evaluation that a verifier signs when it attests a bid. */
  attest(bid: BidSubject): Uint8Array
}

/** The base capsule that ships, evaluated in this thread: virtual worlds whose records can be replayed with their policies. */
export function realPolicy(): RealPolicy {
  const shipped = loadShippedCapsule(basePath())
  const judge = openCapsule(shipped)
  const engine = engineHash(shipped.capabilities)
  const capsule = shipped.cid
  return {
    engine,
    capsule,
    allows: message => judge(messageInput(message)).allow,
    evaluate: message => {
      const input = messageInput(message)
      const decision = judge(input)
      return {
        allow: decision.allow,
        digest: evaluationDigest({ input, decision, capsule, engine })
      }
    },
    attest: bid => {
      const input = bidInput(bid)
      return evaluationDigest({ input, decision: judge(input), capsule, engine })
    }
  }
}
