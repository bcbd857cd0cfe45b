import type { FlagsFor } from './flag.ts'

/** The driver of the core. */
export type RuntimeConfig = { readonly tickMs: number }

/** 50 ms: short against the shortest window people set (1 s), long against the cost of a tick (microseconds). */
export const runtimeDefaults: RuntimeConfig = { tickMs: 50 }

export const runtimeFlags: FlagsFor<'runtime', RuntimeConfig> = {
  'runtime.tickMs': {
    type: 'number',
    unit: 'ms',
    min: 5,
    max: 1000,
    help: 'Time between two ticks of the core while a thread is open.'
  }
}
