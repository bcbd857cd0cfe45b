import { toHex } from '../../core/base/index.ts'
import type { LogEntry } from '../../core/raft/index.ts'
import type { JournalRecord } from '../../core/swarm/index.ts'

/** One group's Raft state as a disk has it. */
export type GroupImage = { term: number; vote: string | null; commit: number; log: LogEntry[] }

/** What the records of a journal say, worked out without the machine. */
export class DiskImage {
  readonly groups = new Map<string, GroupImage>()
  /** Slot and epoch -> roster hash in hex. */
  readonly joins = new Map<string, string>()
  /** Slot, epoch and stage -> digest in hex. */
  readonly locks = new Map<string, string>()
  /** Thread and epoch -> roster that its requester chose. */
  readonly chosen = new Map<string, string>()
  /** Slot and epoch -> what the seal shows. */
  readonly seals = new Map<string, string>()
  /** COMMITs that this node has judged. */
  readonly verdicts = new Set<string>()
  readonly envelopes = new Set<Uint8Array>()

  constructor(records: readonly JournalRecord[] = []) {
    for (const record of records) this.apply(record)
  }

  apply(record: JournalRecord): void {
    switch (record.type) {
      case 'envelope':
        this.envelopes.add(record.bytes)
        return
      case 'join':
        this.joins.set(`${record.slot}/${record.epoch}`, toHex(record.rosterHash))
        return
      case 'lock':
        this.locks.set(`${record.slot}/${record.epoch}/${record.stage}`, toHex(record.digest))
        return
      case 'chosen':
        this.chosen.set(`${record.thread}/${record.epoch}`, record.roster.join())
        return
      case 'sealed':
        this.seals.set(`${record.slot}/${record.epoch}`, shownBy(record))
        return
      case 'verdict':
        this.verdicts.add(record.commit)
        return
      case 'hard-state':
        Object.assign(this.group(record.group), record.state)
        return
      case 'entries': {
        const { log } = this.group(record.group)
        const first = record.entries[0]
        if (first !== undefined) log.length = Math.min(log.length, first.index - 1)
        log.push(...record.entries)
      }
    }
  }

  group(id: string): GroupImage {
    const known = this.groups.get(id)
    if (known !== undefined) return known
    const fresh = { term: 0, vote: null, commit: 0, log: [] }
    this.groups.set(id, fresh)
    return fresh
  }
}

/** What a seal says of the decision that its member had locked. */
export function shownBy(seal: {
  readonly roster: Uint8Array
  readonly digest: Uint8Array | null
}): string {
  return `${toHex(seal.roster)} ${seal.digest === null ? 'nothing' : toHex(seal.digest)}`
}
