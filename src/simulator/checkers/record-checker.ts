import type { Verify } from '../../core/roster/index.ts'
import type { RecordItem } from '../../core/swarm/index.ts'
import { bodyOf, decodeLine, encodeLine, itemOf, Replayer } from '../../replay/index.ts'
import { WRONG_OUTPUT } from '../drafts.ts'
import { carriedProposal } from './certificate-verifier.ts'
import { DisputeModel } from './dispute-model.ts'
import { type Decision, isLater, LeaseModel } from './lease-model.ts'
import { hexOf, idOf, type Statement, sha256, statementOf } from './statements.ts'
import { stampOf } from './step-checker.ts'
import type { Findings } from './violation.ts'

export type RecordCheckerInit = {
  readonly findings: Findings
  readonly verify: Verify
  /** All verifiers of the world say what they find, so what is wrong must fail and what is right must not. */
  readonly areVerifiersHonest: boolean
  /** No leader of the world lies about time. */
  readonly areLeadersHonest: boolean
  /** Records are written as lines and read again before they are replayed. */
  readonly throughFiles: boolean
  /** The decisions of a group that anybody was told of; several of a group of liars alone. */
  readonly decisionsOf: (group: string) => readonly Decision[]
}

type Thread = { readonly need: Statement; readonly form: Statement; readonly decision: Decision }
// biome-ignore lint/suspicious/noExplicitAny: an outcome as decoded.
type Outcome = any

/** What the record of a finished thread says, checked against the protocol's words, and replayed (P2, P3, P4, P5). */
export class RecordChecker {
  readonly #init: RecordCheckerInit
  readonly #checked = new Set<string>()

  constructor(init: RecordCheckerInit) {
    this.#init = init
  }

  /** Checks a complete record; one that was checked before costs nothing. */
  async check(thread: string, items: readonly RecordItem[]): Promise<void> {
    const key = items.map(nameOf).join(' ')
    if (this.#checked.has(key)) return
    this.#checked.add(key)
    const written = this.#init.throughFiles ? items.map(item => this.#throughTheFile(item)) : items
    await this.#replay(thread, written)
    this.#read(written)
  }

  /** The item as a line of a file says it. */
  #throughTheFile(item: RecordItem): RecordItem {
    const line = encodeLine({ seq: 0, prev: '', body: bodyOf(item) }, null)
    const read = decodeLine(line)
    const back = read.ok ? itemOf(read.value.body) : read
    const isSame = back.ok && back.value !== null && nameOf(back.value) === nameOf(item)
    this.#init.findings.check(isSame, 'replay', () => `a line does not give back a ${item.type}`)
    return back.ok && back.value !== null ? back.value : item
  }

