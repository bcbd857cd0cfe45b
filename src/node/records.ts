import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { writeNewRecord, writeRecord } from '../replay/index.ts'
import type { NodeParts } from './node-parts.ts'

/** Writes a thread's record to a new file; without a path to the home's audit folder, where it replaces an earlier one. */
export async function exportRecord(
  parts: NodeParts,
  thread: string,
  path?: string
): Promise<{ path: string; lines: number; complete: boolean }> {
  const record = await parts.threads.record(thread)
  const target = path ?? recordPath(parts, thread)
  const write = path === undefined ? writeRecord : writeNewRecord
  const { baseCapsule: base, engine } = parts.policy
  const lines = await write(target, { thread, base, engine, ...record }, parts.signer)
  return { path: target, lines, complete: record.complete }
}

/** Keeps the audit folder complete: a record for each thread as it ends, and at start for those that ended without one. */
export function keepRecords(parts: NodeParts): () => void {
  const write = (thread: string): void => {
    exportRecord(parts, thread).catch((error: unknown) =>
      parts.logger.error('a record could not be written', { thread, error: String(error) })
    )
  }
  for (const thread of parts.swarm.threadIds()) {
    if (parts.swarm.record(thread)?.complete === true)
      access(recordPath(parts, thread)).catch(() => write(thread))
  }
  return parts.driver.onEvent(event => {
    if (event.type === 'ended') write(event.thread)
  })
}

function recordPath(parts: NodeParts, thread: string): string {
  return join(parts.config.home.dir, 'audit', `${thread}.jsonl`)
}
