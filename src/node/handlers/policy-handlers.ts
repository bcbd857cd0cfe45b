import { toHex } from '../../core/base/index.ts'
import { evaluationDigest } from '../../core/policy/index.ts'
import { checkQuestion, encodeCapsuleFile } from '../../policy/index.ts'
import type { Handlers } from '../../rpc/index.ts'
import type { NodeParts } from '../node-parts.ts'
import { askAgain } from '../questions.ts'

type PolicyMethods = Extract<keyof Handlers, `policy.${string}`>

export function policyHandlers(parts: NodeParts): Pick<Handlers, PolicyMethods> {
  const { capsules, policy } = parts
  return {
    'policy.list': () => capsules.list(),
    'policy.add': ({ path }) => capsules.add(path),
    'policy.get': async ({ cid, timeoutMs }) => {
      const { dag, origin } = await capsules.get(cid, { timeoutMs })
      return { origin, base64: Buffer.from(encodeCapsuleFile(dag)).toString('base64') }
    },
    'policy.evaluate': async ({ cid, input }) => {
      const question = checkQuestion(input, 'input')
      const decision = await capsules.evaluate(cid, question)
      const { engine } = policy
      const digest = evaluationDigest({ input: question, decision, capsule: cid, engine })
      return { capsule: cid, decision, digest: toHex(digest) }
    },
    'policy.explain': async ({ thread, envelope }) => ({
      asked: await askAgain(parts, thread, envelope)
    })
  }
}
