import { PLAN_SESSIONS_MAX, PLAN_UPDATES_MAX, type Result, refuse } from '../base/index.ts'
import type { CID } from '../codec/index.ts'
import type { Admitted, Fact } from '../envelope/index.ts'
import type { Context } from './context.ts'
import { threadDraft } from './drafts.ts'
import type { Thread } from './thread.ts'

/** Own updates of one plan that wait for the one before them to be signed. */
const UPDATES_WAITING_MAX = 256

/** What a user or agent wants to add to a plan. */
export type PlanUpdate = {
  /** The command that is answered. */
  readonly id: number
  readonly facts: readonly Fact[]
  readonly refs: readonly CID[]
}

/** Own updates of one thread's plan. Each names the one before by its CID, so they are signed one after the other. */
export class Planning {
  readonly waiting: PlanUpdate[] = []
  /** Lamport value of the update that is being signed. */
  signing: number | null = null
}

/** Says it, or keeps it until what was said before is signed. */
export function updatePlan(
  context: Context,
  thread: Thread,
  update: PlanUpdate
): Result<never> | undefined {
  if (thread.isEnded()) return refuse('THREAD_ENDED', `the thread has ended: ${thread.phase()}`)
  const { planning } = thread
  if (planning.waiting.length >= UPDATES_WAITING_MAX)
    return refuse('BUSY', 'too many updates of this plan wait to be signed: wait a moment')
  planning.waiting.push(update)
  if (planning.signing === null) sayNext(context, thread)
  return undefined
}

/** An own update has been signed and filed, or refused: the next one's turn. */
export function onPlanSaid(context: Context, thread: Thread, lamport: number): void {
  if (thread.planning.signing !== lamport) return
  thread.planning.signing = null
  sayNext(context, thread)
}

function sayNext(context: Context, thread: Thread): void {
  const { planning } = thread
  for (let next = planning.waiting.shift(); next !== undefined; next = planning.waiting.shift()) {
    const place = nextPlace(context, thread)
    if (place === null) {
      context.refuseCommand(next.id, CHAINS_USED_UP.refusal)
      continue
    }
    const payload = { ...place, facts: [...next.facts] }
    const draft = threadDraft(context, thread, 'UPDATE_PLAN', payload, { refs: next.refs })
    planning.signing = context.publish(draft)
    context.waiting.set(planning.signing, next.id)
    return
  }
}

const CHAINS_USED_UP = refuse(
  'PLAN_SESSIONS_USED_UP',
  `this node has used up its ${PLAN_SESSIONS_MAX} sessions in the thread: say the rest in a new NEED`
)

/**
 * Where the next own update stands: after the last one of the latest session. A session with two updates at one place counts for nobody
 * (this key was used by a node that had lost its disk): then in the session after it. Null when there is none left.
 */
function nextPlace(
  context: Context,
  thread: Thread
): { readonly session: number; readonly seq: number; readonly previous: CID | null } | null {
  const own = [...thread.envelopes.values()]
    .map(({ admitted }) => admitted)
    .filter(
      (admitted): admitted is Admitted<'UPDATE_PLAN'> =>
        admitted.envelope.verb === 'UPDATE_PLAN' && admitted.envelope.sender === context.did
    )
  const session = Math.max(0, ...own.map(({ envelope }) => envelope.payload.session))
  const chain = own.filter(({ envelope }) => envelope.payload.session === session)
  const seqs = new Set(chain.map(({ envelope }) => envelope.payload.seq))
  const seq = seqs.size + 1
  const last = chain.find(({ envelope }) => envelope.payload.seq === seqs.size)
  const isWhole = seqs.size === chain.length && (seq === 1 || last !== undefined)
  if (isWhole && seq <= PLAN_UPDATES_MAX) return { session, seq, previous: last?.cid ?? null }
  return session + 1 < PLAN_SESSIONS_MAX ? { session: session + 1, seq: 1, previous: null } : null
}
