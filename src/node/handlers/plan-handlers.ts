import type { PlanChange } from '../../core/plan/index.ts'
import { factOf, type Handlers, type Params, RefusedError } from '../../rpc/index.ts'
import { RequestRefusedError } from '../errors.ts'
import type { NodeParts } from '../node-parts.ts'
import { parseCid } from './need-handlers.ts'

/** Facts, and bytes of their envelopes, in one part of a plan's changes: some ms to write, whatever strangers have said. */
const PART_FACTS_MAX = 2_048
const PART_BYTES_MAX: number = 256 * 1024

/** The shared plan of a thread: to add to it, to look at it, and to read every change of it. */
export function planHandlers({
  threads,
  driver,
  plan
}: NodeParts): Pick<Handlers, 'plan.add' | 'plan.get' | 'plan.task' | 'plan.changes'> {
  return {
    'plan.add': async ({ thread, facts, refs = [] }) => {
      const result = await driver.command({
        type: 'update-plan',
        thread,
        facts: facts.map(factOf),
        refs: refs.map(parseCid)
      })
      if (!result.ok) throw new RefusedError(result.refusal)
      return result.value as { envelope: string }
    },
    'plan.get': async ({ thread }) => {
      const { requester } = await threads.view(thread)
      const { heads } = await plan.view(thread)
      const excerpt = (await threads.plan(thread)).excerpt()
      const stands = excerpt.view.branches.filter(({ orphanedByEpoch }) => orphanedByEpoch === null)
      const insiders = [...new Set([requester, ...stands.map(({ proposer }) => proposer)])]
      return { heads: [...heads], ...excerpt, insiders }
    },
    'plan.task': async ({ thread, task }) => {
      const state = await threads.plan(thread)
      const view = state.excerptOf(task)
      if (view === null)
        throw new RequestRefusedError(
          `the plan has no task ${task}: "can-swarm plan ID" lists them`
        )
      return {
        ...view,
        ancestors: state.ancestors(task),
        descendants: state.descendants(task),
        blockers: state.blockers(task)
      }
    },
    'plan.changes': async request => {
      await threads.view(request.thread)
      return partOf(await threads.planChanges(request.thread), request)
    }
  }
}

/** The changes that a caller asks for, from behind `after` on, in order of arrival. */
function partOf(
  all: readonly PlanChange[],
  { envelope, sender, after }: Params<'plan.changes'>
): { changes: PlanChange[]; next: string | null } {
  const changes: PlanChange[] = []
  let facts = 0
  let bytes = 0
  // Envelopes are filed in the order in which they come, so what a reader has is in front.
  const from = after === undefined ? 0 : all.findIndex(one => one.envelope === after) + 1
  if (from === 0 && after !== undefined)
    throw new RequestRefusedError(`the plan has no change ${after}: read it from the beginning`)
  for (const change of all.slice(from)) {
    const isAsked =
      (envelope === undefined || change.envelope === envelope) &&
      (sender === undefined || change.sender === sender)
    if (!isAsked || change.facts.length === 0) continue
    facts += change.facts.length
    bytes += change.size
    const last = changes.at(-1)
    if (last !== undefined && (facts > PART_FACTS_MAX || bytes > PART_BYTES_MAX))
      return { changes, next: last.envelope }
    changes.push(change)
  }
  return { changes, next: null }
}
