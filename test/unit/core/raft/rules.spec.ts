/**
 * Goal: document, code and tests name the same rules, and each sentence of the paper in the document has its test. Method: read all of them.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../../../../', import.meta.url)
const document = readFileSync(new URL('protocols/raft/README.md', root), 'utf8')

function found(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(match => match[1] as string))].sort()
}

function sources(folder: string, name: RegExp): string {
  const room = new URL(folder, root)
  const files = readdirSync(room).filter(file => name.test(file))
  return files.map(file => readFileSync(new URL(file, room), 'utf8')).join('\n')
}

const stated = found(document, /^- \*\*(RAFT-\d+)\*\*/gm)

describe('protocols/raft', () => {
  it('states the rules that the code names, and no others', () => {
    assert.equal(stated.length, 34)
    assert.deepEqual(found(sources('src/core/raft/', /\.ts$/), /\[(RAFT-\d+)\]/g), stated)
  })

  it('names a test that exists, and rules that exist, for each sentence of the paper', () => {
    const tests =
      sources('test/unit/core/raft/', /^(?!rules).*\.spec\.ts$/) +
      sources('test/property/', /^raft.*\.spec\.ts$/)
    const rows = [...document.matchAll(/^\| (?:Fig\. |\d)[^|]*\|[^|]+\|([^|]+)\| `([^`]+)` \|$/gm)]
    assert.ok(rows.length >= 55, `${rows.length} sentences`)
    for (const [, rules = '', title = ''] of rows) {
      assert.ok(
        [`it('${title}`, `it(\`${title}`].some(opening => tests.includes(opening)),
        `there is no test "${title}"`
      )
      for (const rule of rules.split(','))
        assert.ok(stated.includes(rule.trim()), `${rule} in "${title}"`)
    }
  })
})
