import { PLAN_HEADS_MAX } from '../base/index.ts'
import { type CID, taggedHash } from '../codec/index.ts'
import { type Admitted, type Decision, TAGS } from '../envelope/index.ts'
import { type PlanChange, type PlanState, planState } from '../plan/index.ts'
import { planChangeOf } from './facts.ts'
import type { NeedState } from './state.ts'

type Decided = Pick<Decision, 'proposal' | 'epoch'>

/**
 * The plan as the log has it: NEED, logged updates, and what was decided. A function of the log alone, so that members, observers and
 * replayers have the same one; decision and outcome refer to it, and once the thread has ended it is the plan.
 */
export function planOfLog(state: NeedState, decided: Decided | null = state.decision): PlanState {
  const { need, planned, proposals } = state
  const logged = [need, ...planned].flatMap(admitted => planChangeOf(admitted, need) ?? [])
  if (decided === null) return planState(logged)
  const proposal = proposals.get(decided.proposal.toString())?.admitted
  const offer = proposal === undefined ? [] : (planChangeOf(proposal, need) ?? [])
  return planState([...logged, ...[offer].flat(), decidedChange(decided, need)])
}

/** What a decision refers to: the heads of the plan, listed when they are few, and the hash of all of them. */
export function planHeadsOf(state: NeedState, plan: PlanState): Decision['planHeads'] {
  const heads = plan.heads()
  const digest = taggedHash(TAGS.planHeads, heads)
  if (heads.length > PLAN_HEADS_MAX) return { listed: [], digest }
  const logged = [
    state.need,
    ...state.planned,
    ...[...state.proposals.values()].map(({ admitted }) => admitted)
  ]
  const cids = new Map<string, CID>(logged.map(({ id, cid }: Admitted) => [id, cid]))
  return { listed: heads.flatMap(head => cids.get(head) ?? []), digest }
}

/** What a decision adds to the plan, before anybody has published it. */
function decidedChange({ proposal, epoch }: Decided, need: Admitted<'NEED'>): PlanChange {
  const id = proposal.toString()
  return {
    envelope: `decision of ${id}`,
    sender: need.envelope.sender,
    lamport: 0,
    size: 0,
    facts: [{ kind: 'STATE', task: need.envelope.payload.task, state: 'DECIDED' }],
    chain: null,
    act: { kind: 'decide', proposal: id, epoch }
  }
}
