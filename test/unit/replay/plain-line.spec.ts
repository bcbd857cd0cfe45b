/**
 * Goal: reading a line byte by byte gives what the slow way gives, or nothing. Method: the lines of all recorded threads, whole and damaged; then
 * envelopes of any content, written by the library.
 */
import { strict as assert } from 'node:assert'
import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { encode as encodeDagJson } from '@ipld/dag-json'
import fc from 'fast-check'
import { cidOf, encodeReference, idOf } from '../../../src/core/codec/index.ts'
import { linesIn } from '../../../src/replay/check-chunk.ts'
import { type Body, decodeAnyLine, encodeLine } from '../../../src/replay/format.ts'
import { readPlainLine } from '../../../src/replay/plain-line.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const CORPUS = new URL('../../corpus/', import.meta.url)
const VECTORS = new URL('../../../protocols/record/vectors/', import.meta.url)
const DAMAGED = 5_000
const sign = (): Uint8Array => new Uint8Array(64).fill(9)

/** True when the line was plain; then both ways agree. */
function agree(line: Uint8Array): boolean {
  const plain = readPlainLine(line)
  if (plain === null) return false
  const slow = decodeAnyLine(line)
  const text = Buffer.from(line).toString()
  assert(slow.ok, text)
  const { signed, ...expected } = slow.value
  const { bodyEnd, ...found } = plain
  assert.deepEqual(found, expected, text)
  const lineOf = encodeLine({ ...found }, plain.sig === null ? null : () => plain.sig as Uint8Array)
  assert.deepEqual(Buffer.from(lineOf), Buffer.from(line))
  assert.equal(Buffer.from(line).toString('utf8', bodyEnd, bodyEnd + 8), ',"prev":')
  assert.equal(signed().constructor, Uint8Array)
  return true
}

function recorded(): Uint8Array[] {
  const packed = readdirSync(CORPUS).filter(name => name.endsWith('.gz'))
  const files = packed.map(name => gunzipSync(readFileSync(new URL(name, CORPUS))))
  const vectors = readdirSync(VECTORS).filter(name => name.endsWith('.jsonl'))
  files.push(...vectors.map(name => readFileSync(new URL(name, VECTORS))))
  return files.flatMap(file => [...linesIn(new Uint8Array(file))])
}

describe('replay: plain lines', () => {
  const lines = recorded()
  const plain = lines.filter(line => readPlainLine(line) !== null)

  it('are nearly all lines with envelopes and entries', () => {
    const content = lines.filter(line =>
      /"type":"(entry|envelope)"\}/u.test(Buffer.from(line).toString())
    )
    assert(plain.length > 150 && plain.length >= 0.95 * content.length)
  })

  it('are read as the slow way reads them', () => {
    for (const line of lines) agree(line)
  })

  it('are read alike, or not at all, when they are damaged', () => {
    const random = seededRandom(3)
    let read = 0
    for (let count = 0; count < DAMAGED; count++) {
      const line = plain[random.below(plain.length)] as Uint8Array
      const changed = new Uint8Array(line)
      const at = random.below(changed.length)
      changed[at] = count % 2 === 0 ? random.below(256) : 0x20 + random.below(0x60)
      if (count % 4 === 0) changed.copyWithin(at, at + 1)
      if (agree(count % 4 === 0 ? changed.subarray(0, -1) : changed)) read += 1
    }
    assert(read > 0)
  })

  it('may hold envelopes of any content', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.string({ unit: 'binary', maxLength: 10 })
    )
    const key = fc.oneof(
      fc.stringMatching(/^[ -~]{0,6}$/u),
      fc.stringMatching(/^[a-z]{24,30}$/u),
      text
    )
    const value = fc.letrec(tie => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.uint8Array({ maxLength: 90 }),
        fc.maxSafeInteger(),
        fc.nat({ max: 70_000 }),
        fc.constantFrom<unknown>(null, true, false, 0, -1, -0),
        text,
        fc.uint8Array({ minLength: 1, maxLength: 3 }).map(data => cidOf(data, 0x55)),
        fc.array(tie('any'), { maxLength: 30 }),
        fc.dictionary(key, tie('any'), { maxKeys: 30, noNullPrototype: true })
      )
    })).any
    let read = 0
    fc.assert(
      fc.property(value, fc.nat(), fc.boolean(), (content, at, isEntry) => {
        let bytes: Uint8Array
        try {
          encodeDagJson({ content })
          bytes = encodeReference({ content })
        } catch {
          return
        }
        const cid = idOf(bytes)
        const body: Body = isEntry
          ? { type: 'entry', term: 3, index: at, stamp: at, cid, bytes }
          : { type: 'envelope', at, cid, bytes }
        const line = encodeLine({ seq: at, prev: 'ab'.repeat(32), body }, isEntry ? sign : null)
        if (!agree(line)) return
        read += 1
        assert.deepEqual(readPlainLine(line)?.body, body)
      }),
      { numRuns: 1_000 }
    )
    assert(read > 300, String(read))
  })
})
