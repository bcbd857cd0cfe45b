import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runSeeds } from '../../src/simulator/index.ts'
import type { Bench } from './bench.ts'

const SEEDS = 200

/** Bench `simulator`: how much virtual life the simulator checks in a minute, on all cores. */
export const simulatorBench: Bench = {
  name: 'simulator',
  about: 'seeds a minute, and virtual time to real time',
  run: async report => {
    const traceDir = join(tmpdir(), 'can-swarm-simulator-traces')
    await runSeeds({ seeds: 20, from: 0, traceDir })
    const { seeds, simulatedMs, realMs, failures } = await runSeeds({
      seeds: SEEDS,
      from: 0,
      traceDir
    })
    const note = `${SEEDS} seeds with all faults, ${failures.length} failed`
    report({
      metric: 'seeds_per_minute',
      value: Math.round((seeds * 60_000) / realMs),
      unit: '1/min',
      n: SEEDS,
      note
    })
    report({
      metric: 'simulated_to_real_time',
      value: Math.round(simulatedMs / realMs),
      unit: 'ratio',
      n: SEEDS,
      note
    })
  }
}
