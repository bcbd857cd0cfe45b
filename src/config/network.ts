import type { FlagsFor } from './flag.ts'

/** Who the node talks to and where it listens. */
export type NetworkConfig = {
  readonly name: string
  readonly listen: readonly string[]
  readonly join: readonly string[]
  readonly mdns: boolean
}

/**
 * All interfaces on a port that the system picks, so that a laptop joins its LAN without a question and two nodes on
 * one machine do not collide. A node that others bootstrap from should name a port.
 */
export const networkDefaults: NetworkConfig = {
  name: 'main',
  listen: ['/ip4/0.0.0.0/tcp/0'],
  join: [],
  mdns: true
}

export const networkFlags: FlagsFor<'network', NetworkConfig> = {
  'network.name': {
    type: 'text',
    option: 'network',
    unit: 'NAME',
    help: 'Name of the network; nodes of different names do not hear each other.',
    check: value =>
      /^[a-z0-9][a-z0-9._-]{0,63}$/u.test(value) ? null : 'must be a lower-case name such as main'
  },
  'network.listen': {
    type: 'list',
    option: 'listen',
    unit: 'ADDRESS',
    help: 'Multiaddr to listen on, such as /ip4/0.0.0.0/tcp/4001.',
    check: checkListen
  },
  'network.join': {
    type: 'list',
    option: 'join',
    unit: 'ADDRESS',
    help: 'Multiaddr of a node to join through, ending in /p2p/ and its peer id.',
    check: checkJoin
  },
  'network.mdns': {
    type: 'boolean',
    option: 'mdns',
    help: 'Find nodes of the same LAN by multicast DNS.'
  }
}

const TCP = /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/(\d{1,5})(\/[^\s]+)?$/u

function checkListen(item: string): string | null {
  const port = TCP.exec(item)?.[2]
  if (port === undefined) return 'must be a multiaddr such as /ip4/0.0.0.0/tcp/4001'
  return Number(port) > 65_535 ? 'has a port above 65535' : null
}

function checkJoin(item: string): string | null {
  const problem = checkListen(item)
  if (problem !== null)
    return problem.replace('0.0.0.0/tcp/4001', '192.0.2.1/tcp/4001/p2p/12D3Koo...')
  return /\/p2p\/[1-9A-HJ-NP-Za-km-z]{46,}$/u.test(item)
    ? null
    : 'must end in /p2p/ and the peer id: copy the whole address from "can-swarm id" on that node'
}
