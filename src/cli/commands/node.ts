import type { Command } from 'commander'
import type { MethodResult } from '../../rpc/index.ts'
import { formatBytes, formatDuration } from '../duration.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addNodeCommands(program: Command, shell: Shell): void {
  examples(
    program
      .command('status')
      .description('What the running node is doing.')
      .action(shell.action(status)),
    ['status', 'status --json']
  )
  examples(
    program
      .command('id')
      .description("The node's DID, peer id and addresses to join it by.")
      .action(shell.action(id)),
    ['id', 'id --quiet']
  )
  examples(
    program
      .command('stop')
      .description('Stop the running node cleanly.')
      .action(shell.action(stop)),
    ['stop', 'stop --home ./node-1']
  )
}

async function status(session: Session): Promise<void> {
  const status = await session.call('node.status', {})
  await session.out.document('status', status, () =>
    session.out.facts([
      ['did', status.did],
      ['version', `${status.version}, process ${status.pid}`],
      ['home', status.home],
      ['network', status.network],
      ['up', `${formatDuration(status.uptimeMs)}, started in ${formatDuration(status.startupMs)}`],
      ['addresses', status.addresses.join('\n'.padEnd(12)) || 'none'],
      [
        'peers',
        `${status.peers}, ${status.stats.meshPeers} in the mesh, ${status.stats.dhtPeers} in the DHT`
      ],
      ['threads', `${status.threads.open} open, ${status.threads.ended} ended`],
      ['plan sync', planSyncText(status)],
      ['agents', status.agents.join(', ') || 'none'],
      ['memory', formatBytes(status.rssBytes)],
      ['journal', formatBytes(status.journalBytes)]
    ])
  )
}

function planSyncText({ planSync }: MethodResult<'node.status'>): string {
  if (planSync === null) return 'unplugged'
  const { said, heard, brought, lies } = planSync
  const text = `${said} messages out, ${heard} in, which brought ${brought} envelopes`
  return lies === 0 ? text : `${text}; ${lies} from liars`
}

async function id(session: Session): Promise<void> {
  const id = await session.call('node.id', {})
  await session.out.document('id', id, () => {
    if (session.out.options.quiet) return session.out.line(id.did)
    session.out.facts([
      ['did', id.did],
      ['peer id', id.peerId],
      ...id.addresses.map((address): [string, string] => ['address', address])
    ])
  })
}

async function stop(session: Session): Promise<void> {
  const result = await session.call('node.stop', {})
  await session.out.document('stop', result, () => session.out.note('The node is stopping.'))
}
