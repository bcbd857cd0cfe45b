import { toHex, unreachable } from '../base/index.ts'
import { parseEnvelope } from '../envelope/index.ts'
import type { LogEntry } from '../raft/index.ts'
import { bury } from './ending.ts'
import { restoreEvidence } from './evidence-keep.ts'
import { applyEntries, startMember } from './following.ts'
import { driveFormation, restoreFormation } from './formation.ts'
import { file } from './intake.ts'
import { overwrite } from './journal-image.ts'
import { lockKey, promiseKey } from './promises.ts'
import { restoreSealing } from './sealing.ts'
import type { Thread } from './thread.ts'
import type { JournalRecord } from './types.ts'
import type { World } from './world.ts'

/** Puts back one record from disk. The effects that it leads to happened before the restart: the caller drops them. */
export function restoreRecord(world: World, record: JournalRecord): void {
  const { context } = world
  if (record.type !== 'envelope') context.image.note(record)
  switch (record.type) {
    case 'envelope': {
      const parsed = parseEnvelope(record.bytes)
      if (parsed.ok) file(world, parsed.value, record.atMs, false)
      return
    }
    case 'join':
      context.joins.set(promiseKey(record.slot, record.epoch), {
        thread: record.thread,
        roster: toHex(record.rosterHash)
      })
      return
    case 'lock':
      context.locks.set(lockKey(record.slot, record.epoch, record.stage), {
        digest: toHex(record.digest),
        proposal: record.proposal
      })
      return
    case 'sealed':
      context.seals.set(promiseKey(record.slot, record.epoch), record)
      return
    case 'sealing':
      return world.withThread(record.thread, thread =>
        restoreSealing(thread, record.epoch, record.absent ?? [])
      )
    case 'chosen':
      return world.withThread(record.thread, thread => {
        context.chosen.set(promiseKey(thread.scopedSlot(), record.epoch), thread.id)
        restoreFormation(context, thread, record)
      })
    case 'hard-state':
      restoring(world, record.group).hardState = record.state
      return
    case 'entries':
      return restoreEntries(world, record.group, record.entries)
    case 'learned':
      return world.withThread(record.thread, thread => {
        if (thread.group?.id === record.group) applyEntries(world, thread, record.entries)
      })
    case 'verdict':
      return world.withThread(record.thread, thread => {
        thread.ownVerdicts.set(record.commit, {
          pass: record.pass,
          evaluation: record.evaluation,
          reasons: record.reasons,
          triedAt: 0,
          triedIn: null
        })
      })
    case 'evidence':
      return restoreEvidence(context, record.bytes)
    case 'abandoned':
      return world.withThread(record.thread, thread => {
        thread.abandoned = record.reason
        thread.changed(record.nowMs)
      })
    case 'tombstone': {
      const { type: _, ...tombstone } = record
      return bury(world, tombstone)
    }
    case 'clock':
      return context.witness(record.lamport, context.did)
    case 'warned':
      return world.withThread(record.thread, thread => {
        thread.warnings.splice(0, thread.warnings.length, ...record.warnings)
      })
    default:
      unreachable(record)
  }
}

/** Goes on with a thread where the disk left off. */
export function resume(world: World, thread: Thread): void {
  const { group } = thread
  if (group !== null) {
    group.since = world.context.nowMs
    group.progressAt = world.context.nowMs
    applyEntries(world, thread, settledEntries(world, thread, group.id))
    startMember(world, thread)
  }
  driveFormation(world.context, thread)
}

/**
 * Entries of a thread that has ended, whose group does not begin again. Up to a certified outcome all of them are settled, whatever
 * commit index was on disk.
 */
function settledEntries(world: World, thread: Thread, group: string): readonly LogEntry[] {
  const restored = world.restored.get(group)
  if (restored === undefined || !thread.isEnded()) return []
  if (thread.end !== null) return restored.entries
  return restored.entries.filter(entry => entry.index <= restored.hardState.commit)
}

function restoring(world: World, group: string): NonNullable<ReturnType<World['restored']['get']>> {
  const known = world.restored.get(group)
  if (known !== undefined) return known
  const fresh = { hardState: { term: 0, vote: null, commit: 0 }, entries: [] }
  world.restored.set(group, fresh)
  return fresh
}

function restoreEntries(world: World, group: string, entries: readonly LogEntry[]): void {
  const restored = restoring(world, group)
  overwrite(restored.entries, entries)
}
