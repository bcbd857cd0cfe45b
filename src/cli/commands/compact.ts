import type { Command } from 'commander'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type CompactOptions = { readonly dryRun?: boolean }

export function addCompactCommand(program: Command, shell: Shell): void {
  examples(
    program
      .command('compact')
      .description(
        'Move ended threads to cold files that are older than history.retentionDays and that a stable checkpoint covers. A node does so itself once a day.'
      )
      .option('--dry-run', 'Say what would be moved, and change nothing.')
      .action(shell.action(compact)),
    ['compact --dry-run', 'compact --json']
  )
}

async function compact(session: Session, { dryRun }: CompactOptions): Promise<void> {
  const moved = await session.call('history.compact', dryRun === true ? { dryRun } : {})
  await session.out.document('compact', { dryRun: dryRun === true, ...moved }, () => {
    const { threads, hotBytes, coldBytes, files, stays } = moved
    session.out.line(
      dryRun === true
        ? `${threads} threads of ${hotBytes} bytes would move to cold files`
        : `${threads} threads of ${hotBytes} bytes are ${coldBytes} bytes in ${files.length} cold files now`
    )
    if (session.out.options.quiet) return
    const { young, unwitnessed, live } = stays
    session.out.line(
      `stay       ${young} too young, ${unwitnessed} without a stable checkpoint, ${live} in memory`
    )
  })
}
