/**
 * Goal: document and code name the same rules. Method: read both.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../../../../', import.meta.url)
const rulesIn = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map(match => match[1] as string))].sort()

describe('protocols/raft', () => {
  it('states the rules that the code names, and no others', () => {
    const room = new URL('src/core/raft/', root)
    const sources = readdirSync(room).map(file => readFileSync(new URL(file, room), 'utf8'))
    const stated = rulesIn(
      readFileSync(new URL('protocols/raft/README.md', root), 'utf8'),
      /^- \*\*(RAFT-\d+)\*\*/gm
    )
    assert.equal(stated.length, 34)
    assert.deepEqual(rulesIn(sources.join('\n'), /\[(RAFT-\d+)\]/g), stated)
  })
})
