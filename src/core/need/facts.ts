import type { Admitted, Fact, Payload, Verb } from '../envelope/index.ts'

/**
 * The plan facts that an envelope states, explicitly or by its verb. A function of the envelope alone: every fact in a plan
 * traces back to one signed envelope.
 */
export function factsOf(admitted: Admitted): readonly Fact[] {
  const { verb, payload } = admitted.envelope
  const statement = FACTS[verb] as ((payload: unknown) => readonly Fact[]) | undefined
  return statement === undefined ? [] : statement(payload)
}

const FACTS: { readonly [V in Verb]?: (payload: Payload<V>) => readonly Fact[] } = {
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
  UPDATE_PLAN: update => update.facts
}
