import type { SwarmClient } from '../rpc/index.ts'

export type Heartbeat = {
  /** Percent done, sent with the next beat. */
  readonly progress: (percent: number) => void
  readonly stop: () => void
}

/**
 * Keeps a lease alive while a program runs, with the program's progress. `onLost` is called once when the node says that the
 * lease is gone; any other refusal is left to the next beat, of which two fit into a lease.
 */
export function startHeartbeat(
  client: SwarmClient,
  init: {
    readonly thread: string
    readonly everyMs: number
    /** When the lease ends unless renewed, ms since 1970: one that is taken up late is renewed at once. */
    readonly expiresAt: number
    readonly signal: AbortSignal
    readonly onLost: () => void
  }
): Heartbeat {
  const { thread, everyMs, signal } = init
  let percent = 0
  let timer: NodeJS.Timeout | null = null
  let stopped = signal.aborted
  const stop = (): void => {
    stopped = true
    if (timer !== null) clearTimeout(timer)
  }
  const beat = async (): Promise<void> => {
    try {
      await client.call('agent.heartbeat', { thread, progress: percent }, { signal })
    } catch (error) {
      const code = (error as { code?: unknown } | null)?.code
      if (!stopped && (code === 'NO_LEASE' || code === 'THREAD_ENDED')) {
        stop()
        init.onLost()
      }
    }
    schedule(everyMs)
  }
  const schedule = (delayMs: number): void => {
    if (!stopped) timer = setTimeout(() => void beat(), delayMs)
  }
  signal.addEventListener('abort', stop, { once: true })
  const spareMs = init.expiresAt - Date.now() - 2 * everyMs
  schedule(Math.min(everyMs, Math.max(0, spareMs)))
  return {
    progress: value => {
      percent = Math.max(percent, Math.min(100, Math.max(0, Math.floor(value))))
    },
    stop
  }
}
