/**
 * `npm run -s bench` lists the benches; `npm run -s bench -- NAME...` runs some and prints one JSON object per measure. Numbers
 * depend on the machine: compare runs of the same one, with nothing else running. Uses the built program: `npm run build` first. With `--full`
 * `policy` asks a million questions.
 */
import type { Bench } from './bench.ts'
import { decideBench } from './decide.ts'
import { memoryBench } from './live-groups.ts'
import { nodeBench } from './node.ts'
import { planBench } from './plan.ts'
import { policyBench } from './policy.ts'
import { benchRaft } from './raft.ts'
import { replayBench } from './replay.ts'
import { simulatorBench } from './simulator.ts'

const raftBench: Bench = {
  name: 'raft',
  about: 'proposals a second through the state machine alone',
  run: async report => {
    for (const { bench: _, ...measure } of benchRaft()) report(measure)
  }
}
const benches: readonly Bench[] = [
  nodeBench,
  raftBench,
  decideBench,
  memoryBench,
  simulatorBench,
  policyBench,
  replayBench,
  planBench
]

const names = process.argv.slice(2).filter(word => word !== '--full')
const unknown = names.filter(name => !benches.some(bench => bench.name === name))
if (unknown.length > 0) {
  console.error(
    `no bench ${unknown.join(', ')}: there are ${benches.map(({ name }) => name).join(', ')}`
  )
  process.exitCode = 2
} else if (names.length === 0) {
  for (const { name, about } of benches) console.log(`${name.padEnd(10)}  ${about}`)
} else {
  for (const name of names) {
    const bench = benches.find(one => one.name === name)
    await bench?.run(measure => console.log(JSON.stringify({ bench: name, ...measure })))
  }
}
