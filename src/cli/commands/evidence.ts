import type { Command } from 'commander'
import { resolveEvidence, resolveThread } from '../ids.ts'
import { aborted, onlyReads } from '../interrupt.ts'
import { shortId } from '../output.ts'
import { type ProofOptions, proofSource, putProof, withProofOptions } from '../proof-files.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addEvidenceCommands(program: Command, shell: Shell): void {
  const evidence = program
    .command('evidence')
    .description('Proof against members and requesters that signed what excludes each other.')
  examples(evidence, ['evidence ls'])
  examples(
    evidence
      .command('ls')
      .description('Evidence that this node holds, newest first.')
      .argument('[id]', 'only of this thread: its id, or a beginning or end of it')
      .action(shell.action((session, _options: object, id?: string) => list(session, id))),
    ['evidence ls', 'evidence ls soitae --json']
  )
  examples(
    withProofOptions(
      evidence
        .command('export')
        .description('Write evidence with everything that checking it needs.')
        .argument('<id>', 'evidence id, or a beginning or end of it')
    ).action(shell.action(exportEvidence)),
    ['evidence export qwfvae -o evidence.json']
  )
  examples(
    evidence
      .command('verify')
      .description(
        'Check evidence by its own bytes, and say who is convicted of what. Needs no node, home or network.'
      )
      .argument('<file>', 'evidence; - reads standard input')
      .action(shell.action((session, _options: object, file: string) => verify(session, file))),
    ['evidence verify evidence.json', 'evidence verify evidence.json --json']
  )
}

async function list(session: Session, id?: string): Promise<void> {
  const thread = id === undefined ? undefined : await resolveThread(session, id)
  const evidence = await session.call('evidence.list', thread === undefined ? {} : { thread })
  await session.out.document('evidence', { evidence }, async () => {
    if (session.out.options.quiet) return session.out.lines(evidence.map(one => one.id))
    if (evidence.length === 0)
      return session.out.note('No evidence: nobody was seen to sign what excludes each other.')
    const rows = evidence.map(one => [
      shortId(one.id),
      one.offence,
      one.convicted.map(shortId).join(' '),
      one.thread === null ? '-' : shortId(one.thread),
      one.epoch === null ? '-' : String(one.epoch)
    ])
    await session.out.table(['evidence', 'offence', 'convicted', 'thread', 'epoch'], rows)
  })
}

async function exportEvidence(session: Session, options: ProofOptions, id: string): Promise<void> {
  const found = await session.call('evidence.get', { id: await resolveEvidence(session, id) })
  await putProof(session, 'evidence-export', found, options)
}

async function verify(session: Session, file: string): Promise<void> {
  const source = await proofSource(session, file)
  const { verifyEvidence } = await import('../../replay/index.ts')
  const report = await onlyReads(Promise.race([verifyEvidence(source), aborted(session.signal)]))
  const { out } = session
  session.exitCode = report.ok ? 0 : 1
  await out.document('evidence-verify', report, () => {
    if (!report.ok)
      return out.line(
        `${out.style('red', 'FAILED')}  ${report.problem.message} [${report.problem.code}]`
      )
    const { offence, meaning, convicted } = report.claim
    out.line(`${out.style('green', 'ok')}  ${offence}: ${meaning}`)
    for (const did of convicted) out.line(`convicted  ${did}`)
    if (out.options.quiet) return
    const { claim } = report
    if (claim.offence === 'checkpoint-fork')
      out.line(`log        ${claim.origin}, at ${claim.size} threads`)
    else out.line(`thread     ${claim.thread}, slot ${claim.slot}, epoch ${claim.epoch}`)
  })
}
