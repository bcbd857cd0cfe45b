import { type Command, InvalidArgumentError } from 'commander'
import type { GatesAgain, ReadProgress, Report } from '../../replay/index.ts'
import { UsageError } from '../errors.ts'
import { resolvePeer, resolveThread } from '../ids.ts'
import { checkInput } from '../input-file.ts'
import { onlyReads } from '../interrupt.ts'
import { progressBar } from '../progress-bar.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type ExportFlags = {
  readonly output: string
  readonly artifacts?: boolean
  readonly for?: string
  readonly classical?: boolean
}
/** What an interrupted check says. */
const GO_ON_NEXT_TIME =
  'Nothing was changed: run it again; with --resume FILE it goes on from where it was.'
const GOES_ON = 'Run it again: it goes on from where it was.'

type CheckFlags = { readonly resume?: string; readonly jobs?: number }

export function addAuditCommands(program: Command, shell: Shell): void {
  const audit = program
    .command('audit')
    .description('Records of threads: write, verify, replay and compare them.')
  examples(audit, ['audit replay record.jsonl'])
  addExport(audit, shell)
  addChecks(audit, shell)
  examples(
    audit
      .command('diff')
      .description("Tell how two nodes' records of one thread differ. Needs no node.")
      .argument('<left>', 'record')
      .argument('<right>', 'record')
      .action(shell.action(diff)),
    ['audit diff mine.jsonl theirs.jsonl']
  )
}

function addExport(audit: Command, shell: Shell): void {
  examples(
    audit
      .command('export')
      .description("Write a thread's signed record, with the policies that judged it.")
      .argument('<id>', 'thread id, or a beginning or end of it')
      .requiredOption('-o, --output <FILE>', 'File to write.')
      .option('--artifacts', 'Write its artifacts too, to FILE.car.')
      .option(
        '--for <DID>',
        'Encrypt to this reader, who opens it with "audit open": a DID, or for a connected peer a beginning or end of it.'
      )
      .option(
        '--classical',
        'With --for: encrypt by X25519 alone, although the reader offers ML-KEM-768 too.'
      )
      .action(shell.action(exportRecord)),
    ['audit export soitae -o record.jsonl', 'audit export soitae -o record.jsonl --artifacts']
  )
  examples(
    audit
      .command('open')
      .description('Open a file that was encrypted to this home. Needs no node.')
      .argument('<file>', 'file that "audit export --for" wrote')
      .requiredOption('-o, --output <FILE>', 'File to write.')
      .action(shell.action(openFile)),
    ['audit open record.sealed -o record.jsonl']
  )
}

function addChecks(audit: Command, shell: Shell): void {
  const about = {
    verify: 'Check lines, signatures, order and certificates of a record. Needs no node.',
    replay:
      'Derive the outcome anew from a record, policies included, and compare it byte for byte. Needs no node.'
  }
  for (const how of ['verify', 'replay'] as const)
    examples(
      audit
        .command(how)
        .description(about[how])
        .argument('<file>', 'record')
        .option('--resume <FILE>', 'Keep in this file how far it came, and go on from there.')
        .option(
          '--jobs <COUNT>',
          'Threads. When absent, one for each core if the record is long, else none but its own.',
          jobs
        )
        .action(
          shell.action((session, options: CheckFlags, file: string) =>
            check(session, how, { ...options, file })
          )
        ),
      [`audit ${how} record.jsonl`, `audit ${how} record.jsonl --json`]
    )
}

async function exportRecord(session: Session, options: ExportFlags, id: string): Promise<void> {
  if (options.classical === true && options.for === undefined)
    throw new UsageError('--classical says how to encrypt: name the reader with --for')
  const thread = await resolveThread(session, id)
  const path = session.path(options.output)
  const params = {
    thread,
    path,
    ...(options.artifacts === true ? { artifacts: true } : {}),
    ...(options.classical === true ? { classical: true } : {}),
    ...(options.for === undefined ? {} : { recipient: await resolvePeer(session, options.for) })
  }
  const result = await session.call('thread.record', params, { long: true })
  await session.out.document('audit-export', { thread, ...result }, () => {
    session.out.line(result.path)
    if (result.car !== null) session.out.line(result.car)
    session.out.note(
      `${result.lines} lines${result.complete ? '' : '; the thread has not ended yet'}`
    )
    if (result.hybrid !== null)
      session.out.note(sealedBy(result.hybrid, options.classical === true))
  })
}

/** How a file was sealed: what is recorded today, a later machine may open where it was X25519 alone. */
function sealedBy(isHybrid: boolean, isChosen: boolean): string {
  if (isHybrid) return 'encrypted by X25519 and ML-KEM-768'
  return isChosen
    ? 'encrypted by X25519 alone'
    : 'encrypted by X25519 alone: this node knows of no ML-KEM-768 key of the reader, or has no ML-KEM itself'
}

