import { EPOCHS_MAX } from '../base/index.ts'
import type { Conviction } from '../roster/index.ts'

/** Proofs kept of one thread. There is one of each offence of each culprit, so more are a crowd of made-up identities. */
const PER_THREAD_MAX = 16
/** Proofs of two FORMs kept of one thread, beside those: its requester can sign two for each of its epochs. */
const TWO_FORMS_PER_THREAD_MAX: number = EPOCHS_MAX
/** Proofs kept by a node; beyond it see `EvidenceShelf`. A few KB each. */
const KEPT_MAX = 1_024
/** Bytes of all proofs together. */
const KEPT_BYTES_MAX: number = 16 * 1024 * 1024

/**
 * Forks of plans among them: of one thread, of all, and their bytes. Whoever is let in can fork a plan under a new key at will, which must
 * not drive out what members of groups are convicted of.
 */
const FORKS_PER_THREAD_MAX = 4
const FORKS_MAX = 64
const FORKS_BYTES_MAX: number = 2 * 1024 * 1024

/** A proof that was checked. `id` is the CID of its canonical bytes. */
export type KeptEvidence = {
  readonly id: string
  readonly bytes: Uint8Array
  readonly conviction: Conviction
}

/** Who is charged with what in one thread. */
export type Charge = Pick<Conviction, 'offence' | 'epoch' | 'convicted'>

/**
 * The proofs that a node holds, oldest first, bounded. Where it is full, the oldest leaves that convicts nobody who is connected: identities are made up
 * for nothing, and a crowd of them must not clear what is held against those whom this node meets.
 */
export class EvidenceShelf {
  readonly #byId = new Map<string, KeptEvidence>()
  readonly #byThread = new Map<string, KeptEvidence[]>()
  #bytes = 0
  #forks = 0
  #forksBytes = 0

  /** False when it adds nothing, or the thread has enough of them. `isHere` tells who is connected. */
  put(kept: KeptEvidence, isHere: (did: string) => boolean = () => false): boolean {
    const { thread } = kept.conviction
    const known = this.#byThread.get(thread) ?? []
    if (!hasRoom(known, kept) || this.convicts(thread, kept.conviction)) return false
    if (isFork(kept) && !this.#hasRoomForFork(known, kept)) return false
    if (isFork(kept)) this.#countFork(kept, 1)
    this.#byId.set(kept.id, kept)
    this.#byThread.set(thread, [...known, kept])
    this.#bytes += kept.bytes.length
    while (this.#byId.size > KEPT_MAX || this.#bytes > KEPT_BYTES_MAX) this.#dropOldest(isHere)
    return true
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Whether somebody stands convicted of an offence already: then there is no need for another proof. */
  convicts(thread: string, charge: Charge): boolean {
    return this.of(thread).some(known => isCovered(charge, known))
  }

  get(id: string): KeptEvidence | undefined {
    return this.#byId.get(id)
  }

  of(thread: string): readonly KeptEvidence[] {
    return this.#byThread.get(thread) ?? []
  }

  all(): IterableIterator<KeptEvidence> {
    return this.#byId.values()
  }

  #hasRoomForFork(known: readonly KeptEvidence[], { bytes }: KeptEvidence): boolean {
    return (
      known.filter(isFork).length < FORKS_PER_THREAD_MAX &&
      this.#forks < FORKS_MAX &&
      this.#forksBytes + bytes.length <= FORKS_BYTES_MAX
    )
  }

  #countFork({ bytes }: KeptEvidence, sign: 1 | -1): void {
    this.#forks += sign
    this.#forksBytes += sign * bytes.length
  }

  #dropOldest(isHere: (did: string) => boolean): void {
    const all = [...this.#byId.values()]
    const kept = all.find(({ conviction }) => !conviction.convicted.some(isHere)) ?? all[0]
    if (kept === undefined) return
    const { thread } = kept.conviction
    const rest = this.of(thread).filter(({ id }) => id !== kept.id)
    this.#byId.delete(kept.id)
    this.#bytes -= kept.bytes.length
    if (isFork(kept)) this.#countFork(kept, -1)
    if (rest.length === 0) this.#byThread.delete(thread)
    else this.#byThread.set(thread, rest)
  }
}

/** What members sign must not take the room of that which makes a thread void, nor the other way round. */
function hasRoom(known: readonly KeptEvidence[], kept: KeptEvidence): boolean {
  const alike = known.filter(one => isTwoForms(one) === isTwoForms(kept)).length
  return alike < (isTwoForms(kept) ? TWO_FORMS_PER_THREAD_MAX : PER_THREAD_MAX)
}

function isTwoForms({ conviction }: KeptEvidence): boolean {
  return conviction.offence === 'two-forms'
}

function isFork({ conviction }: KeptEvidence): boolean {
  return conviction.offence === 'plan-fork'
}

/** True when `known` proves the same, or worse, against everyone that is charged. Who signed two certificates voted twice. */
function isCovered(
  { offence, epoch, convicted }: Charge,
  { conviction: known }: KeptEvidence
): boolean {
  const isSame =
    known.offence === offence || (offence === 'two-votes' && known.offence === 'two-certificates')
  return isSame && known.epoch === epoch && convicted.every(did => known.convicted.includes(did))
}
