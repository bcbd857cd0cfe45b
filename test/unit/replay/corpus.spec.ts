/**
 * Goal: what came of a thread stays what came of it, whatever the release, time zone, language or user. Method: recorded threads of every
 * kind of end, with their policies inside, are replayed and give the reports that stand beside them; in other processes, the same bytes.
 */
import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGunzip, gunzipSync } from 'node:zlib'
import { useNodeSha256 } from '../../../src/adapters/sha256/index.ts'
import { checkRecord } from '../../../src/replay/check-record.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const FOLDER = new URL('../../corpus/', import.meta.url)
const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const names = readdirSync(FOLDER).flatMap(file => /^(.+)\.jsonl\.gz$/u.exec(file)?.[1] ?? [])
const KINDS = ['final', 'invalid', 'expired', 'solo', 'two-epochs', 'dispute']

/** Places where a program may think otherwise of numbers, dates, letters and files. */
const PLACES: readonly Readonly<Record<string, string>>[] = [
  { TZ: 'UTC', LANG: 'C', LC_ALL: 'C' },
  { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'ar_EG.UTF-8', HOME: '/nonexistent' }
]

describe('replay: the corpus', () => {
  const folder = temporaryFolder()
  before(() => useNodeSha256())

  it('has threads of every kind of end', () => {
    for (const kind of KINDS)
      assert(
        names.some(name => name.startsWith(kind)),
        kind
      )
  })

  for (const name of names) {
    it(`gives ${name} again`, async () => {
      const source = createReadStream(new URL(`${name}.jsonl.gz`, FOLDER)).pipe(createGunzip())
      const { path: _, ...report } = await checkRecord(source, { policies: true, replay: true })
      const expected: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'))
      assert.deepEqual(report, expected)
    })
  }

  it('gives the same bytes in any time zone and language', async function () {
    this.timeout(120_000)
    const record = join(folder.path, 'record.jsonl')
    const name = names.find(one => one.startsWith('two-epochs')) as string
    await writeFile(record, gunzipSync(readFileSync(new URL(`${name}.jsonl.gz`, FOLDER))))
    const said = await Promise.all(
      PLACES.map(async place => {
        const env = { PATH: process.env['PATH'], ...place }
        const args = [MAIN, 'audit', 'replay', record, '--json']
        return (await promisify(execFile)(process.execPath, args, { env })).stdout
      })
    )
    assert.match(said[0] as string, /"finalizeBytesEqual": ?true/u)
    assert.equal(said[1], said[0])
  })
})