  async #replay(thread: string, items: readonly RecordItem[]): Promise<void> {
    const { findings, verify } = this.#init
    const replayer = new Replayer({ thread, verify })
    for (const item of items) {
      const taken = await replayer.take(item)
      if (!taken.ok) return findings.report('replay', `${taken.flaw.code}: ${taken.flaw.message}`)
    }
    findings.check(
      replayer.findings.finalizeBytesEqual,
      'replay',
      () => 'the record does not lead to the bytes of its end'
    )
  }

  #read(items: readonly RecordItem[]): void {
    const said = items.flatMap(item => (item.type === 'envelope' ? [statementOf(item.bytes)] : []))
    const need = said.find(statement => statement.verb === 'NEED')
    const form = said.findLast(statement => statement.verb === 'FORM')
    const end = said.findLast(({ verb }) => verb === 'FINALIZE' || verb === 'INVALIDATE')
    if (need === undefined || form === undefined || end === undefined) return
    const { outcome } = end.payload
    this.#checkLedger(need, outcome)
    const [decision, other] = this.#decisionsOf(form, said)
    // A liar alone in its group has told others another decision than the one that this log is of; which one, the record does not say.
    if (other !== undefined) return
    if (decision === undefined)
      return this.#init.findings.check(
        outcome.commit === null,
        'fencing',
        () => 'an outcome names a COMMIT, and nothing was decided'
      )
    const model = new LeaseModel(need, form, decision)
    for (const item of items) if (item.type === 'entry') model.apply(item.entry)
    this.#checkLease(model, outcome)
    this.#checkVerdict(model, outcome)
    // What earlier epochs have decided needs no bids.
    const forms = said.filter(({ verb }) => verb === 'FORM')
    this.#checkDecision({ need, form, decision }, items, carriedProposal(forms) !== null)
    this.#checkDisputes({ need, form, decision }, items, outcome)
  }

  /** A node that heard of the end first does not need the DECIDE; then it is the one that others have. */
  #decisionsOf(form: Statement, said: readonly Statement[]): readonly Decision[] {
    const own = said.find(({ verb }) => verb === 'DECIDE')?.payload.decision
    return own === undefined ? this.#init.decisionsOf(hexOf(sha256(form.bytes))) : [own]
  }

  /** P5: what was escrowed is paid out, all of it and to those who earned it. */
  #checkLedger(need: Statement, outcome: Outcome): void {
    const { findings } = this.#init
    const escrow = BigInt(need.payload.budget) + BigInt(need.payload.verifyBounty)
    const payouts: readonly { to: string; amount: number | bigint; why: string }[] = outcome.payouts
    const paid = payouts.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    findings.check(
      paid === escrow,
      'ledger',
      () => `${paid} are paid out of an escrow of ${escrow}`
    )
    const isEarned = outcome.result === 'FINAL' || payouts.every(({ why }) => why !== 'work')
    findings.check(isEarned, 'ledger', () => `work is paid though the thread is ${outcome.result}`)
    const refunds = payouts.filter(({ why, to }) => why === 'refund' && to !== need.sender)
    findings.check(refunds.length === 0, 'ledger', () => 'a refund goes to somebody else')
  }

  /** P4: tokens rise, and the COMMIT that counts was made under the lease of its time. */
  #checkLease(model: LeaseModel, outcome: Outcome): void {
    const { findings, areLeadersHonest } = this.#init
    for (const [i, token] of model.granted.entries()) {
      const before = model.granted[i - 1]
      findings.check(
        before === undefined || isLater(token, before),
        'fencing',
        () => `the token ${token.join('.')} is granted after ${before?.join('.')}`
      )
    }
    if (areLeadersHonest)
      findings.check(
        model.standing.length === 0,
        'log time',
        () => `the stamp of entry ${model.standing[0]} is not above the one before`
      )
    const commit = outcome.commit === null ? null : String(outcome.commit)
    findings.check(
      (model.commit?.statement.id ?? null) === commit,
      'fencing',
      () =>
        `the COMMIT that counts is ${model.commit?.statement.id ?? 'none'}, the outcome says ${commit}`
    )
    const fence = outcome.fence === null ? null : outcome.fence.join('.')
    findings.check(
      (model.commit?.token.join('.') ?? null) === fence,
      'fencing',
      () => `the COMMIT was made under ${model.commit?.token.join('.')}, the outcome says ${fence}`
    )
  }

  /** A proposal is decided on enough findings, and not before the bid window has passed. */
  #checkDecision(
    { need, form, decision }: Thread,
    items: readonly RecordItem[],
    isCarried: boolean
  ): void {
    const attestations = new Set(decision.attestations.map(String))
    this.#init.findings.check(
      attestations.size >= form.payload.kPlan,
      'findings',
      () => `${attestations.size} ATTEST_PLANs where ${form.payload.kPlan} are needed`
    )
    const stamps = items.flatMap(item =>
      item.type === 'entry' && item.entry.index <= decision.index
        ? (stampOf(item.entry.data) ?? [])
        : []
    )
    const bidMs = Math.max(...stamps) - (stamps[0] ?? 0)
    this.#init.findings.check(
      isCarried || bidMs >= need.payload.windows.bidMs,
      'log time',
      () => `decided after ${bidMs} ms of bidding`
    )
  }

  /** P3: what is upheld in the log is invalid, and what is not stays. */
  #checkDisputes(
    { need, form, decision }: Thread,
    items: readonly RecordItem[],
    outcome: Outcome
  ): void {
    if (outcome.challenges.length === 0 || outcome.commit === null || need.payload.solo) return
    const model = new DisputeModel({
      commit: String(outcome.commit),
      related: [decision.worker, need.sender],
      kResult: form.payload.kResult,
      ...need.payload.windows
    })
    // The entry that ends the thread comes when the time for findings is up, whatever it carries.
    for (const item of items)
      if (item.type === 'entry' && item.entry.index < outcome.index) model.apply(item.entry)
    const isUpheld = model.isUpheld(outcome.challenges.map(String))
    this.#init.findings.check(
      outcome.result === (isUpheld ? 'INVALID' : 'FINAL'),
      'verdict',
      () => `${outcome.result}, though the challenge is ${isUpheld ? '' : 'not '}upheld in the log`
    )
  }

  /** P3, where all verifiers are honest: a wrong result never becomes final, a right one is never invalid. */
  #checkVerdict(model: LeaseModel, outcome: Outcome): void {
    if (!this.#init.areVerifiersHonest || model.commit === null) return
    const outputs: readonly unknown[] = model.commit.statement.payload.outputs
    const isWrong = outputs.some(output => String(output) === WRONG_OUTPUT.toString())
    const wanted = isWrong ? 'FINAL' : 'INVALID'
    this.#init.findings.check(
      outcome.result !== wanted,
      'verdict',
      () => `a ${isWrong ? 'wrong' : 'right'} result is ${outcome.result}`
    )
  }
}

/** The same for the same bytes only. */
function nameOf(item: RecordItem): string {
  if (item.type === 'envelope') return idOf(item.bytes)
  const { term, index, data } = item.entry
  return `${term}/${index}/${idOf(data)}`
}
