import type { Admitted, Fact, Payload, Verb } from '../envelope/index.ts'
import type { PlanChain, PlanChange } from '../plan/index.ts'

/** The plan change that an envelope is, or null where it states no facts. The caller has checked the certificate of a DECIDE or FINALIZE. */
export function planChangeOf(admitted: Admitted, need: Admitted<'NEED'>): PlanChange | null {
  const facts = factsOf(admitted, need)
  if (facts.length === 0) return null
  const { sender, lamport } = admitted.envelope
  return { envelope: admitted.id, sender, lamport, facts, chain: chainOf(admitted) }
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
