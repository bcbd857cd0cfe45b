import { engineHash, loadShippedCapsule, openCapsule } from '../../src/adapters/opa/index.ts'
import { evaluationDigest, messageInput } from '../../src/core/policy/index.ts'
import { basePath } from '../../src/policy/index.ts'
import type { WorldPolicy } from '../../src/simulator/index.ts'

/** The base capsule that ships, evaluated in this thread: virtual worlds whose records can be replayed with their policies. */
export function realPolicy(): WorldPolicy {
  const shipped = loadShippedCapsule(basePath())
  const judge = openCapsule(shipped)
  const engine = engineHash(shipped.capabilities)
  return {
    engine,
    capsule: shipped.cid,
    allows: message => judge(messageInput(message)).allow,
    evaluate: message => {
      const input = messageInput(message)
      const decision = judge(input)
      const digest = evaluationDigest({ input, decision, capsule: shipped.cid, engine })
      return { allow: decision.allow, digest }
    }
  }
}
