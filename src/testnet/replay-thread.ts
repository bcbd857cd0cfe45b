import { join } from 'node:path'
import type { ThreadView } from '../core/swarm/index.ts'
import { replayRecord } from '../replay/index.ts'
import type { ReplayVerdict } from './demo-report.ts'
import type { NodeProcess } from './node-process.ts'

/** A record beside the homes of a testnet, and what replaying it said. */
export type Replayed = {
  /** Path of the record; null when there was none to write. */
  readonly record: string | null
  readonly replay: ReplayVerdict
  /** Sentences for people; empty when the replay gives the same bytes. */
  readonly problems: readonly string[]
}

/** Has a node write the record of a thread into a folder, and replays it in this process. */
export async function replayThread(
  node: NodeProcess,
  view: ThreadView,
  init: { readonly dir: string; readonly signal: AbortSignal }
): Promise<Replayed> {
  const { thread } = view
  const nothing = { ok: false, events: 0, finalizeBytesEqual: false }
  if (view.finalize === null)
    return { record: null, replay: nothing, problems: ['there is no FINALIZE to replay'] }
  const path = join(init.dir, `${thread}.jsonl`)
  await node.client.call('thread.record', { thread, path }, { signal: init.signal })
  const { ok, events, finalizeBytesEqual, problems } = await replayRecord(path)
  return {
    record: path,
    replay: { ok, events, finalizeBytesEqual },
    problems: problems.map(problem => `replay, line ${problem.line}: ${problem.message}`)
  }
}
