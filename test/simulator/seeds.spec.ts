/**
 * Goal: the core keeps its rules in worlds full of faults, and a seed says everything about its run. Method: some seeds of every kind; CI
 * runs two thousand by `can-swarm simulate`.
 */
import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FAULT_NAMES, FAULTS, runSeeds, simulate } from '../../src/simulator/index.ts'

const SEEDS = 24
/** Seeds in which long runs found something, in the program or in a checker (docs/benchmarks.md). */
const REPORTED = [
  7_966, 10_948, 11_857, 13_298, 14_036, 16_008, 19_020, 32_027, 36_593, 41_777, 42_386, 52_026
]

describe('simulator: seeds', function () {
  this.timeout(300_000)

  it(`breaks no rule in ${SEEDS} seeds`, async () => {
    const traceDir = join(tmpdir(), 'can-swarm-simulator-traces')
    const report = await runSeeds({ seeds: SEEDS, from: 0, traceDir })
    const failed = report.failures.map(({ command, violations }) => ({ command, violations }))
    assert.deepEqual(failed, [])
    assert.equal(report.seeds, SEEDS)
    assert((report.ends['FINAL'] ?? 0) > SEEDS / 4, `few end FINAL: ${JSON.stringify(report.ends)}`)
  })

  for (const seed of REPORTED)
    it(`breaks no rule in seed ${seed}, which was reported once`, async () => {
      assert.deepEqual((await simulate({ seed })).violations, [])
    })

  it('does the same again for the same seed, to the byte', async () => {
    const [one, other] = [await simulate({ seed: 7 }), await simulate({ seed: 7 }, { lines: true })]
    assert.equal(one.trace, other.trace)
    assert(one.events > 1_000, 'something happened')
    assert.notEqual(one.trace, (await simulate({ seed: 8 })).trace)
  })

  it('has only the faults that are asked for', async () => {
    const calm = await simulate({ seed: 3, faults: [] })
    assert.deepEqual([calm.plan.faults, calm.plan.disturbances, calm.plan.liars], [[], [], []])
    for (const fault of FAULT_NAMES) {
      const { plan, violations } = await simulate({ seed: 5, faults: [fault] })
      assert.deepEqual(violations, [], fault)
      assert(plan.faults.every(name => name === fault))
    }
  })

  it('has a page that says what each fault is', () => {
    const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8')
    for (const [name, what] of Object.entries(FAULTS))
      assert(page.includes(`| \`${name}\` | ${what} |`), name)
  })

  it('signs with Ed25519 and encodes everything where it is to be thorough', async () => {
    const { plan, violations } = await simulate({ seed: 49 })
    assert.deepEqual([plan.signatures, plan.encoded, violations], ['ed25519', true, []])
  })
})
