// protocols/record/vectors: whole records, and what breaks each rule as a difference to one of them, held against src/replay with the
// reference verifier. They were made with a policy engine of zeros, so policies are not evaluated. Nothing here writes the files.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyReference } from '../../src/core/identity/index.ts'
import { checkRecord, type Report } from '../../src/replay/check-record.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Valid = Pick<Report, 'lines' | 'thread' | 'node' | 'decide' | 'outcome'> & {
  readonly file: string
}
type Invalid = Record<'name' | 'rule' | 'refusal' | 'base', string> & {
  /** Keep so many lines of `base`, then `insert`, then so many of its last lines. */
  readonly keep: number
  readonly insert: readonly string[]
  readonly last: number
  /** Number of the line that is refused. */
  readonly line: number
}

const FOLDER = new URL('../../protocols/record/vectors/', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8')
const { valid, invalid } = JSON.parse(read('expected.json')) as {
  valid: readonly Valid[]
  invalid: readonly Invalid[]
}

function check(path: string): Promise<Report> {
  return checkRecord(path, { verify: verifyReference, policies: false, replay: true })
}

describe('vectors/record', () => {
  const folder = temporaryFolder()
  it('has vectors', () => assert(valid.length >= 2 && invalid.length >= 15))

  for (const { file, ...expected } of valid) {
    it(`replays ${file} to the same end bytes`, async () => {
      const report = await check(new URL(file, FOLDER).pathname)
      assert.deepEqual(report.problems, [])
      assert(report.ok && report.complete && report.finalizeBytesEqual)
      const { lines, thread, node, decide, outcome } = report
      assert.deepEqual({ lines, thread, node, decide, outcome }, expected)
    })
  }

  for (const { name, rule, refusal, base, keep, insert, last, line } of invalid) {
    it(`refuses ${name} with ${refusal} (${rule})`, async () => {
      const lines = read(base).trimEnd().split('\n')
      const damaged = [...lines.slice(0, keep), ...insert, ...lines.slice(lines.length - last)]
      const path = join(folder.path, 'damaged.jsonl')
      writeFileSync(path, `${damaged.join('\n')}\n`)
      const { problems } = await check(path)
      assert.deepEqual(
        problems.map(problem => [problem.code, problem.line]),
        [[refusal, line]]
      )
    })
  }
})
