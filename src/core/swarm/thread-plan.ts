import { SparseMap } from '../base/index.ts'
import type { Admitted } from '../envelope/index.ts'
import { PLANNED_FACTS_MAX, planChangeOf, planOfLog } from '../need/index.ts'
import { type PlanApplied, type PlanChange, PlanState } from '../plan/index.ts'
import type { PlanUpdate } from './planning.ts'
import type { Thread } from './thread.ts'

/** The plan of one thread at this node. While nobody has updated it there is nothing to keep: it is made when it is asked for. */
export class ThreadPlan {
  /** UPDATE_PLANs that count, belong in the log and are not in it yet. Apart from others: a flood of plan facts delays nothing else. */
  readonly unlogged = new SparseMap<string, Admitted>()
  /** Bytes of all filed UPDATE_PLANs. */
  bytes = 0
  /** Of these, bytes of those that others than the requester said. */
  othersBytes = 0
  /** Forks that peers have been told of. */
  forksTold = 0
  /** Own updates that wait for the one before them to be signed. */
  readonly waiting: PlanUpdate[] = []
  /** Lamport value of the own update that is being signed. */
  signing: number | null = null
  readonly #thread: Thread
  #state: PlanState | null = null

  constructor(thread: Thread) {
    this.#thread = thread
  }

  /** The plan of all that is filed here, kept up to date from now on. */
  open(): PlanState {
    return this.#state ?? this.#fold([...this.#filed()])
  }

  /**
   * The plan: of all that is filed here, or once the thread has ended and its log is here, as the log has it. What did not come into the
   * log in time has no effect, so that everybody ends with the same plan.
   */
  read(): PlanState {
    const { group, end } = this.#thread
    if (group === null || end === null || !this.#thread.isComplete()) return this.open()
    const plan = planOfLog(group.log.state)
    const ended = this.changeOf(end.admitted)
    if (ended !== null) plan.apply(ended)
    return plan
  }

  /** Sessions of all senders together with that of one more update. A plan that nobody has updated has none. */
  sessionsWith(sender: string, session: number): number {
    return this.bytes === 0 ? 1 : this.open().sessionsWith(sender, session)
  }

  /** What every filed envelope adds, in order of arrival. */
  changes(): readonly PlanChange[] {
    return [...this.#filed()].flatMap(admitted => this.changeOf(admitted) ?? [])
  }

  /** What one envelope adds; a certified verb adds something only when its certificate was accepted. */
  changeOf(admitted: Admitted): PlanChange | null {
    return this.#thread.isProven(admitted) ? planChangeOf(admitted, this.#thread.need) : null
  }

  /** Folds a filed envelope in: every update, and others where there is a plan already. */
  add(admitted: Admitted): PlanApplied | null {
    const isUpdate = admitted.envelope.verb === 'UPDATE_PLAN'
    if (isUpdate) this.bytes += admitted.bytes.length
    if (this.#state === null && !isUpdate) return null
    this.#state ??= this.#fold([...this.#filed()].filter(({ id }) => id !== admitted.id))
    return this.#apply(this.#state, admitted)
  }

  /** A certificate that was filed before was accepted now. */
  addCertified(admitted: Admitted): void {
    if (this.#state !== null) this.#apply(this.#state, admitted)
  }

  /** There is another log: what counts may be in none. */
  offerAgain(): void {
    this.unlogged.clear()
    if (this.#state === null) return
    for (const id of this.#state.counted()) this.#offer(id)
  }

  #fold(filed: readonly Admitted[]): PlanState {
    this.#state = new PlanState()
    for (const admitted of filed) this.#apply(this.#state, admitted)
    return this.#state
  }

  #apply(state: PlanState, admitted: Admitted): PlanApplied | null {
    const change = this.changeOf(admitted)
    if (change === null) return null
    const applied = state.apply(change)
    for (const id of applied.counted) this.#offer(id)
    for (const id of applied.retracted) this.unlogged.delete(id)
    return applied
  }

  #offer(id: string): void {
    const update = this.#thread.envelopes.get(id)?.admitted
    if (
      update === undefined ||
      this.#thread.isLogged(id) ||
      this.unlogged.size >= 2 * PLANNED_FACTS_MAX
    )
      return
    this.unlogged.set(id, update)
  }

  *#filed(): Iterable<Admitted> {
    for (const { admitted } of this.#thread.envelopes.values()) yield admitted
  }
}
