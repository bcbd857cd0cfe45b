import { CID } from '../../src/core/codec/index.ts'
import type { Fact } from '../../src/core/envelope/index.ts'
import { type PlanChange, planGraph, planView } from '../../src/core/plan/index.ts'
import type { MethodResult } from '../../src/rpc/index.ts'
import { CID_A, CID_B, DID_A } from './fake-handlers.ts'

/** A map over two parts and a reduce, half done, as `plan.get` answers it. */
export function samplePlan(more: readonly Fact[] = []): MethodResult<'plan.get'> {
  const left = { tasks: 0, links: 0, items: 0, forks: 0 }
  const changes = sampleChanges(more)
  return {
    heads: ['abc'],
    view: planView(changes),
    graph: planGraph(changes),
    left,
    insiders: [DID_A]
  }
}

/** What it is made of. */
export function sampleChanges(more: readonly Fact[] = []): PlanChange[] {
  return [changeOf([...sampleFacts(), ...more])]
}

function sampleFacts(): Fact[] {
  return [
    added('text/word-count'),
    added('split'),
    added('count-1'),
    added('count-2'),
    added('merge'),
    { kind: 'LINK', parent: 'split', child: 'count-1' },
    { kind: 'LINK', parent: 'split', child: 'count-2' },
    { kind: 'LINK', parent: 'count-1', child: 'merge' },
    { kind: 'LINK', parent: 'count-2', child: 'merge' },
    { kind: 'LINK', parent: 'merge', child: 'text/word-count' },
    { kind: 'STATE', task: 'split', state: 'FINAL' },
    { kind: 'PRODUCES', task: 'split', artifact: CID.parse(CID_A) },
    { kind: 'ANNOTATE', task: 'count-1', key: 'worker', value: DID_A },
    { kind: 'ANNOTATE', task: 'count-1', key: 'thread', value: CID_B },
    { kind: 'STATE', task: 'count-1', state: 'DECIDED' },
    { kind: 'ANNOTATE', task: 'count-2', key: 'failed', value: 'attempt 1: EXPIRED: no bids' }
  ]
}

function added(task: string): Fact {
  const type = task.includes('/') ? task : `text/${task.replace(/-\d$/u, '')}`
  return { kind: 'ADD_TASK', task, type, requires: [type], produces: [] }
}

function changeOf(facts: readonly Fact[]): PlanChange {
  const act = { kind: 'open' } as const
  return { envelope: CID_A, sender: DID_A, lamport: 4, size: 500, facts, chain: null, act }
}
