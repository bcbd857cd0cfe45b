import type { Admitted, Fact, Payload, Verb } from '../envelope/index.ts'
import type { PlanAct, PlanChain, PlanChange } from '../plan/index.ts'

/** The plan change that an envelope is, or null where it has none. The caller has checked the certificate of a DECIDE or FINALIZE. */
export function planChangeOf(admitted: Admitted, need: Admitted<'NEED'>): PlanChange | null {
  const facts = factsOf(admitted, need)
  const act = actOf(admitted)
  if (facts.length === 0 && act === null) return null
  const { sender, lamport } = admitted.envelope
  const { id: envelope, bytes } = admitted
  return { envelope, sender, lamport, size: bytes.length, facts, chain: chainOf(admitted), act }
}

/** What an envelope does to a plan beside stating facts. An INVALIDATE ends the thread and leaves its plan as it was. */
function actOf({ envelope }: Admitted): PlanAct | null {
  switch (envelope.verb) {
    case 'NEED':
      return { kind: 'open' }
    case 'PROPOSE':
      return { kind: 'offer' }
    case 'DECIDE': {
      const { proposal, epoch } = (envelope.payload as Payload<'DECIDE'>).decision
      return { kind: 'decide', proposal: proposal.toString(), epoch }
    }
    case 'FINALIZE': {
      const { proposal, commit } = (envelope.payload as Payload<'FINALIZE'>).outcome
      if (proposal === null || commit === null) return null
      return { kind: 'end', proposal: proposal.toString(), commit: commit.toString() }
    }
    default:
      return null
  }
}

/** Where an UPDATE_PLAN stands among its sender's; null for other verbs. */
function chainOf({ envelope }: Admitted): PlanChain | null {
  if (envelope.verb !== 'UPDATE_PLAN') return null
  const { session, seq, previous } = envelope.payload as Payload<'UPDATE_PLAN'>
  return { session, seq, previous: previous?.toString() ?? null }
}

/**
 * The plan facts that an envelope states, explicitly or by its verb, about the task of its thread's NEED. A function of these
 * two alone: every fact in a plan traces back to one signed envelope. The caller has checked the certificate of a DECIDE or FINALIZE.
 */
export function factsOf(admitted: Admitted, need: Admitted<'NEED'>): readonly Fact[] {
  const { verb, payload } = admitted.envelope
  const statement = FACTS[verb] as ((payload: unknown, task: string) => readonly Fact[]) | undefined
  return statement === undefined ? [] : statement(payload, need.envelope.payload.task)
}

type Statement<V extends Verb> = (payload: Payload<V>, task: string) => readonly Fact[]

const FACTS: { readonly [V in Verb]?: Statement<V> } = {
  NEED: need => [
    {
      kind: 'ADD_TASK',
      task: need.task,
      type: need.task,
      requires: need.requires,
      produces: need.produces
    },
    { kind: 'STATE', task: need.task, state: 'DRAFT' },
    ...need.inputs.map((artifact): Fact => ({ kind: 'REQUIRES', task: need.task, artifact }))
  ],
  PROPOSE: proposal => proposal.patch,
  UPDATE_PLAN: update => update.facts,
  DECIDE: (_, task) => [{ kind: 'STATE', task, state: 'DECIDED' }],
  FINALIZE: ({ outcome }, task) =>
    outcome.result !== 'FINAL'
      ? []
      : [
          ...outcome.outputs.map((artifact): Fact => ({ kind: 'PRODUCES', task, artifact })),
          { kind: 'STATE', task, state: 'VERIFIED' },
          { kind: 'STATE', task, state: 'FINAL' }
        ]
}
