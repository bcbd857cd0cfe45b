import { type FactText, factFlaw } from '../rpc/index.ts'
import { UsageError } from './errors.ts'

/** How each kind of fact is written, for help and errors. */
export const FACT_FORMS: readonly string[] = [
  'add-task:TASK:TYPE',
  'requires:TASK:CID',
  'produces:TASK:CID',
  'state:TASK:STATE',
  'link:PARENT:CHILD',
  'annotate:TASK:KEY=VALUE'
]

const STATES = ['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL'] as const

/** A fact as it is written on the command line. Throws UsageError. */
export function parseFact(word: string): FactText {
  const fact = factOfWord(word)
  const flaw = factFlaw(fact)
  if (flaw !== null) throw new UsageError(`"${word}": ${flaw}`)
  return fact
}

function factOfWord(word: string): FactText {
  const [kind, first, ...rest] = word.split(':')
  const second = rest.join(':')
  if (first === undefined || first === '' || second === '') throw malformed(word)
  switch (kind) {
    case 'add-task':
      return { kind: 'ADD_TASK', task: first, type: second, requires: [second], produces: [] }
    case 'requires':
      return { kind: 'REQUIRES', task: first, artifact: second }
    case 'produces':
      return { kind: 'PRODUCES', task: first, artifact: second }
    case 'link':
      return { kind: 'LINK', parent: first, child: second }
    case 'state': {
      const state = STATES.find(one => one === second)
      if (state === undefined)
        throw new UsageError(`${word}: a state is one of ${STATES.join(' ')}`)
      return { kind: 'STATE', task: first, state }
    }
    case 'annotate': {
      const [key = '', ...value] = second.split('=')
      if (key === '' || value.length === 0) throw malformed(word)
      return { kind: 'ANNOTATE', task: first, key, value: value.join('=') }
    }
    default:
      throw malformed(word)
  }
}

function malformed(word: string): UsageError {
  return new UsageError(`"${word}" is no fact: write ${FACT_FORMS.join(', ')}`)
}
