import type { Command } from 'commander'
import { formatBytes } from '../duration.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type CompactOptions = { readonly dryRun?: boolean }

export function addCompactCommand(program: Command, shell: Shell): void {
  examples(
    program
      .command('compact')
      .description(
        'Move ended threads to cold files that are older than history.retentionDays and that a stable checkpoint covers, or that ended without a certificate. Those that nobody took, and that this node only watched, are dropped. A node does so itself once a day.'
      )
      .option('--dry-run', 'Say what would be moved, and change nothing.')
      .action(shell.action(compact)),
    ['compact --dry-run', 'compact --json']
  )
}

async function compact(session: Session, { dryRun }: CompactOptions): Promise<void> {
  const moved = await session.call('history.compact', dryRun === true ? { dryRun } : {})
  await session.out.document('compact', { dryRun: dryRun === true, ...moved }, () => {
    const { threads, hotBytes, coldBytes, files, dropped, droppedBytes, stays } = moved
    const hot = `${counted(threads, 'thread')} of ${formatBytes(hotBytes)}`
    if (threads === 0) session.out.line('no thread is to be moved')
    else if (dryRun === true) session.out.line(`${hot} would move to cold files`)
    else
      session.out.line(
        `${hot} now take ${formatBytes(coldBytes)} in ${counted(files.length, 'cold file')}`
      )
    if (dropped > 0) {
      const nobodys = `${counted(dropped, 'thread')} of ${formatBytes(droppedBytes)} that nobody took`
      session.out.line(`${nobodys} ${dryRun === true ? 'would be dropped' : 'dropped'}`)
    }
    if (session.out.options.quiet) return
    const { young, unwitnessed, live } = stays
    session.out.line(
      `stay       ${young} too young, ${unwitnessed} without a stable checkpoint, ${live} in memory`
    )
  })
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
