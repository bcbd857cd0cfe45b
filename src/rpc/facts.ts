import { CID } from 'multiformats/cid'
import * as v from 'valibot'
import type { Fact } from '../core/envelope/index.ts'

/** A fact of the shared plan as JSON has it: artifacts are CIDs as text. */
export type FactText = Fact extends infer F ? (F extends Fact ? TextOf<F> : never) : never
type TextOf<F> = {
  readonly [K in keyof F]: K extends 'artifact'
    ? string
    : F[K] extends readonly string[]
      ? readonly string[]
      : F[K]
}

/** What tasks, types and keys are called. */
export const name: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9/._-]{0,127}$/u, 'must be a lower-case name such as count-3')
)
const names = v.pipe(v.array(name), v.maxLength(256))
const artifact = v.pipe(v.string(), v.maxLength(128), v.check(isCid, 'must be a CID'))

/** The facts that a caller may state; the envelope's own schema judges them again. */
export const factText: v.GenericSchema<unknown, FactText> = v.variant('kind', [
  v.strictObject({
    kind: v.literal('ADD_TASK'),
    task: name,
    type: name,
    requires: names,
    produces: names
  }),
  v.strictObject({ kind: v.literal('REQUIRES'), task: name, artifact }),
  v.strictObject({ kind: v.literal('PRODUCES'), task: name, artifact }),
  v.strictObject({
    kind: v.literal('STATE'),
    task: name,
    state: v.picklist(['DRAFT', 'DECIDED', 'VERIFIED', 'FINAL'])
  }),
  v.strictObject({ kind: v.literal('LINK'), parent: name, child: name }),
  v.strictObject({
    kind: v.literal('ANNOTATE'),
    task: name,
    key: name,
    value: v.pipe(v.string(), v.maxLength(4096))
  })
])

/** What a node would refuse in a fact, for people, such as `artifact must be a CID`; null when nothing. */
export function factFlaw(fact: FactText): string | null {
  const issue = v.safeParse(factText, fact).issues?.[0]
  return issue === undefined ? null : `${v.getDotPath(issue) ?? 'it'} ${issue.message}`
}

/** A fact as an envelope has it. */
export function factOf(text: FactText): Fact {
  return 'artifact' in text
    ? { ...text, artifact: CID.parse(text.artifact).toV1() }
    : (text as Fact)
}

/** A fact as JSON has it, from an envelope, or from what JSON has made of one: a link is `{"/": CID}` there. */
export function factTextOf(fact: Fact | FactText): FactText {
  if (!('artifact' in fact)) return fact as FactText
  const link = fact.artifact as unknown as { '/'?: unknown }
  const text = typeof link['/'] === 'string' ? link['/'] : String(fact.artifact)
  return { ...fact, artifact: text } as FactText
}

function isCid(value: string): boolean {
  try {
    CID.parse(value)
    return true
  } catch {
    return false
  }
}
