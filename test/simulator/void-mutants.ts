import type { Mutant } from './mutant.ts'

/** Bugs in what two FORMs of a requester make of its thread. */
export const VOID_MUTANTS: readonly Mutant[] = [
  {
    name: 'two FORMs make nothing void',
    file: 'core/swarm/void.ts',
    find: 'if (first === undefined) return null',
    replace: 'if (context) return null',
    rules: ['void'],
    seedsMax: 20,
    faults: ['requester']
  },
  {
    name: 'a second FORM that is in a certificate is not looked at',
    file: 'core/swarm/statements.ts',
    find: 'return seen === null ? [] : [...seen.certificate.previous, seen.certificate.form]',
    replace: 'return []',
    rules: ['void'],
    seedsMax: 20,
    faults: ['requester']
  }
]
