import type { Fact } from '../../src/core/envelope/index.ts'
import type { PlanChange } from '../../src/core/plan/index.ts'

export const REQUESTER = 'did:key:zRequester'
export const WORKER = 'did:key:zWorker'
export const STRANGER = 'did:key:zStranger'

/** Facts of a verb that is neither chained nor a branch, by the requester unless it says otherwise. */
export function change(envelope: string, lamport: number, ...facts: Fact[]): PlanChange {
  return { envelope, sender: REQUESTER, lamport, size: 500, facts, chain: null, act: null }
}

/** What opens a thread: its sender is the requester. */
export function opening(...facts: Fact[]): PlanChange {
  return { ...change('need', 0, ...facts), act: { kind: 'open' } }
}

export function offer(envelope: string, sender: string, ...facts: Fact[]): PlanChange {
  return { ...change(envelope, 5, ...facts), sender, act: { kind: 'offer' } }
}

/** A certified DECIDE that some member published. */
export function decision(proposal: string, epoch = 0, envelope = `decide ${proposal}`): PlanChange {
  return {
    ...change(envelope, 900, { kind: 'STATE', task: 'main', state: 'DECIDED' }),
    sender: STRANGER,
    act: { kind: 'decide', proposal, epoch }
  }
}

/** Updates of one session, in order of seq: a list of facts each. */
export function chainOf(
  sender: string,
  updates: readonly (readonly Fact[])[],
  { session = 0, name = sender.slice(-8), from = 1 } = {}
): PlanChange[] {
  const idAt = (seq: number): string => `${name}/${session}/${seq}`
  return updates.map((facts, at) => {
    const seq = from + at
    const previous = seq === 1 ? null : idAt(seq - 1)
    return {
      ...change(idAt(seq), 10 + seq, ...facts),
      sender,
      chain: { session, seq, previous }
    }
  })
}

export function addTask(task: string, type = 'text/upper', requires: string[] = []): Fact {
  return { kind: 'ADD_TASK', task, type, requires, produces: [] }
}

export function link(parent: string, child: string): Fact {
  return { kind: 'LINK', parent, child }
}

export function note(task: string, value: string, key = 'note'): Fact {
  return { kind: 'ANNOTATE', task, key, value }
}

export function state(task: string, to: Extract<Fact, { kind: 'STATE' }>['state']): Fact {
  return { kind: 'STATE', task, state: to }
}
