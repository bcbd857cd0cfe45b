import { type Command, Option } from 'commander'
import type { CertificateReport } from '../../replay/index.ts'
import { UsageError } from '../errors.ts'
import { resolveThread } from '../ids.ts'
import { aborted, onlyReads } from '../interrupt.ts'
import { type ProofOptions, proofSource, putProof, withProofOptions } from '../proof-files.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type Claim = NonNullable<CertificateReport['claim']>

export function addCertificateCommands(program: Command, shell: Shell): void {
  const certificate = program
    .command('certificate')
    .description(
      'Certificates of decisions and outcomes: take them elsewhere, and check them there.'
    )
  examples(certificate, ['certificate verify decision.json'])
  examples(
    withProofOptions(
      certificate
        .command('export')
        .description('Write the certificate of a thread with everything that checking it needs.')
        .argument('<id>', 'thread id, or a beginning or end of it')
        .addOption(
          new Option(
            '--stage <STAGE>',
            'The decision or the outcome; the newest that is certified when absent.'
          ).choices(['decide', 'outcome'])
        )
    ).action(shell.action(exportCertificate)),
    [
      'certificate export soitae -o outcome.json',
      'certificate export soitae --stage decide --format cbor -o decision.cbor'
    ]
  )
  examples(
    certificate
      .command('verify')
      .description(
        'Check a certificate by its own bytes: NEED, group, joins, votes. Needs no node, home or network.'
      )
      .argument('<file>', 'certificate; - reads standard input')
      .option(
        '--evidence <FILE>',
        'Evidence against its requester: the certificate is void if that signed two FORMs for its epoch or one before.'
      )
      .action(shell.action(verify)),
    [
      'certificate verify decision.json',
      'certificate verify decision.json --evidence evidence.json',
      'certificate verify decision.json --json'
    ]
  )
}

async function exportCertificate(
  session: Session,
  options: ProofOptions & { stage?: 'decide' | 'outcome' },
  id: string
): Promise<void> {
  const thread = await resolveThread(session, id)
  const { stage } = options
  const found = await session.call(
    'certificate.get',
    stage === undefined ? { thread } : { thread, stage }
  )
  const proof = { thread, ...found }
  if (found.void !== null)
    session.out.note(
      `void: ${found.void.reason}; give "certificate verify --evidence" what "evidence export ${found.void.evidence}" writes`
    )
  await putProof(session, 'certificate-export', proof, options)
}

async function verify(
  session: Session,
  { evidence }: { evidence?: string },
  file: string
): Promise<void> {
  if (file === '-' && evidence === '-')
    throw new UsageError('only one of certificate and evidence can come on standard input')
  const source = await proofSource(session, file)
  const against = evidence === undefined ? null : await proofSource(session, evidence)
  const { verifyCertificate } = await import('../../replay/index.ts')
  const verified = verifyCertificate(source, against)
  const report = await onlyReads(Promise.race([verified, aborted(session.signal)]))
  session.exitCode = report.ok ? 0 : 1
  await session.out.document('certificate-verify', report, () => show(session, report))
}

function show({ out }: Session, report: CertificateReport): void {
  if (!report.ok) {
    const { code, message } = report.problem
    const word = code === 'CERTIFICATE_VOID' ? 'VOID' : 'FAILED'
    return out.line(`${out.style('red', word)}  ${message} [${code}]`)
  }
  const { claim } = report
  out.line(`${out.style('green', 'ok')}  ${verdictOf(claim)}`)
  if (out.options.quiet) return
  out.facts([
    ['need', claim.need],
    ['slot', `${claim.slot}, epoch ${claim.epoch}`],
    ['requester', claim.requester],
    ['stage', `${claim.stage}, in a ${claim.verb}`],
    ['proposal', claim.proposal],
    ['worker', claim.worker],
    ['outputs', claim.outputs.join(' ') || null],
    ['payouts', claim.payouts.map(one => `${one.amount} to ${one.to}`).join(', ') || null],
    ['tier', `${claim.tier}: ${claim.promise}`],
    ['quorum', `${claim.signers.length} of ${claim.roster.length} signed, ${claim.quorum} needed`]
  ])
  for (const member of claim.signers) out.line(`signer     ${member}`)
}

function verdictOf({ result, reason, worker }: Claim): string {
  return result === null ? `decided for ${worker}` : `${result}: ${reason}`
}
