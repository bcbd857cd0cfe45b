import { readFile } from 'node:fs/promises'
import type { Gate, PolicyDecision, PolicyInput } from '../../core/policy/index.ts'
import type { CapsuleDag, Finding, Judgement } from '../../policy/index.ts'
import type { AskedPolicy } from '../../rpc/index.ts'
import { resolveCapsule } from '../capsule-reference.ts'
import { UsageError } from '../errors.ts'
import { resolveEnvelope, resolveThread } from '../ids.ts'
import { checkInput } from '../input-file.ts'
import type { Session } from '../session.ts'
import { readAll } from '../standard-input.ts'

type QuestionOptions = { readonly input?: string; readonly gate?: Gate }

/** Exit status of a deny, as of everything that a rule denied. */
const DENIED = 4

export async function evaluate(
  session: Session,
  options: QuestionOptions,
  word: string
): Promise<void> {
  const { judgement } = await judge(session, options, word)
  const { decision, digest, capsule } = judgement
  session.exitCode = decision.allow ? 0 : DENIED
  await session.out.document('policy-eval', judgement, () => {
    const { out } = session
    out.line(verdictOf(session, decision))
    if (out.options.quiet) return
    out.facts([
      ['gas', String(decision.gas)],
      ['capsule', capsule],
      ['digest', digest]
    ])
    for (const reason of decision.reasons) out.line(`denied by  ${reason}`)
  })
}

export async function explain(
  session: Session,
  options: QuestionOptions,
  subject: string
): Promise<void> {
  if (options.input === undefined && isEnvelope(subject)) return explainEnvelope(session, subject)
  const { explainDecision } = await import('../../policy/index.ts')
  const { judgement, dag, gate } = await judge(session, options, subject)
  const findings = explainDecision(judgement.decision, dag, gate)
  await session.out.document('policy-explain', { ...judgement, findings }, () =>
    showFindings(session, judgement.decision, findings)
  )
}

/** THREAD/ENVELOPE; a path is never taken for one, since a question has no --input then. */
function isEnvelope(subject: string): boolean {
  return /^[a-z2-7]+\/[a-z2-7]+$/u.test(subject)
}

async function explainEnvelope(session: Session, subject: string): Promise<void> {
  const [threadPart = '', envelopePart = ''] = subject.split('/')
  const thread = await resolveThread(session, threadPart)
  const envelope = await resolveEnvelope(session, thread, envelopePart)
  const { asked } = await session.call('policy.explain', { thread, envelope }, { long: true })
  const { explainDecision } = await import('../../policy/index.ts')
  const explained: (AskedPolicy & { readonly findings: readonly Finding[] })[] = []
  for (const one of asked) {
    const { dag } = await resolveCapsule(session, one.capsule)
    explained.push({ ...one, findings: explainDecision(one.decision, dag, one.gate) })
  }
  await session.out.document('policy-explain', { thread, envelope, asked: explained }, () => {
    for (const { gate, capsule, decision, findings, matches } of explained) {
      session.out.line(`${gate} gate, capsule ${capsule}`)
      showFindings(session, decision, findings)
      if (matches === false)
        session.out.line('its sender signed another evaluation: the two nodes do not agree')
    }
  })
}

async function judge(
  session: Session,
  options: QuestionOptions,
  word: string
): Promise<{ judgement: Judgement; dag: CapsuleDag; gate: unknown }> {
  const input = await questionOf(session, options)
  const { dag } = await resolveCapsule(session, word)
  const { openDag } = await import('../../policy/index.ts')
  return { judgement: openDag(dag)(input), dag, gate: input['gate'] }
}

async function questionOf(
  session: Session,
  { input, gate }: QuestionOptions
): Promise<PolicyInput> {
  if (input === undefined)
    throw new UsageError(
      'give the question: --input FILE, or - to read it; "policy explain THREAD/ENVELOPE --json" prints those of a thread'
    )
  const { parseQuestion, QUESTION_BYTES_MAX } = await import('../../policy/index.ts')
  const text =
    input === '-'
      ? (await readAll(session.io.stdin, QUESTION_BYTES_MAX)).toString('utf8')
      : await readQuestion(session.path(input))
  const question = parseQuestion(text, input === '-' ? 'the question' : input)
  if (gate === undefined || question['gate'] === gate) return question
  if ('gate' in question)
    throw new UsageError(
      `the question is of the gate ${JSON.stringify(question['gate'])}: leave out --gate, or take "gate" out of the question`
    )
  return { ...(question as object), gate }
}

async function readQuestion(path: string): Promise<string> {
  await checkInput(path)
  return readFile(path, 'utf8')
}

function showFindings(
  session: Session,
  decision: PolicyDecision,
  findings: readonly Finding[]
): void {
  const { out } = session
  out.line(verdictOf(session, decision))
  for (const { rule, saw, where } of findings)
    out.line(`  ${rule} saw ${saw === '' ? 'nothing' : saw}${where === null ? '' : `  (${where})`}`)
}

function verdictOf({ out }: Session, { allow }: PolicyDecision): string {
  return allow ? out.style('green', 'allowed') : out.style('red', 'denied')
}
