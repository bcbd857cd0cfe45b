import type { CapsuleDag, Run, TestReport } from '../../policy/index.ts'
import type { CapsuleSummary } from '../../rpc/index.ts'
import { resolveCapsule } from '../capsule-reference.ts'
import { InputNotFoundError } from '../errors.ts'
import { checkInput } from '../input-file.ts'
import type { Session } from '../session.ts'

export async function build(
  session: Session,
  options: { readonly output?: string },
  directory: string
): Promise<void> {
  const { buildCapsule, writeCapsuleFile } = await import('../../policy/index.ts')
  const path = session.path(directory)
  await checkFolder(path)
  const { dag } = await buildCapsule(path, { env: session.io.env, signal: session.signal })
  const { cid, name, vectors } = dag.capsule
  const file = options.output === undefined ? null : session.path(options.output)
  if (file !== null) await writeCapsuleFile(file, dag)
  await session.out.document('policy-build', { cid, name, vectors: vectors.length, file }, () => {
    session.out.line(cid)
    session.out.note(
      `${name}: ${vectors.length} vector(s) pass; ${file ?? 'not written, -o FILE would'}`
    )
  })
}

async function checkFolder(path: string): Promise<void> {
  const { stat } = await import('node:fs/promises')
  const stats = await stat(path).catch(() => null)
  if (stats?.isDirectory() !== true)
    throw new InputNotFoundError(`${path} is no folder: give the one that holds policy.json`)
}

export async function test(session: Session, _options: object, word: string): Promise<void> {
  const { dag, tests, untested } = await resolveCapsule(session, word, { test: true })
  const { testCapsule } = await import('../../policy/index.ts')
  const report = testCapsule(dag)
  const ok = report.ok && tests?.ok !== false
  session.exitCode = ok ? 0 : 1
  await session.out.document('policy-test', { ...report, ok, rego: tests, untested }, () => {
    showTests(session, report, tests)
    if (untested !== null) session.out.note(`The Rego unit tests were not run: ${untested}`)
  })
}

function showTests({ out }: Session, report: TestReport, tests: Run | null): void {
  if (tests !== null && tests.output !== '') out.line(tests.output.trim())
  if (report.flaw !== null) out.line(`${out.style('red', 'FAILED')}  ${report.flaw}`)
  for (const { name, ok, expected, decided } of report.vectors) {
    if (ok && out.options.quiet) continue
    out.line(`${out.style(ok ? 'green' : 'red', ok ? 'ok' : 'FAILED')}  ${name}`)
    if (ok) continue
    out.line(`    expected ${JSON.stringify(expected)}`)
    out.line(`    decided  ${JSON.stringify(decided)}`)
  }
  const passed = report.vectors.filter(vector => vector.ok).length
  out.note(`${report.cid}: ${passed} of ${report.vectors.length} vectors pass`)
}

export async function list(session: Session): Promise<void> {
  const capsules = await capsulesHere(session)
  await session.out.document('policies', { capsules }, async () => {
    if (session.out.options.quiet) return session.out.lines(capsules.map(({ cid }) => cid))
    await session.out.table(
      ['cid', 'name', 'origin', 'entrypoint', 'gas', 'vectors'],
      capsules.map(({ cid, name, origin, entrypoint, limits, vectors }) => [
        cid,
        name,
        origin ?? '',
        entrypoint,
        String(limits.gas),
        String(vectors)
      ])
    )
  })
}

/** Those of the node; without one, what ships with the program. */
async function capsulesHere(session: Session): Promise<readonly CapsuleSummary[]> {
  try {
    return await session.call('policy.list', {})
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'NODE_NOT_RUNNING') throw error
    const { BASE_NAME, shippedCapsule } = await import('../../policy/index.ts')
    const { cid, entrypoint, limits, vectors, manifest } = (await shippedCapsule()).capsule
    session.out.note('No node runs here: this is what ships with the program.')
    const { opa, sources } = manifest
    const about = { name: BASE_NAME, origin: 'shipped', ready: false, entrypoint, opa } as const
    return [{ ...about, cid, limits, vectors: vectors.length, sources: sources.length }]
  }
}

export async function add(session: Session, _options: object, file: string): Promise<void> {
  const path = session.path(file)
  await checkInput(path)
  const summary = await session.call('policy.add', { path }, { long: true })
  await session.out.document('policy', summary, () => {
    session.out.line(summary.cid)
    session.out.note(
      `${summary.name} is kept; judge a NEED by it with "need --capsule ${summary.cid}"`
    )
  })
}

export async function show(session: Session, _options: object, word: string): Promise<void> {
  const { dag } = await resolveCapsule(session, word)
  const facts = factsOf(dag)
  await session.out.document('policy-show', { ...facts, sources: dag.sources }, () => {
    const { out } = session
    out.facts([
      ['cid', facts.cid],
      ['name', facts.name],
      ['entrypoint', facts.entrypoint],
      ['compiler', `opa ${facts.opa}`],
      ['limits', `${facts.limits.gas} gas, ${facts.limits.stack} slots of stack`],
      ['vectors', String(facts.vectors)],
      ['bytes', String(facts.bytes)]
    ])
    for (const { path, text } of dag.sources) {
      out.line('')
      out.line(out.style('bold', path))
      out.line(text.trimEnd())
    }
  })
}

function factsOf({ capsule, blocks }: CapsuleDag): {
  cid: string
  name: string
  entrypoint: string
  opa: string
  capabilities: string
  limits: { readonly gas: number; readonly stack: number }
  vectors: number
  bytes: number
} {
  const { cid, name, entrypoint, capabilities, limits, vectors, manifest } = capsule
  const bytes = [...blocks.values()].reduce((sum, block) => sum + block.length, 0)
  const { opa } = manifest
  return { cid, name, entrypoint, opa, capabilities, limits, vectors: vectors.length, bytes }
}
