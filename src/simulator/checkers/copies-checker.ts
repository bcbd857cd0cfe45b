import type { VirtualNode } from '../virtual-node.ts'
import { CERTIFIED } from './certified-verbs.ts'
import { hexOf, type Statement, statementOf } from './statements.ts'
import type { Findings } from './violation.ts'

/**
 * How many envelopes with the same certificate a node keeps (GROUP-15): one of each member and of the requester, and one of anybody else. A certificate costs nothing to say
 * again under another name.
 */
export class CopiesChecker {
  readonly #findings: Findings
  readonly #requesterOf: (thread: string) => string | undefined
  /** By node and what the certificate says: whose it is kept from, by those that are neither members nor the requester. */
  readonly #strangers = new Map<string, Set<string>>()

  constructor(findings: Findings, requesterOf: (thread: string) => string | undefined) {
    this.#findings = findings
    this.#requesterOf = requesterOf
  }

  /** A day has passed: what was kept is gone. */
  forget(): void {
    this.#strangers.clear()
  }

  kept(node: VirtualNode, statement: Statement): void {
    const { verb, sender, thread, payload } = statement
    if (!CERTIFIED.has(verb) || thread === null || sender === this.#requesterOf(thread)) return
    const { certificate } = payload
    const form = statementOf(certificate.form)
    if (form.payload.roster.includes(sender)) return
    const says = [node.index, form.id, certificate.stage, hexOf(certificate.digest)].join()
    const strangers = this.#strangers.get(says) ?? new Set()
    this.#strangers.set(says, strangers.add(sender))
    this.#findings.check(
      strangers.size <= 1,
      'copies',
      () => `node ${node.index} keeps a ${verb} of ${thread} from ${strangers.size} strangers`
    )
  }
}
