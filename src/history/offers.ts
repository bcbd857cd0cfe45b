import {
  type CheckedNote,
  checkNote,
  formatNote,
  NOTE_BYTES_MAX,
  NOTE_SIGNATURES_MAX,
  parseNote,
  type SignedNote
} from '../core/checkpoint/index.ts'
import { standingOf } from '../core/history/index.ts'
import type { VerifySignature } from '../ports/index.ts'
import { WITNESSED_LEAVES_MAX } from './limits.ts'

/** A checkpoint that peers offer, with the cosignatures that count of all that any of them knows. */
export type Offer = {
  readonly note: SignedNote
  readonly checked: CheckedNote
  /** DIDs of the witnesses that count. */
  readonly witnesses: readonly string[]
  readonly holders: ReadonlySet<string>
}

export type OffersInit = {
  readonly verify: VerifySignature
  readonly network: string
  /** Only these count as witnesses; empty: any. */
  readonly trusted: ReadonlySet<string>
}

/**
 * What peers offer, by what each checkpoint says. Of the lines below it only those that were checked and count are kept, and no more than a note may have: what
 * others add to a note must not make it one that this node cannot read again.
 */
export class Offers {
  readonly #init: OffersInit
  readonly #offers = new Map<string, Offer>()

  constructor(init: OffersInit) {
    this.#init = init
  }

  all(): readonly Offer[] {
    return [...this.#offers.values()]
  }

  take(did: string, bytes: Uint8Array): void {
    const { verify, network } = this.#init
    const parsed = parseNote(bytes)
    const checked = parsed.ok ? checkNote(parsed.value, verify) : parsed
    if (!parsed.ok || !checked.ok || checked.value.network !== network) return
    const { size } = checked.value.checkpoint
    const standing = standingOf(checked.value.checkpoint)
    const first = standing.ok ? (standing.value?.from ?? 0) : 0
    if (size - BigInt(first) > BigInt(WITNESSED_LEAVES_MAX)) return
    const { text } = parsed.value
    const known = this.#offers.get(text)
    const note = this.#merged(text, known, checked.value)
    this.#offers.set(text, {
      note,
      checked: checked.value,
      witnesses: note.signatures.slice(1).map(({ name }) => name),
      holders: new Set([...(known?.holders ?? []), did, checked.value.did])
    })
  }

  #merged(text: string, known: Offer | undefined, { lines }: CheckedNote): SignedNote {
    const { trusted } = this.#init
    const signatures = [...(known?.note.signatures ?? lines.slice(0, 1))]
    const names = new Set(known?.witnesses)
    for (const line of lines.slice(1)) {
      const counts = trusted.size === 0 || trusted.has(line.name)
      if (!counts || names.has(line.name) || signatures.length >= NOTE_SIGNATURES_MAX) continue
      const grown = { text, signatures: [...signatures, line] }
      if (formatNote(grown).length <= NOTE_BYTES_MAX) signatures.push(line)
    }
    return { text, signatures }
  }
}
