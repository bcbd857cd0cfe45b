import { ProgramFailedError } from '../errors.ts'

/** How often each word occurs. */
export type WordCounts = ReadonlyMap<string, number>

/** Bytes of a part of a text, about: a book of half a megabyte keeps a dozen workers busy. */
export const PART_BYTES: number = 16 * 1024
/** Parts of one text at most: each is a NEED of its own. */
export const PARTS_MAX = 16

/** Letters and digits; an apostrophe between letters belongs to the word. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*/gu

/**
 * Cuts a text into parts of about equal size, after white space only, so that no word and no character is cut. The parts joined are
 * the text, none is empty, and equal texts have equal parts.
 */
export function splitText(text: Uint8Array): Uint8Array[] {
  const wanted = Math.min(PARTS_MAX, Math.max(1, Math.ceil(text.length / PART_BYTES)))
  const parts: Uint8Array[] = []
  let start = 0
  for (let part = 1; part <= wanted && start < text.length; part++) {
    const end = part === wanted ? text.length : cutAfter(text, start, (text.length * part) / wanted)
    parts.push(text.subarray(start, end))
    start = end
  }
  return parts
}

/** The first place from `near` on that follows white space, or the end. */
function cutAfter(text: Uint8Array, start: number, near: number): number {
  for (let end = Math.max(start + 1, Math.floor(near)); end < text.length; end++)
    if (isSpace(text[end - 1])) return end
  return text.length
}

/** Blank, line feed, carriage return or tab: bytes that are no part of another character in UTF-8. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** The words of a UTF-8 text in lower case, composed (NFC), with how often they occur. */
export function countWords(text: Uint8Array): WordCounts {
  const counts = new Map<string, number>()
  for (const [match] of decode(text).normalize('NFC').matchAll(WORD)) {
    const word = match.toLowerCase()
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

/** The sum of several counts. */
export function mergeCounts(all: readonly WordCounts[]): WordCounts {
  const sum = new Map<string, number>()
  for (const counts of all)
    for (const [word, count] of counts) sum.set(word, (sum.get(word) ?? 0) + count)
  return sum
}

/**
 * Counts as one line of JSON, `{"total": ..., "words": {...}}`: words by UTF-16 code unit, no white space. Equal counts give equal bytes.
 */
export function encodeCounts(counts: WordCounts): Uint8Array {
  const words = [...counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const total = words.reduce((sum, [, count]) => sum + count, 0)
  const fields = words.map(([word, count]) => `${JSON.stringify(word)}:${count}`)
  return Buffer.from(`{"total":${total},"words":{${fields.join(',')}}}\n`)
}

/** Reads what `encodeCounts` wrote, one or several of them in a row. Throws ProgramFailedError for anything else. */
export function decodeCounts(bytes: Uint8Array): WordCounts[] {
  const lines = decode(bytes).split('\n')
  if (lines.pop() !== '' || lines.length === 0) throw notCounts('it does not end with a line')
  return lines.map(parseCounts)
}

function parseCounts(line: string): WordCounts {
  const counts = new Map<string, number>()
  try {
    const { words } = JSON.parse(line) as { words: Record<string, unknown> }
    for (const [word, count] of Object.entries(words)) {
      if (!Number.isSafeInteger(count) || Number(count) < 1) throw new RangeError(word)
      counts.set(word, Number(count))
    }
  } catch (cause) {
    throw notCounts('a line is not {"total","words"}', { cause })
  }
  // Only the one canonical form: two texts of the same counts would else have two results.
  if (Buffer.from(encodeCounts(counts)).toString('utf8') !== `${line}\n`)
    throw notCounts('a line is not in canonical form')
  return counts
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new ProgramFailedError('the input is not UTF-8 text', {}, { cause })
  }
}

function notCounts(why: string, options?: ErrorOptions): ProgramFailedError {
  return new ProgramFailedError(`the input is not what text/count-words makes: ${why}`, {}, options)
}
