import {
  LIST_ITEMS_MAX,
  PLAN_FACTS_MAX,
  PLAN_SESSIONS_MAX,
  PLAN_UPDATES_MAX,
  TEXT_LENGTH_MAX
} from '../base/index.ts'
import { CID } from '../codec/index.ts'
import { NAME } from './fields.ts'
import type { Payload } from './payloads.ts'

type Fields = { readonly [field: string]: unknown }

/**
 * Whether the decoded payload of an UPDATE_PLAN is plainly as it must be: the schema's answer in a tenth of its time. Plans come thousands of facts at
 * once. When this says no, the schema says what is wrong; a test holds both together.
 */
export function isPlainUpdate(value: unknown): value is Payload<'UPDATE_PLAN'> {
  if (!isPlainMap(value, 4)) return false
  const { session, seq, previous, facts } = value
  return (
    isUint(session) &&
    session < PLAN_SESSIONS_MAX &&
    isUint(seq) &&
    seq >= 1 &&
    seq <= PLAN_UPDATES_MAX &&
    (seq === 1 ? previous === null : previous instanceof CID) &&
    Array.isArray(facts) &&
    facts.length >= 1 &&
    facts.length <= PLAN_FACTS_MAX &&
    facts.every(isPlainFact)
  )
}

function isPlainFact(fact: unknown): boolean {
  if (typeof fact !== 'object' || fact === null) return false
  const { kind } = fact as Fields
  const known = typeof kind === 'string' && Object.hasOwn(FACTS, kind)
  return known && FACTS[kind as keyof typeof FACTS](fact)
}

/** By kind: whether all fields are there, and no others. */
const FACTS = {
  ADD_TASK: (fact: unknown) =>
    isPlainMap(fact, 5) &&
    isName(fact['task']) &&
    isName(fact['type']) &&
    areNames(fact['requires']) &&
    areNames(fact['produces']),
  REQUIRES: isPlainArtifact,
  PRODUCES: isPlainArtifact,
  STATE: (fact: unknown) =>
    isPlainMap(fact, 3) && isName(fact['task']) && STATES.has(fact['state'] as string),
  LINK: (fact: unknown) => isPlainMap(fact, 3) && isName(fact['parent']) && isName(fact['child']),
  ANNOTATE: (fact: unknown) =>
    isPlainMap(fact, 4) && isName(fact['task']) && isName(fact['key']) && isText(fact['value'])
} as const

const STATES: ReadonlySet<string> = new Set(['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL'])

function isPlainArtifact(fact: unknown): boolean {
  return isPlainMap(fact, 3) && isName(fact['task']) && fact['artifact'] instanceof CID
}

/** A map of so many fields. */
function isPlainMap(value: unknown, fields: number): value is Fields {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.keys(value).length === fields
  )
}

function areNames(value: unknown): boolean {
  return Array.isArray(value) && value.length <= LIST_ITEMS_MAX && value.every(isName)
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && NAME.test(value)
}

function isText(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > TEXT_LENGTH_MAX) return false
  return value.isWellFormed() && !value.startsWith('\ufeff')
}

function isUint(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
