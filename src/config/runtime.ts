import { SENDER_ENVELOPES_PER_SECOND } from '../core/base/index.ts'
import type { FlagsFor } from './flag.ts'

/** The driver of the core. */
export type RuntimeConfig = {
  readonly tickMs: number
  readonly senderPerSecond: number
}

/**
 * 50 ms: short against the shortest window people set (1 s), long against the cost of a tick (microseconds).
 * What one sender may say is the protocol's limit: a private network whose members trust each other may want more.
 */
export const runtimeDefaults: RuntimeConfig = {
  tickMs: 50,
  senderPerSecond: SENDER_ENVELOPES_PER_SECOND
}

export const runtimeFlags: FlagsFor<'runtime', RuntimeConfig> = {
  'runtime.tickMs': {
    type: 'number',
    unit: 'ms',
    min: 5,
    max: 1000,
    help: 'Time between two ticks of the core while a thread is open.'
  },
  'runtime.senderPerSecond': {
    type: 'number',
    unit: 'envelopes',
    min: 1,
    max: 100_000,
    help: 'Envelopes that one sender may have accepted per second, and eight times as many at once.'
  }
}