async function openFile(
  session: Session,
  options: { readonly output: string },
  file: string
): Promise<void> {
  const from = session.path(file)
  await checkInput(from)
  const path = session.path(options.output)
  const { openSealedFile } = await import('../../node/index.ts')
  await openSealedFile(session.load().config, from, path)
  await session.out.document('audit-open', { path }, () => session.out.line(path))
}

async function check(
  session: Session,
  how: 'verify' | 'replay',
  { file, resume, jobs }: CheckFlags & { readonly file: string }
): Promise<void> {
  const path = session.path(file)
  await checkInput(path)
  const { verifyRecord, replayRecord } = await import('../../replay/index.ts')
  const bar = await progressBar(session, path)
  const init = {
    signal: session.signal,
    onProgress: ({ bytes, totalBytes }: ReadProgress) => bar.update(bytes, totalBytes),
    ...(resume === undefined ? {} : { resume: session.path(resume) }),
    ...(jobs === undefined ? {} : { jobs })
  }
  const work = how === 'verify' ? verifyRecord(path, init) : replayRecord(path, init)
  const report = await onlyReads(
    work.finally(() => bar.stop()),
    resume === undefined ? GO_ON_NEXT_TIME : GOES_ON
  )
  session.exitCode = report.ok ? 0 : 1
  await session.out.document(`audit-${how}`, report, () => tell(session, how, report))
}

function showGates({ out }: Session, { same, differing, missing }: GatesAgain): void {
  if (missing !== null) out.line(`bid and commit gate not evaluated again: ${missing}`)
  else if (same + differing.length > 0)
    out.line(
      `${same} of ${same + differing.length} evaluations at bid and commit gate are the same here`
    )
  for (const { gate, subject, by } of differing)
    out.line(`${by} signed another evaluation at the ${gate} gate of ${subject}`)
}

function tell(session: Session, how: 'verify' | 'replay', report: Report): void {
  const { out } = session
  const mark = report.ok ? out.style('green', 'ok') : out.style('red', 'FAILED')
  const same =
    how === 'replay' && report.ok && report.finalizeBytesEqual
      ? ', FINALIZE reproduced byte for byte'
      : report.ok && !report.complete
        ? '; the thread has not ended in this record'
        : ''
  out.line(`${mark}  ${report.events} events${same}`)
  if (report.gates !== undefined) showGates(session, report.gates)
  for (const { worker, model, tool, tokens, cost, wallMs, zone } of report.commits) {
    const by = [tool, model].filter(text => text !== '').join(' ')
    const where = zone === '' ? '' : ` in ${zone}`
    out.note(`work by ${worker}${where}: ${by}, ${tokens} tokens, ${cost} credits, ${wallMs} ms`)
  }
  // People count lines from 1. What verify has among the problems is said there.
  for (const { line, message, code } of report.disorder ?? [])
    if (!report.problems.some(problem => problem.line === line && problem.code === code))
      out.line(`line ${line + 1}: ${message} [${code}]; the outcome does not rest on it`)
  for (const { line, message, code, field, expected, found } of report.problems) {
    out.line(`line ${line + 1}: ${message} [${code}]`)
    if (field !== null && expected !== null && !message.includes(expected))
      out.line(`  ${field}: expected ${expected}, found ${found ?? 'nothing'}`)
    if (line === 0 && code === 'RECORD_LINE')
      out.note(
        'this is no record: give a file that "audit export" wrote; one that was written --for you is opened by "audit open"'
      )
  }
}

async function diff(session: Session, _: object, left: string, right: string): Promise<void> {
  const paths = [session.path(left), session.path(right)] as const
  for (const path of paths) await checkInput(path)
  const { diffRecords } = await import('../../replay/index.ts')
  const bar = await progressBar(session, null)
  const onProgress = ({ bytes, totalBytes }: ReadProgress): void => bar.update(bytes, totalBytes)
  const found = await onlyReads(
    diffRecords(...paths, { signal: session.signal, onProgress }).finally(() => bar.stop())
  )
  session.exitCode = found.same ? 0 : 1
  await session.out.document('audit-diff', found, () => {
    if (found.same) return session.out.line('the same')
    for (const { event, kind, field, leftValue, rightValue } of found.differences) {
      const where = kind === 'only-left' ? `only in ${left}` : `only in ${right}`
      const how = `${field ?? 'it'} is ${leftValue} in ${left}, ${rightValue} in ${right}`
      session.out.line(`${event}: ${kind === 'differs' ? how : where}`)
    }
    if (found.more > 0) session.out.line(`and ${found.more} more`)
  })
}

function jobs(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count > 0) return count
  throw new InvalidArgumentError('It is a count of threads.')
}
