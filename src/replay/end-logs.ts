import { AuditLog, type AuditLogInit } from './audit-log.ts'
import type { LogSource } from './audit-source.ts'
import { endlessLogs } from './audit-tail.ts'

export type EndLogsInit = Omit<AuditLogInit, 'source'> & {
  /** The machine that has a thread which is over, read back from the archive; null for one that goes on, or of which nothing is here. */
  readonly over: (thread: string) => Promise<LogSource | null>
  readonly signal: AbortSignal
}

/** Gives the logs of threads that are over what a crash just before kept from them, and their end line. Rejects with what the disk says of the folder. */
export async function endLogs({ over, signal, ...init }: EndLogsInit): Promise<void> {
  for await (const thread of endlessLogs(init.directory)) {
    if (signal.aborted) return
    const source = await over(thread)
    if (source === null) continue
    const log = new AuditLog({ ...init, source })
    log.start([thread])
    // A complete one gets the end of such; of any other nothing more will come.
    if (source.log(thread)?.complete !== true) log.giveUp(thread)
    await log.stop()
  }
}
