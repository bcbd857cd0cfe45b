import type { Command } from 'commander'
import { resolvePeer } from '../ids.ts'
import { shortId } from '../output.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addPeerCommands(program: Command, shell: Shell): void {
  const peers = program
    .command('peers')
    .description('Connected peers; join and ping them.')
    .action(shell.action(list))
  examples(peers, ['peers', 'peers --json'])
  examples(
    peers
      .command('join')
      .description('Connect to a node and keep the connection.')
      .argument(
        '<address>',
        'multiaddr that ends in /p2p/ and the peer id, from "can-swarm id" there'
      )
      .action(shell.action(join)),
    ['peers join /ip4/192.0.2.1/tcp/4001/p2p/12D3KooWGzh1YtbZ5vJZ7cVYJYp1oXw2pS1vJr5CqkQ2hKk5m8aB']
  )
  examples(
    peers
      .command('ping')
      .description('Round trip to a connected peer.')
      .argument('<did>', 'DID, or its end')
      .action(shell.action(ping)),
    ['peers ping doK5LZ7q']
  )
}

async function list(session: Session): Promise<void> {
  const peers = await session.call('peers.list', {})
  await session.out.document('peers', { peers }, async () => {
    if (session.out.options.quiet) return session.out.lines(peers.map(peer => peer.did))
    if (peers.length === 0)
      return session.out.note('No peers. Join one with "can-swarm peers join ADDRESS".')
    const rows = peers.map(peer => [
      shortId(peer.did),
      peer.rttMs === null ? '-' : `${peer.rttMs.toFixed(1)} ms`,
      peer.direction,
      peer.inMesh ? 'yes' : 'no',
      peer.addresses[0] ?? '-'
    ])
    await session.out.table(['peer', 'rtt', 'direction', 'mesh', 'address'], rows)
  })
}

async function join(session: Session, _options: object, address: string): Promise<void> {
  const result = await session.call('peers.join', { address })
  await session.out.document('peers-join', result, () => session.out.line(result.joined))
}

async function ping(session: Session, _options: object, did: string): Promise<void> {
  const peer = await resolvePeer(session, did)
  const { rttMs } = await session.call('peers.ping', { did: peer })
  await session.out.document('peers-ping', { did: peer, rttMs }, () =>
    session.out.line(`${rttMs.toFixed(1)} ms`)
  )
}
