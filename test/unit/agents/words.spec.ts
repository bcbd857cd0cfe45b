// Goal: counting a text in parts gives the bytes that counting it whole gives, for every text. Method: properties over generated texts, and odd texts by hand.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { builtinProgram, type ProgramContext } from '../../../src/agents/index.ts'
import {
  countWords,
  decodeCounts,
  encodeCounts,
  mergeCounts,
  PART_BYTES,
  PARTS_MAX,
  splitText
} from '../../../src/agents/programs/words.ts'

const context: ProgramContext = {
  signal: new AbortController().signal,
  progress: () => undefined,
  inputs: []
}
const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (output: Uint8Array): string => Buffer.from(output).toString('utf8')

async function run(capability: string, input: Uint8Array): Promise<Uint8Array[]> {
  const program = builtinProgram(capability)
  assert.ok(program)
  const { output, others = [] } = await program.run(input, context)
  return [output, ...others]
}

describe('agents/programs/words', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'the',
      "don't",
      'Ünï',
      'ΣΊΣΥΦΟΣ',
      '42',
      '你好',
      '__proto__',
      'constructor',
      '-'
    ),
    fc.string({ unit: 'grapheme' })
  )
  const anyText = fc
    .array(fc.tuple(word, fc.constantFrom(' ', '\n', '\t', '  ', '\r\n')), { minLength: 1 })
    .map(words => words.map(pair => pair.join('')).join(''))

  it('gives the same bytes in parts and whole', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 4000 }), (some, times) => {
        const whole = bytes(some.repeat(Math.ceil((times * 20) / some.length)))
        const parts = splitText(whole)
        assert.deepEqual(Buffer.concat(parts), Buffer.from(whole))
        assert.ok(parts.length <= PARTS_MAX && parts.every(part => part.length > 0))
        const counted = parts.map(part => encodeCounts(countWords(part)))
        const merged = encodeCounts(mergeCounts(decodeCounts(Buffer.concat(counted))))
        assert.equal(text(merged), text(encodeCounts(countWords(whole))))
      }),
      { numRuns: 100 }
    )
  })

  it('cuts large texts into parts of equal size and short ones not at all', () => {
    assert.equal(splitText(bytes('two words')).length, 1)
    const parts = splitText(bytes('word '.repeat(PART_BYTES)))
    assert.equal(parts.length, 5)
    const sizes = parts.map(part => part.length)
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 10, sizes.join(' '))
    assert.equal(splitText(bytes('x'.repeat(3 * PART_BYTES))).length, 1, 'no word is cut')
  })

  it('writes words in one order and form', () => {
    const counts = countWords(bytes("B a A 10 9 Don't don't e\u0301 \u00e9"))
    assert.equal(
      text(encodeCounts(counts)),
      '{"total":9,"words":{"10":1,"9":1,"a":2,"b":1,"don\'t":2,"é":2}}\n'
    )
  })

  it('runs as the builtin programs do', async () => {
    const input = bytes('one two two '.repeat(PART_BYTES / 4))
    const parts = await run('text/split', input)
    assert.ok(parts.length > 1)
    const counts = await Promise.all(parts.map(part => run('text/count-words', part)))
    const merged = await run('text/merge-counts', Buffer.concat(counts.flat()))
    assert.deepEqual(merged, await run('text/word-count', input))
  })

  it('refuses what is no text, nothing, or no counts', async () => {
    const failed = { code: 'PROGRAM_FAILED' }
    const bad: [string, Uint8Array][] = [
      ['text/split', bytes('')],
      ['text/count-words', bytes('')],
      ['text/count-words', Uint8Array.of(0xff)],
      ['text/merge-counts', bytes('')],
      ['text/merge-counts', bytes('{}\n')],
      ['text/merge-counts', bytes('{"total":1,"words":{"a":1}}')],
      ['text/merge-counts', bytes('{"total":2,"words":{"a":1}}\n')],
      ['text/merge-counts', bytes('{"total":1,"words":{"a":1.5}}\n')],
      ['text/merge-counts', bytes('{"words":{"a":1},"total":1}\n')]
    ]
    for (const [capability, input] of bad)
      await assert.rejects(run(capability, input), failed, `${capability} ${text(input)}`)
  })
})
