import type { Verify } from '../../core/roster/index.ts'
import type { Input, JournalRecord } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import { CERTIFIED } from './certified-verbs.ts'
import { type Statement, statementOf } from './statements.ts'
import type { Findings } from './violation.ts'

/** Epochs that a NEED has (GROUP-6). */
const EPOCHS = 4

/** How far the proof that a thread is void has come: a crash loses what is not on the disk for good. */
type Proof = 'held' | 'written' | 'durable'

type Known = {
  /** FORMs that it keeps, or that are in a certificate that it keeps, by thread and epoch. */
  readonly forms: Map<string, Set<string>>
  readonly proofs: Map<string, Proof>
}

/**
 * A requester that lies can have two groups certify a decision each. What is left of R8 then: every honest node that knows two FORMs for one epoch of a NEED, alone or in
 * certificates, holds the thread void from that moment on, also after a crash and in its archive (EVIDENCE-15); and a thread is void for nobody else.
 */
export class VoidChecker {
  readonly #findings: Findings
  readonly #verify: Verify
  readonly #needOf: (thread: string) => Statement | undefined
  readonly #isLiar: (did: string) => boolean
  readonly #known = new Map<VirtualNode, Known>()

  constructor(init: {
    readonly findings: Findings
    readonly verify: Verify
    readonly needOf: (thread: string) => Statement | undefined
    readonly isLiar: (did: string) => boolean
  }) {
    this.#findings = init.findings
    this.#verify = init.verify
    this.#needOf = init.needOf
    this.#isLiar = init.isLiar
  }

  /** An honest node has taken an input. */
  stepped(node: VirtualNode, input: Input): void {
    if (input.kind !== 'envelope') return
    const { bytes } = input.admitted
    if (mayShowForms(bytes)) this.#see(node, statementOf(bytes), false)
  }

  written(node: VirtualNode, records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.type === 'envelope') this.#see(node, statementOf(record.bytes), true)
      if (record.type === 'evidence') this.#raise(node, 'held', 'written')
    }
  }

  synced(node: VirtualNode): void {
    this.#raise(node, 'written', 'durable')
  }

  restarted(node: VirtualNode): void {
    const { proofs, forms } = this.#knownTo(node)
    for (const [thread, proof] of proofs) if (proof !== 'durable') proofs.delete(thread)
    forms.clear()
    for (const record of node.disk)
      if (record.type === 'envelope') this.#keep(node, statementOf(record.bytes))
  }

  /** A day has passed: what was known of ended threads is gone. */
  forget(): void {
    this.#known.clear()
  }

  /** After the faults, while the threads that ended are still in memory or in the archive. */
  finish(nodes: readonly VirtualNode[]): void {
    for (const node of nodes.filter(one => one.alive && !this.#isLiar(one.did))) {
      for (const thread of this.#knownTo(node).proofs.keys()) this.#checkVoid(node, thread)
      for (const thread of node.swarm.threadIds()) this.#checkRequester(node, thread)
    }
  }

  #see(node: VirtualNode, statement: Statement, isKept: boolean): void {
    const { thread } = statement
    // What comes to a thread that is archived is not looked at.
    if (thread === null || !node.swarm.has(thread)) return
    const { forms, proofs } = this.#knownTo(node)
    for (const [key, epoch, ids] of this.#formsOf(statement)) {
      const both = new Set([...(forms.get(key) ?? []), ...ids])
      const isAhead = (node.swarm.view(thread)?.epoch ?? -1) < epoch
      if (both.size < 2 || isAhead || proofs.has(thread)) continue
      proofs.set(thread, 'held')
      this.#checkVoid(node, thread)
    }
    if (isKept) this.#keep(node, statement)
  }

  #keep(node: VirtualNode, statement: Statement): void {
    const { forms } = this.#knownTo(node)
    for (const [key, , ids] of this.#formsOf(statement))
      forms.set(key, new Set([...(forms.get(key) ?? []), ...ids]))
  }

  /** The FORMs of the thread's requester that a statement is or carries, by epoch. */
  #formsOf(statement: Statement): [key: string, epoch: number, ids: string[]][] {
    const need = this.#needOf(statement.thread ?? '')
    if (need === undefined) return []
    const ids = new Map<number, string[]>()
    for (const { id, sender, payload, signed, sig } of formsIn(statement)) {
      const attempt = payload.epoch - need.payload.epoch
      const isOfNeed = sender === need.sender && String(payload.need) === need.id
      if (!isOfNeed || attempt < 0 || attempt >= EPOCHS) continue
      if (this.#verify(sender, signed, sig))
        ids.set(payload.epoch, [...(ids.get(payload.epoch) ?? []), id])
    }
    return [...ids].map(([epoch, all]) => [`${need.id} ${epoch}`, epoch, all])
  }

  #checkVoid(node: VirtualNode, thread: string): void {
    const line = node.swarm.view(thread) ?? node.archive.get(thread)?.summary
    this.#findings.check(
      line === undefined || line.void !== null,
      'void',
      () => `node ${node.index} knows two FORMs of ${thread}, and does not hold it void`
    )
  }

  #checkRequester(node: VirtualNode, thread: string): void {
    const view = node.swarm.view(thread)
    this.#findings.check(
      view === undefined || view.void === null || this.#isLiar(view.requester),
      'void',
      () => `node ${node.index} holds ${thread} void, whose requester does not lie`
    )
  }

  #raise(node: VirtualNode, from: Proof, to: Proof): void {
    const { proofs } = this.#knownTo(node)
    for (const [thread, proof] of proofs) if (proof === from) proofs.set(thread, to)
  }

  #knownTo(node: VirtualNode): Known {
    const known = this.#known.get(node) ?? { forms: new Map(), proofs: new Map() }
    this.#known.set(node, known)
    return known
  }
}

/** Whether the verb can be FORM or there can be a certificate: most envelopes are not worth reading for that. */
function mayShowForms(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return text.includes('FORM') || text.includes('certificate')
}

function formsIn({ verb, bytes, payload }: Statement): Statement[] {
  if (verb === 'FORM') return [statementOf(bytes)]
  if (!CERTIFIED.has(verb)) return []
  const { certificate } = payload
  return [...certificate.previous, certificate.form].map(statementOf)
}
