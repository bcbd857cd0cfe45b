import { decode } from '@ipld/dag-cbor'
import type { Effect, Input } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { Findings } from './violation.ts'

/** What one step may write, given what came in: stamps within the precision of the clock (R14), no term by a mere question (9.6). */
export class StepChecker {
  readonly #findings: Findings
  readonly #clockOf: (node: VirtualNode) => number
  readonly #precisionOf: (group: string) => number | undefined

  constructor(
    findings: Findings,
    world: {
      readonly clockOf: (node: VirtualNode) => number
      readonly precisionOf: (group: string) => number | undefined
    }
  ) {
    this.#findings = findings
    this.#clockOf = world.clockOf
    this.#precisionOf = world.precisionOf
  }

  stepped(node: VirtualNode, input: Input, effects: readonly Effect[]): void {
    if (input.kind !== 'message' || input.message.type !== 'raft') return
    const { group, message } = input.message
    const records = effects.flatMap(effect => (effect.kind === 'persist' ? effect.records : []))
    for (const record of records) {
      if (record.type === 'hard-state' && record.group === group && message.type === 'pre-vote')
        this.#findings.report('pre-vote', `a pre-vote changes the hard state of node ${node.index}`)
      if (record.type !== 'entries' || record.group !== group || message.type !== 'append') continue
      const latest = this.#clockOf(node) + (this.#precisionOf(group) ?? Number.POSITIVE_INFINITY)
      const ahead = record.entries.find(entry => (stampOf(entry.data) ?? 0) > latest)
      this.#findings.check(
        ahead === undefined,
        'log time',
        () => `node ${node.index} takes entry ${ahead?.index}, stamped ahead of its clock`
      )
    }
  }
}

type Entry = readonly [stamp: number, envelope: Uint8Array | null]

const read = new WeakMap<Uint8Array, Entry>()

/** The stamp of an entry; null for a new leader's. */
export function stampOf(data: Uint8Array): number | null {
  return data.length === 0 ? null : entryOf(data)[0]
}

/** The envelope in an entry; null for a tick and for a new leader's. The same object for the same entry. */
export function envelopeIn(data: Uint8Array): Uint8Array | null {
  return data.length === 0 ? null : entryOf(data)[1]
}

function entryOf(data: Uint8Array): Entry {
  const known = read.get(data)
  if (known !== undefined) return known
  const entry = decode<Entry>(data)
  read.set(data, entry)
  return entry
}
