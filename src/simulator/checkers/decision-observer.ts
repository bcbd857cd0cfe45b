import type { Verify } from '../../core/roster/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import { type Certified, formsFlaw, sealsOf, verifyCertified } from './certificate-verifier.ts'
import type { Scope } from './durability-checker.ts'
import { hexOf, type Statement, sha256, statementOf } from './statements.ts'
import type { Findings } from './violation.ts'

/**
 * Sees every envelope that an honest node takes in, everywhere at once. What it is told of certificates is what strangers could be
 * told: at most one decision for each slot and epoch, one outcome for each NEED.
 */
export class DecisionObserver {
  readonly certified = new Map<string, Certified>()
  readonly needs = new Map<string, Statement>()
  readonly #findings: Findings
  readonly #verify: Verify
  readonly #isLiar: (did: string) => boolean
  readonly #groups = new Map<string, Scope>()
  readonly #precisions = new Map<string, number>()
  readonly #forms = new Map<string, Statement>()
  readonly #seen = new WeakSet<Uint8Array>()

  constructor(findings: Findings, verify: Verify, isLiar: (did: string) => boolean) {
    this.#findings = findings
    this.#verify = verify
    this.#isLiar = isLiar
  }

  /** The decision that a group has certified: at most one, or more of a group of liars alone. */
  decisionsOf(group: string): readonly Certified['body'][] {
    return [...this.certified.values()].flatMap(certified =>
      certified.group === group && certified.stage === 'decide' ? [certified.body] : []
    )
  }

  /** How far ahead stamps may be in a group, ms. */
  precisionOf(group: string): number | undefined {
    return this.#precisions.get(group)
  }

  scopeOfGroup(group: string): Scope | undefined {
    return this.#groups.get(group)
  }

  scopeOfThread(thread: string): Scope | undefined {
    const need = this.needs.get(thread)
    return need === undefined
      ? undefined
      : { slot: `${need.sender}/${need.payload.slot}`, epoch: need.payload.epoch }
  }

  /** An honest node keeps the envelope. */
  kept(node: VirtualNode, bytes: Uint8Array): void {
    if (this.#seen.has(bytes)) return
    this.#seen.add(bytes)
    const statement = statementOf(bytes)
    this.#findings.check(
      this.#verify(statement.sender, statement.signed, statement.sig),
      'identity',
      () => `node ${node.index} keeps a ${statement.verb} that its sender did not sign`
    )
    if (statement.verb === 'NEED') this.needs.set(statement.id, statement)
    if (statement.verb === 'FORM') this.#onForm(node, statement)
    if (statement.verb === 'DECIDE' || isEnd(statement)) this.#onCertificate(node, statement)
  }

  #onForm(node: VirtualNode, form: Statement): void {
    const need = this.needs.get(form.thread ?? '')
    this.#forms.set(form.id, form)
    const flaw = need === undefined ? 'no NEED' : formsFlaw(this.#chainOf(form), need, this.#verify)
    if (flaw !== null)
      this.#findings.report('certificate', `node ${node.index} keeps a FORM: ${flaw}`)
    const { slot, epoch } = form.payload
    const group = hexOf(sha256(form.bytes))
    this.#precisions.set(group, form.payload.precisionMs)
    this.#groups.set(group, { slot: `${form.sender}/${slot}`, epoch })
  }

  /** A FORM after those that it names as sealed, oldest first. */
  #chainOf(form: Statement): Statement[] {
    const before = sealsOf(form).find(sealed => sealed.form !== null)
    const previous = this.#forms.get(String(before?.form))
    return previous === undefined ? [form] : [...this.#chainOf(previous), form]
  }

  #onCertificate(node: VirtualNode, statement: Statement): void {
    const need = this.needs.get(statement.thread ?? '')
    if (need === undefined) return
    const verdict = verifyCertified(statement, need, this.#verify)
    if ('flaw' in verdict)
      return this.#findings.report(
        'certificate',
        `node ${node.index} keeps a ${statement.verb} that does not hold: ${verdict.flaw}`
      )
    const { certified } = verdict
    for (const other of this.certified.values()) this.#compare(need, other, certified)
    this.certified.set(`${certified.group} ${certified.stage} ${certified.digest}`, certified)
  }

  #compare(need: Statement, one: Certified, other: Certified): void {
    const requester = this.needs.get(one.thread)?.sender
    if (one.slot !== other.slot || requester !== need.sender || one.stage !== other.stage) return
    // A requester that lies can make groups of its own, of itself alone where it decides alone; within any other nobody can. What
    // they decide is void for whoever knows both (VoidChecker).
    const isOwn = one.group !== other.group || one.roster.every(did => this.#isLiar(did))
    if (this.#isLiar(need.sender) && isOwn) return
    const isSame = one.digest === other.digest
    const rule = one.stage === 'decide' ? 'one decision' : 'one outcome'
    if (one.epoch === other.epoch || (one.stage === 'outcome' && one.thread === other.thread))
      return this.#findings.check(
        isSame,
        rule,
        () => `two ${one.stage} certificates for ${one.slot}, epoch ${one.epoch}`
      )
    // Another NEED about the slot is another matter: it has epochs of its own.
    if (one.thread !== other.thread) return
    this.#findings.check(
      String(one.body.proposal) === String(other.body.proposal),
      'carried decision',
      () => `epochs ${one.epoch} and ${other.epoch} of ${one.slot} decide different proposals`
    )
  }
}

function isEnd({ verb }: Statement): boolean {
  return verb === 'FINALIZE' || verb === 'INVALIDATE'
}
