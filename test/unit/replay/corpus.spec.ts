/**
 * Goal: what came of a thread stays what came of it, whatever the release, time zone, language or user. Method: recorded threads of every
 * kind of end, with their policies inside, are replayed and give the reports that stand beside them; in other processes, the same bytes.
 */
import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { chmod, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGunzip, gunzipSync } from 'node:zlib'
import { useNodeSha256 } from '../../../src/adapters/sha256/index.ts'
import { checkRecord } from '../../../src/replay/check-record.ts'
import { bundled, otherNode } from '../../support/other-node.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const FOLDER = new URL('../../corpus/', import.meta.url)
const SCRIPT = fileURLToPath(new URL('../../support/replay-files.ts', import.meta.url))
const names = readdirSync(FOLDER).flatMap(file => /^(.+)\.jsonl\.gz$/u.exec(file)?.[1] ?? [])
const KINDS = ['final', 'invalid', 'expired', 'solo', 'two-epochs', 'dispute', 'plan']

/** Places where a program may think otherwise of numbers, dates, letters and files. */
const PLACES: readonly Readonly<Record<string, string>>[] = [
  { TZ: 'UTC', LANG: 'C', LC_ALL: 'C' },
  { TZ: 'Pacific/Apia', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
  { TZ: 'Asia/Kathmandu', LANG: 'ar_EG.UTF-8', LC_ALL: 'ar_EG.UTF-8', HOME: '/nonexistent' }
]
/** Somebody who may do nothing: nobody. */
const NOBODY = 65_534

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

  /** The corpus as files that anybody may read. */
  async function unpacked(): Promise<string[]> {
    await chmod(folder.path, 0o755)
    return Promise.all(
      names.map(async name => {
        const path = join(folder.path, `${name}.jsonl`)
        await writeFile(path, gunzipSync(readFileSync(new URL(`${name}.jsonl.gz`, FOLDER))))
        return path
      })
    )
  }

  /** What another process says of these records. */
  async function replayed(
    files: readonly string[],
    {
      node = process.execPath,
      script = SCRIPT,
      place = {},
      uid
    }: {
      node?: string
      script?: string
      place?: Readonly<Record<string, string>>
      uid?: number
    } = {}
  ): Promise<string> {
    const env = { PATH: process.env['PATH'], ...place }
    const who = uid === undefined ? {} : { uid, gid: uid }
    const options = { env, cwd: folder.path, maxBuffer: 2 ** 26, ...who }
    return (await promisify(execFile)(node, [script, ...files], options)).stdout
  }

  it('gives the same bytes in any time zone and language', async function () {
    this.timeout(120_000)
    const files = await unpacked()
    const said = await Promise.all(PLACES.map(place => replayed(files, { place })))
    assert.equal(said[0]?.match(/"finalizeBytesEqual": ?true/gu)?.length, names.length)
    for (const other of said) assert.equal(other, said[0])
  })

  it('gives the same bytes whoever runs it', async function () {
    this.timeout(120_000)
    // Only root may become somebody else, who must be able to read this program.
    if (process.getuid?.() !== 0 || !(await isOpenToAll(SCRIPT))) return this.skip()
    const files = await unpacked()
    assert.equal(await replayed(files, { uid: NOBODY }), await replayed(files))
  })

  it('gives the same bytes on another Node of this machine', async function () {
    this.timeout(120_000)
    const other = otherNode()
    if (other === null) return this.skip()
    const script = await bundled('replay-files.ts', folder.path)
    const files = await unpacked()
    const said = await replayed(files, { node: other.path, script })
    assert.equal(said, await replayed(files), other.version)
  })
})

/** Whether everybody may come to a file: each folder above it lets them pass. */
async function isOpenToAll(path: string): Promise<boolean> {
  for (let at = dirname(path); at !== dirname(at); at = dirname(at))
    if (((await stat(at)).mode & 0o001) === 0) return false
  return true
}
