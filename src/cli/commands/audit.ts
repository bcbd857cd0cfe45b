import type { Command } from 'commander'
import type { GatesAgain } from '../../replay/index.ts'
import { resolveThread } from '../ids.ts'
import { checkInput } from '../input-file.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addAuditCommands(program: Command, shell: Shell): void {
  const audit = program
    .command('audit')
    .description('Records of threads: write, verify and replay them.')
  examples(audit, ['audit replay record.jsonl'])
  examples(
    audit
      .command('export')
      .description("Write a thread's signed record.")
      .argument('<id>', 'thread id, or a beginning or end of it')
      .requiredOption('-o, --output <FILE>', 'File to write.')
      .action(shell.action(exportRecord)),
    ['audit export soitae -o record.jsonl']
  )
  examples(
    audit
      .command('verify')
      .description('Check lines, signatures, order and certificates of a record. Needs no node.')
      .argument('<file>', 'record')
      .action(
        shell.action((session, _options: object, file: string) => check(session, 'verify', file))
      ),
    ['audit verify record.jsonl', 'audit verify record.jsonl --json']
  )
  examples(
    audit
      .command('replay')
      .description(
        'Derive the outcome anew from a record, policies included, and compare it byte for byte. Needs no node.'
      )
      .argument('<file>', 'record')
      .action(
        shell.action((session, _options: object, file: string) => check(session, 'replay', file))
      ),
    ['audit replay record.jsonl', 'audit replay record.jsonl --json']
  )
}

async function exportRecord(
  session: Session,
  options: { output: string },
  id: string
): Promise<void> {
  const thread = await resolveThread(session, id)
  const path = session.path(options.output)
  const result = await session.call('thread.record', { thread, path }, { long: true })
  await session.out.document('audit-export', { thread, ...result }, () => {
    session.out.line(result.path)
    session.out.note(
      `${result.lines} lines${result.complete ? '' : '; the thread has not ended yet'}`
    )
  })
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

async function check(session: Session, how: 'verify' | 'replay', file: string): Promise<void> {
  const path = session.path(file)
  await checkInput(path)
  const { verifyRecord, replayRecord } = await import('../../replay/index.ts')
  const { signal } = session
  const report = await (how === 'verify' ? verifyRecord : replayRecord)(path, { signal })
  session.exitCode = report.ok ? 0 : 1
  await session.out.document(`audit-${how}`, report, () => {
    const mark = report.ok ? session.out.style('green', 'ok') : session.out.style('red', 'FAILED')
    const same =
      how === 'replay' && report.ok && report.finalizeBytesEqual
        ? ', FINALIZE reproduced byte for byte'
        : ''
    session.out.line(`${mark}  ${report.events} events${same}`)
    if (report.gates !== undefined) showGates(session, report.gates)
    // People count lines from 1.
    for (const { line, message, code } of report.problems)
      session.out.line(`line ${line + 1}: ${message} [${code}]`)
  })
}
