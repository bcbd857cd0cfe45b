// Goal: a change of the source does not leave a deliberate bug of the simulator behind. Method: each is put into the source as it stands, without running it:
// in milliseconds, and so before a change lands.
import assert from 'node:assert/strict'
import { mutate } from '../simulator/mutant-run.ts'
import { MUTANTS } from '../simulator/mutants.ts'

describe('tidy: deliberate bugs', () => {
  it('have the text that they replace once in the source', async () => {
    for (const mutant of MUTANTS) assert.ok((await mutate(mutant)).size > 0)
  })

  it('have the text that they replace once in the source: and one that has not is found', async () => {
    for (const find of ['a text that stands nowhere', 'const'])
      await assert.rejects(
        mutate({ ...(MUTANTS[0] as (typeof MUTANTS)[number]), find }),
        /times? in/u
      )
  })
})
