import { assert } from '../base/index.ts'
import { Swarm } from './swarm.ts'
import type { ArchivedThread, JournalRecord } from './types.ts'

/**
 * An archived thread as a machine of its own that is only read: view, record, envelopes and plan changes are what they were. The archive
 * is this node's own disk and what is in it was checked when it came, so no signature is looked at again. Records are taken one at a time,
 * so that whoever reads a large thread can pause in between.
 */
export class Revival {
  readonly #swarm: Swarm

  constructor(did: string) {
    this.#swarm = new Swarm({ did, sign: notSigned, verify: () => true, random: () => 0 })
  }

  /** One record of the thread, in order. */
  take(record: JournalRecord): void {
    this.#swarm.restore(record)
  }

  /** The machine, once all records are taken. */
  finish(): Swarm {
    this.#swarm.start(0)
    return this.#swarm
  }
}

/** The whole thread at once. */
export function reviveThread(archived: ArchivedThread, did: string): Swarm {
  const revival = new Revival(did)
  for (const record of archived.records) revival.take(record)
  return revival.finish()
}

function notSigned(): never {
  assert(false, 'an archived thread says nothing new')
}
