import { fromHex } from '../base/index.ts'
import { idFromDigest, idOf } from '../codec/index.ts'
import { parseEnvelope } from '../envelope/index.ts'
import type { LogEntry } from '../raft/index.ts'
import { sealsOf } from '../roster/index.ts'
import type { Form } from './statements.ts'
import { missingEntries, missingEnvelopes } from './sync.ts'
import type { ArchivedThread, JournalRecord, PeerMessage, Pull } from './types.ts'

/**
 * What a peer is sent that pulls an archived thread: the same as if it were in memory, taken from its records without a machine that
 * would fold them again. Records are taken one at a time, so that whoever reads a large thread can pause in between.
 */
export class ArchivedAnswer {
  readonly #pull: Pull
  readonly #envelopes = new Map<string, Uint8Array>()
  readonly #entries: LogEntry[] = []
  #group: string | null = null

  constructor(pull: Pull) {
    this.#pull = pull
  }

  /** One record of the thread, in order. */
  take(record: JournalRecord): void {
    if (record.type === 'envelope') this.#envelopes.set(idOf(record.bytes), record.bytes)
    if (record.type !== 'learned') return
    this.#group = record.group
    for (const entry of record.entries) this.#entries.push(entry)
  }

  /** All messages, once all records are taken. */
  messages(): readonly PeerMessage[] {
    const { thread, have } = this.#pull
    const need = this.#envelopes.get(thread)
    if (need === undefined) return []
    const held = new Set(have)
    const first = [[thread, need] as const, ...this.#forms()]
    const shown = new Set(first.map(([id]) => id))
    const rest = [...this.#envelopes].filter(([id]) => !shown.has(id) && !held.has(id))
    return [
      ...first.flatMap(([id, bytes]): PeerMessage[] =>
        held.has(id) ? [] : [{ type: 'envelopes', items: [bytes] }]
      ),
      ...missingEnvelopes(rest.map(([, bytes]) => bytes)),
      ...this.#log()
    ]
  }

  /** The FORMs of the group and of the epochs before, oldest first: each is checked against those before it. */
  #forms(): (readonly [string, Uint8Array])[] {
    const forms: (readonly [string, Uint8Array])[] = []
    let id = this.#group === null ? null : idFromDigest(fromHex(this.#group))
    while (id !== null) {
      const bytes = this.#envelopes.get(id)
      const parsed = bytes === undefined ? null : parseEnvelope(bytes)
      if (bytes === undefined || parsed?.ok !== true || parsed.value.envelope.verb !== 'FORM') break
      forms.unshift([id, bytes])
      id = sealsOf(parsed.value as Form)[0]?.form?.toString() ?? null
    }
    return forms
  }

  #log(): PeerMessage[] {
    const { thread, group, entries } = this.#pull
    if (this.#group === null) return []
    // How far another group's log goes says nothing about this one's.
    const known = group === this.#group ? entries : 0
    return missingEntries({ group: this.#group, thread }, this.#entries.slice(known))
  }
}

/** The whole answer at once. */
export function answerFromArchive(archived: ArchivedThread, pull: Pull): readonly PeerMessage[] {
  const answer = new ArchivedAnswer(pull)
  for (const record of archived.records) answer.take(record)
  return answer.messages()
}
