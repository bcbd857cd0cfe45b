/**
 * Domain tags of everything that is signed or hashed. One purpose, one tag; a tag is never reused with another shape.
 */
export const TAGS = {
  envelope: 'can-swarm/envelope/v1',
  policy: 'can-swarm/policy-eval/v1',
  join: 'can-swarm/join/v1',
  epochSeal: 'can-swarm/epoch-seal/v1',
  vote: 'can-swarm/vote/v1',
  decision: 'can-swarm/decision/v1',
  outcome: 'can-swarm/outcome/v1',
  entry: 'can-swarm/entry/v1',
  roster: 'can-swarm/roster/v1',
  draw: 'can-swarm/draw/v1',
  plan: 'can-swarm/plan/v1',
  planHeads: 'can-swarm/plan-heads/v1',
  seal: 'can-swarm/verdict-seal/v1',
  salt: 'can-swarm/verdict-salt/v1',
  record: 'can-swarm/record/v2'
} as const
