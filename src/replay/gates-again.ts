import { openCapsule } from '../adapters/opa/index.ts'
import { equals, SwarmError, toHex } from '../core/base/index.ts'
import {
  bidSubjectOf,
  commitSubjectOf,
  type NeedState,
  type SignedEvaluation,
  signedEvaluations
} from '../core/need/index.ts'
import { bidInput, commitInput, evaluationDigest, type PolicyInput } from '../core/policy/index.ts'
import { gatherCapsule } from '../policy/index.ts'
import type { Gate } from './admission.ts'

/** What the attesters and verifiers of a thread signed at the bid gate and the commit gate, evaluated again. JSON-safe. */
export type GatesAgain = {
  /** Signed evaluations that this machine gets, too. */
  readonly same: number
  /** Those that it does not: their signers ran another program, or did not ask. It changes no outcome (POL-19). */
  readonly differing: readonly {
    readonly gate: 'bid' | 'commit'
    readonly subject: string
    readonly by: string
    readonly signed: string
    readonly found: string
  }[]
  /** Why nothing was evaluated, or null: the record does not bring along the capsule that the NEED names. */
  readonly missing: string | null
}

/** Asks the capsule of the NEED what the log says that others have asked it. `blocks`: what the record brings along. */
export async function askGatesAgain(
  state: NeedState,
  gate: Gate,
  blocks: ReadonlyMap<string, Uint8Array>
): Promise<GatesAgain> {
  const signed = signedEvaluations(state)
  const capsule = state.need.envelope.payload.capsule.toString()
  const judge = signed.length === 0 ? gate.judge : await judgeOf(capsule, gate, blocks)
  if (typeof judge === 'string') return { same: 0, differing: [], missing: judge }
  const digests = new Map<string, Uint8Array>()
  const digestOf = (one: SignedEvaluation): Uint8Array | null => {
    const known = digests.get(one.subject)
    const input = known === undefined ? inputOf(state, one) : null
    if (known !== undefined || input === null) return known ?? null
    const digest = evaluationDigest({ input, decision: judge(input), capsule, engine: gate.engine })
    digests.set(one.subject, digest)
    return digest
  }
  const compared = signed.flatMap(one => {
    const found = digestOf(one)
    return found === null ? [] : [{ ...one, found }]
  })
  const differing = compared
    .filter(({ digest, found }) => !equals(digest, found))
    .map(({ digest, found, ...one }) => ({ ...one, signed: toHex(digest), found: toHex(found) }))
  return { same: compared.length - differing.length, differing, missing: null }
}

function inputOf(state: NeedState, { gate, subject }: SignedEvaluation): PolicyInput | null {
  if (gate === 'bid') {
    const bid = bidSubjectOf(state, subject)
    return bid === null ? null : bidInput(bid)
  }
  const commit = commitSubjectOf(state, subject)
  return commit === null ? null : commitInput(commit)
}

async function judgeOf(
  capsule: string,
  gate: Gate,
  blocks: ReadonlyMap<string, Uint8Array>
): Promise<Gate['judge'] | string> {
  if (capsule === gate.base) return gate.judge
  try {
    const dag = await gatherCapsule(capsule, cid => blocks.get(cid) ?? new Uint8Array())
    return openCapsule(dag.capsule)
  } catch (error) {
    if (error instanceof SwarmError) return error.message
    throw error
  }
}
