import { setImmediate as nextTurn } from 'node:timers/promises'
import { ProgramFailedError } from '../errors.ts'
import { EXCERPT_LENGTH, TEXTS_PER_TURN } from '../limits.ts'
import type { Program } from '../program.ts'
import { LANGUAGE_NAMES } from './language-names.ts'

/** One line of the result. */
export type IdentifiedText = {
  /** 1-based line of the input. */
  readonly line: number
  /** ISO 639-3, `und` when the text is too short or of no known script. */
  readonly language: string
  readonly name: string
  /** The beginning of the text. */
  readonly text: string
}

/**
 * The builtin program of `text/language`: UTF-8 with one text per line in, JSON Lines of IdentifiedText out. Blank lines are
 * skipped but counted. The same bytes in give the same bytes out on every node of one release.
 */
export function languageProgram(): Program {
  return {
    name: 'franc',
    prepare: () => import('franc'),
    run: async (input, { signal, progress }) => {
      const lines = decode(input).split(/\r?\n/u)
      // Its tables take 100 ms and several MB, which a node that never works should not pay for.
      const { franc } = await import('franc')
      const out: string[] = []
      for (const [index, line] of lines.entries()) {
        if (index % TEXTS_PER_TURN === TEXTS_PER_TURN - 1) {
          await nextTurn()
          signal.throwIfAborted()
          progress(Math.floor((index * 100) / lines.length))
        }
        const text = line.trim()
        if (text !== '') out.push(JSON.stringify(identify(franc, index + 1, text)))
      }
      if (out.length === 0)
        throw new ProgramFailedError('the input holds no text: give one text per line')
      return { output: Buffer.from(`${out.join('\n')}\n`), telemetry: { tool: 'franc' } }
    }
  }
}

/** The result of `languageProgram`, read back. */
export function parseIdentified(output: Uint8Array): IdentifiedText[] {
  const lines = Buffer.from(output).toString('utf8').split('\n')
  return lines.filter(line => line !== '').map(line => JSON.parse(line) as IdentifiedText)
}

function decode(input: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input)
  } catch (cause) {
    throw new ProgramFailedError('the input is not UTF-8 text', {}, { cause })
  }
}

function identify(franc: (text: string) => string, line: number, text: string): IdentifiedText {
  const language = franc(text)
  return { line, language, name: LANGUAGE_NAMES.get(language) ?? language, text: excerpt(text) }
}

/** By code points, so that no character is cut in half. */
function excerpt(text: string): string {
  const points = Array.from(text)
  return points.length <= EXCERPT_LENGTH ? text : `${points.slice(0, EXCERPT_LENGTH).join('')}...`
}
