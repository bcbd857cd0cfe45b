import type { PlanChange } from '../core/plan/index.ts'
import type { MethodResult, Params } from './methods.ts'

/** What reads one part: the `call` of a client, or something like it. */
export type CallPlanChanges = (
  method: 'plan.changes',
  params: Params<'plan.changes'>
) => Promise<MethodResult<'plan.changes'>>

/** Every change of a plan that `asked` names, part by part. Rejects as the calls do. */
export async function* planChanges(
  call: CallPlanChanges,
  asked: Omit<Params<'plan.changes'>, 'after'>
): AsyncGenerator<PlanChange> {
  let after: string | null = null
  do {
    const part: MethodResult<'plan.changes'> = await call('plan.changes', {
      ...asked,
      ...(after !== null && { after })
    })
    yield* part.changes
    after = part.next
  } while (after !== null)
}
