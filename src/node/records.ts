import { join } from 'node:path'
import { AuditLog, writeNewRecord, writeRecord } from '../replay/index.ts'
import type { NodeParts } from './node-parts.ts'

/** Writes a thread's record to a new file; without a path to the home's records folder, where it replaces an earlier one. */
export async function exportRecord(
  parts: NodeParts,
  thread: string,
  path?: string
): Promise<{ path: string; lines: number; complete: boolean }> {
  const record = await parts.threads.record(thread)
  const target = path ?? join(parts.config.home.dir, 'records', `${thread}.jsonl`)
  const write = path === undefined ? writeRecord : writeNewRecord
  const { baseCapsule: base, engine } = parts.policy
  const lines = await write(target, { thread, base, engine, ...record }, parts.signer)
  return { path: target, lines, complete: record.complete }
}

/** Keeps the audit folder: the log of each thread, as things happen. Returns how to stop. */
export function keepRecords(parts: NodeParts): () => Promise<void> {
  const { config, policy, signer, swarm, logger, driver } = parts
  const log = new AuditLog({
    directory: join(config.home.dir, 'audit'),
    source: swarm,
    signer,
    logger,
    base: policy.baseCapsule,
    engine: policy.engine
  })
  log.start(swarm.threadIds())
  const leave = driver.onEvent(event => log.onEvent(event))
  return async () => {
    leave()
    await log.stop()
  }
}
