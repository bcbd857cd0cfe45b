import type { ThreadView } from '../core/swarm/index.ts'

/** What `testnet demo --json` prints as its last line. */
export type DemoReport = {
  readonly schema: string
  readonly ok: boolean
  readonly phase: string
  readonly reason: string
  readonly thread: string
  readonly needCid: string
  readonly decide: null | {
    readonly proposal: string
    readonly epoch: number
    readonly term: number
    readonly index: number
    readonly signers: readonly string[]
  }
  readonly finalizeCid: string | null
  readonly outputs: readonly string[]
  readonly record: string | null
  /** File with the output artifact, byte for byte; null when there is none. */
  readonly resultPath: string | null
  readonly replay: ReplayVerdict
  readonly nodes: number
  readonly problems: readonly string[]
  readonly timings: Timings
}

export type ReplayVerdict = {
  readonly ok: boolean
  readonly events: number
  readonly finalizeBytesEqual: boolean
}

/** ms. From the NEED on, by the requester's clock; null for what did not happen. */
export type Timings = {
  /** From nothing to all nodes answering. */
  readonly startMs: number
  /** From there until every node saw every other. */
  readonly connectMs: number
  readonly formMs: number | null
  readonly decideMs: number | null
  readonly claimMs: number | null
  readonly commitMs: number | null
  readonly finalizeMs: number | null
  /** Windows of the NEED that every run waits for: bids, seals, challenges. */
  readonly windowsMs: number
  /** NEED to FINALIZE without them. */
  readonly overheadMs: number | null
  readonly totalMs: number
}

/** Times between the verbs of a thread. */
export function threadTimings(
  view: ThreadView
): Omit<Timings, 'startMs' | 'connectMs' | 'totalMs'> {
  const start = view.envelopes.find(({ verb }) => verb === 'NEED')?.seenAt ?? 0
  const since = (...verbs: string[]): number | null => {
    const seen = view.envelopes.find(({ verb }) => verbs.includes(verb))
    return seen === undefined ? null : seen.seenAt - start
  }
  const { bidMs, sealMs, challengeMs } = view.windows
  const windowsMs = bidMs + sealMs + challengeMs
  const finalizeMs = since('FINALIZE', 'INVALIDATE')
  return {
    formMs: since('FORM'),
    decideMs: since('DECIDE'),
    claimMs: since('CLAIM'),
    commitMs: since('COMMIT'),
    finalizeMs,
    windowsMs,
    overheadMs: finalizeMs === null ? null : finalizeMs - windowsMs
  }
}

/** The part of the report that the thread itself tells. */
export function threadReport(
  view: ThreadView
): Pick<
  DemoReport,
  'phase' | 'reason' | 'thread' | 'needCid' | 'decide' | 'finalizeCid' | 'outputs'
> {
  const { thread, phase, reason, decide } = view
  return {
    phase,
    reason,
    thread,
    needCid: thread,
    decide: decide && {
      proposal: decide.proposal,
      epoch: decide.epoch,
      term: decide.term,
      index: decide.index,
      signers: decide.signers
    },
    finalizeCid: view.finalize?.id ?? null,
    outputs: view.commit?.outputs ?? []
  }
}
