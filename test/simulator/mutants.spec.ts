/**
 * Goal: the simulator finds the bugs that it is there for. Method: each deliberate bug is planted in the source, and the named checker
 * has to speak up within the stated number of seeds. A checker that no bug sets off is not trusted.
 */
import { strict as assert } from 'node:assert'
import { availableParallelism } from 'node:os'
import { MOST_VOTES_ARE_LOST } from './liveness-mutants.ts'
import { type Caught, runMutant } from './mutant-run.ts'
import { MUTANTS } from './mutants.ts'
import { ONE_BY_ONE } from './raft-mutants.ts'

describe('simulator: mutants', function () {
  this.timeout(600_000)
  const caught = new Map<string, Caught | Error>()

  before(async () => {
    const waiting = [...MUTANTS]
    const work = async (): Promise<void> => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift())
        caught.set(mutant.name, await runMutant(mutant).catch((error: Error) => error))
    }
    await Promise.all(Array.from({ length: availableParallelism() }, work))
  })

  it('finds nothing where only a setting differs', async () => {
    for (const setting of [ONE_BY_ONE, MOST_VOTES_ARE_LOST])
      assert.equal(await runMutant({ ...setting, name: 'no bug', rules: [], seedsMax: 12 }), null)
  })

  for (const { name, rules, seedsMax } of MUTANTS)
    it(`finds that ${name}`, () => {
      const found = caught.get(name)
      if (found instanceof Error) throw found
      assert(found != null, `nothing was found in ${seedsMax} seeds`)
      const broken = found.violations.map(({ rule }) => rule)
      assert(
        broken.some(rule => rules.includes(rule)),
        `found by ${broken.join(', ')}, not by ${rules.join(', ')}: ${found.violations[0]?.message}`
      )
    })
})
