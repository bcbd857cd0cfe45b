import { ProgramFailedError } from '../errors.ts'
import type { Plan, PlanProgram } from '../plan/plan.ts'
import type { Program } from '../program.ts'
import { countWords, decodeCounts, encodeCounts, mergeCounts, splitText } from './words.ts'

/** `text/split`: a UTF-8 text in, its parts out, one artifact each. */
export function splitProgram(): Program {
  return {
    name: 'split',
    run: async input => {
      const [output, ...others] = splitText(notEmpty(input))
      if (output === undefined) throw emptyText()
      return { output, others }
    }
  }
}

/** `text/count-words`: a UTF-8 text in, its words and how often each occurs out, as canonical JSON. */
export function countWordsProgram(): Program {
  return {
    name: 'count-words',
    run: async input => ({ output: encodeCounts(countWords(notEmpty(input))) })
  }
}

/** `text/merge-counts`: what several `text/count-words` made in, their sum out, in the same form. */
export function mergeCountsProgram(): Program {
  return {
    name: 'merge-counts',
    run: async input => ({ output: encodeCounts(mergeCounts(decodeCounts(input))) })
  }
}

/**
 * `text/word-count`: the same result as `text/count-words`, by a plan. The text is split, each part is counted by whoever is decided for it,
 * and the counts are merged. A verifier counts the whole text at once and compares.
 */
export function wordCountProgram(): PlanProgram {
  return {
    ...countWordsProgram(),
    name: 'word-count',
    plan: async (input, { inputs }) => planOf(splitText(notEmpty(input)).length, inputs)
  }
}

function planOf(parts: number, inputs: readonly string[]): Plan {
  const numbers = Array.from({ length: parts }, (_, index) => index + 1)
  return {
    tasks: [
      {
        task: 'split',
        capability: 'text/split',
        inputs: inputs.map(artifact => ({ artifact })),
        produces: numbers.map(number => `part-${number}`)
      },
      ...numbers.map(number => ({
        task: `count-${number}`,
        capability: 'text/count-words',
        inputs: [{ product: `part-${number}` }],
        produces: [`counts-${number}`]
      })),
      {
        task: 'merge',
        capability: 'text/merge-counts',
        inputs: numbers.map(number => ({ product: `counts-${number}` })),
        produces: ['counts']
      }
    ]
  }
}

function notEmpty(input: Uint8Array): Uint8Array {
  if (input.length === 0) throw emptyText()
  return input
}

function emptyText(): ProgramFailedError {
  return new ProgramFailedError('the text is empty: there is nothing to count')
}
