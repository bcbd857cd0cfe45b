import {
  type CheckedNote,
  checkNote,
  formatNote,
  formatOrigin,
  parseNote,
  type SignedNote
} from '../../core/checkpoint/index.ts'
import type { SyncedLog as Synced } from '../../history/index.ts'
import type { CheckpointSummary, Handlers, SyncedLog } from '../../rpc/index.ts'
import { historySync } from '../history.ts'
import type { NodeParts } from '../node-parts.ts'

/** Checkpoints of ended threads: this node's, those that it witnessed, and a way to what others know. */
export function historyHandlers(
  parts: NodeParts
): Pick<Handlers, 'checkpoint.list' | 'checkpoint.make' | 'history.sync' | 'history.compact'> {
  const { history } = parts
  const own = (): CheckpointSummary => {
    const { note, size } = history.own
    const stopped = history.checkpointer.stopped
    return {
      ...summaryOf(parts, history.origin, note),
      own: true,
      announced: false,
      leaves: size,
      stopped
    }
  }
  const foreign = { own: false, announced: false, stopped: null }
  const list = async (): Promise<CheckpointSummary[]> => {
    const checkpoints = [own()]
    for (const bytes of await history.witnessed.notes()) {
      const note = parseNote(bytes)
      if (!note.ok) continue
      const [origin = ''] = note.value.text.split('\n')
      const summary = summaryOf(parts, origin, note.value)
      checkpoints.push({ ...summary, ...foreign, leaves: summary.size })
    }
    for (const note of history.announcements.notes()) {
      const [origin = ''] = note.text.split('\n')
      const summary = summaryOf(parts, origin, note)
      const known = checkpoints.find(one => one.origin === origin)
      if (known !== undefined && known.size >= summary.size) continue
      checkpoints.push({ ...summary, ...foreign, announced: true, leaves: known?.leaves ?? 0 })
    }
    return checkpoints
  }
  return {
    'checkpoint.list': list,
    'checkpoint.make': async () => {
      await history.checkpointer.run()
      return own()
    },
    'history.sync': async ({ from, full, all, anew }, { progress }) => {
      const result = await historySync(parts).run({
        ...(from === undefined ? {} : { origin: formatOrigin(parts.config.network.name, from) }),
        ...(full === undefined ? {} : { full }),
        ...(all === undefined ? {} : { all }),
        ...(anew === undefined ? {} : { anew }),
        progress: (done, size) => progress({ done, size })
      })
      const logs = result.logs.map(copied)
      return { ...copied(result), logs, failed: result.failed.map(log => ({ ...log })) }
    },
    'history.compact': async ({ dryRun }) => {
      const { files, ...moved } = await parts.compactor.run({ dryRun: dryRun === true })
      return { ...moved, files: [...files] }
    }
  }
}

function summaryOf(
  { verify, config }: NodeParts,
  origin: string,
  note: SignedNote | null
): Omit<CheckpointSummary, 'own' | 'announced' | 'leaves' | 'stopped'> {
  const checked = note === null ? null : checkNote(note, verify)
  if (note === null || checked === null || !checked.ok)
    return { origin, size: 0, root: null, witnesses: [], stable: false, base64: null }
  const witnesses = witnessesOf(checked.value)
  return {
    origin,
    size: Number(checked.value.checkpoint.size),
    root: Buffer.from(checked.value.checkpoint.root).toString('hex'),
    witnesses,
    stable: witnesses.length >= config.history.quorum,
    base64: Buffer.from(formatNote(note)).toString('base64')
  }
}

function copied({ origin, size, from, loaded, witnesses, trust }: Synced): SyncedLog {
  return { origin, size, from, loaded, witnesses: [...witnesses], trust }
}

function witnessesOf({ witnesses }: CheckedNote): { did: string; seconds: number }[] {
  return [...witnesses].map(([did, seconds]) => ({ did, seconds }))
}
