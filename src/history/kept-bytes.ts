import { fromUtf8, utf8 } from '../core/base/index.ts'
import type { KeyValues, KeyValueWrite } from '../ports/index.ts'

const BYTES = 'witnessed/bytes/'

/** In bytes: of all logs, and what each may have also where there are so many. */
export type KeptLimits = { readonly all: number; readonly share: number }

/** Bytes of the leaves of each witnessed log, on disk beside them: what strangers have this node keep has a bound, of which none of them takes the others' part. */
export class KeptBytes {
  readonly #store: KeyValues
  readonly #reserved: ReadonlySet<string>
  readonly #limits: KeptLimits

  /** `reserved`: origins whose logs do not count. */
  constructor(store: KeyValues, reserved: ReadonlySet<string>, limits: KeptLimits) {
    this.#store = store
    this.#reserved = reserved
    this.#limits = limits
  }

  static keyOf(origin: string): string {
    return `${BYTES}${origin}/`
  }

  /** Of one log; null where that was not counted. */
  async of(origin: string): Promise<number | null> {
    const kept = await this.#store.get(KeptBytes.keyOf(origin))
    return kept === undefined ? null : numberOf(kept)
  }

  /** The write that keeps it. */
  put(origin: string, bytes: number): KeyValueWrite {
    return { type: 'put', key: KeptBytes.keyOf(origin), value: utf8(String(Math.max(0, bytes))) }
  }

  /** Whether a log may have so many bytes more. */
  async hasRoom(origin: string, bytes: number): Promise<boolean> {
    if (this.#reserved.has(origin)) return true
    const own = ((await this.of(origin)) ?? 0) + bytes
    if (own <= this.#limits.share) return true
    let all = bytes
    for await (const [key, value] of this.#store.range({ from: BYTES, to: `${BYTES}~` }))
      if (!this.#reserved.has(key.slice(BYTES.length, -1))) all += numberOf(value)
    return all <= this.#limits.all
  }
}

function numberOf(kept: Uint8Array): number {
  const bytes = Number(fromUtf8(kept))
  return Number.isSafeInteger(bytes) ? bytes : 0
}
