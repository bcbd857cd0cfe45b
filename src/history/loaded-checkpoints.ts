import { fromUtf8, utf8 } from '../core/base/index.ts'
import {
  type Checkpoint,
  checkNote,
  formatNote,
  parseNote,
  type SignedNote
} from '../core/checkpoint/index.ts'
import type { KeyValues, KeyValueWrite, VerifySignature } from '../ports/index.ts'
import { SyncMarkDamagedError } from './errors.ts'

const LOADED = 'sync/note/'

/** A checkpoint, and the note with the line of its origin. */
type Loaded = { readonly checkpoint: Checkpoint; readonly note: Uint8Array }

/** The newest checkpoint of each log that was loaded here: an older one is valid for ever, and must not take its place. */
export class LoadedCheckpoints {
  readonly #store: KeyValues
  readonly #verify: VerifySignature

  constructor(store: KeyValues, verify: VerifySignature) {
    this.#store = store
    this.#verify = verify
  }

  /** What was loaded of a log last, and the note that says so, or null. Rejects with SyncMarkDamagedError for what says nothing of that log. */
  async of(origin: string): Promise<Loaded | null> {
    const kept = await this.#store.get(LOADED + origin)
    if (kept === undefined) return null
    const loaded = this.#read(kept)
    if (loaded?.checkpoint.origin !== origin) throw new SyncMarkDamagedError(origin)
    return loaded
  }

  /** The write that keeps it. */
  put(origin: string, note: SignedNote): KeyValueWrite {
    return { type: 'put', key: LOADED + origin, value: formatNote(note) }
  }

  /** The write that forgets it. */
  forget(origin: string): KeyValueWrite {
    return { type: 'del', key: LOADED + origin }
  }

  /**
   * By the line of its origin, the others being nothing to this. Nodes once kept all lines of all peers, which may be more than a note has: so each is read by
   * itself.
   */
  #read(kept: Uint8Array): Loaded | null {
    const whole = fromUtf8(kept) ?? ''
    const split = whole.lastIndexOf('\n\n')
    if (split < 0) return null
    const text = whole.slice(0, split + 1)
    for (const line of whole.slice(split + 2).split('\n')) {
      const note = utf8(`${text}\n${line}\n`)
      const parsed = parseNote(note)
      const checked = parsed.ok ? checkNote(parsed.value, this.#verify) : parsed
      if (checked.ok) return { checkpoint: checked.value.checkpoint, note }
    }
    return null
  }
}
