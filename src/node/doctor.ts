import { statfs } from 'node:fs/promises'
import type { PolicyDecision } from '../core/policy/index.ts'
import type { DoctorCheck } from '../rpc/index.ts'
import type { NodeParts } from './node-parts.ts'

/** Free disk below which the node warns: the journal must never meet a full disk. */
const DISK_FREE_BYTES_MIN = 512 * 1024 * 1024
/** Voters without which no full group can be formed. */
const VOTERS_MIN = 4

/** Looks at everything that usually is wrong when a node does not do what its user expects. */
export async function doctor(parts: NodeParts): Promise<DoctorCheck[]> {
  return [
    listening(parts),
    peers(parts),
    gossip(parts),
    dht(parts),
    voters(parts),
    groups(parts),
    refused(parts),
    await disk(parts),
    await policy(parts)
  ]
}

function check(name: string, ok: boolean, detail: string, fix: string): DoctorCheck {
  return { name, ok, detail, fix: ok ? '' : fix }
}

function listening({ network }: NodeParts): DoctorCheck {
  const addresses = network.addresses()
  return check(
    'listening',
    addresses.length > 0,
    addresses.length > 0 ? addresses.join(', ') : 'no address',
    'give an address with --listen'
  )
}

function peers({ network }: NodeParts): DoctorCheck {
  const { length } = network.peers()
  return check(
    'peers',
    length > 0,
    `${length} connected`,
    'join a node with "can-swarm peers join ADDRESS", or start one more on the same LAN'
  )
}

function gossip({ network }: NodeParts): DoctorCheck {
  const { meshPeers, topicSubscribers, connections } = network.stats()
  const ok = connections === 0 || topicSubscribers > 0
  return check(
    'gossip',
    ok,
    `${meshPeers} in the mesh, ${topicSubscribers} subscribed`,
    'connected peers do not speak this network: compare --network on both sides'
  )
}

function dht({ network }: NodeParts): DoctorCheck {
  const { dhtPeers, connections } = network.stats()
  return check(
    'dht',
    connections === 0 || dhtPeers > 0,
    `${dhtPeers} in the routing table`,
    'wait some seconds after the first connection, then look again'
  )
}

function voters({ swarm, network }: NodeParts): DoctorCheck {
  const connected = new Set(network.peers().map(peer => peer.did))
  let count = 0
  for (const [did, manifest] of swarm.manifests()) {
    if (
      (did === network.did || connected.has(did)) &&
      manifest.envelope.payload.roles.includes('voter')
    )
      count += 1
  }
  return check(
    'voters',
    count >= VOTERS_MIN,
    `${count} reachable, ${VOTERS_MIN} form a group`,
    'connect more nodes, or state NEEDs with --solo'
  )
}

function groups({ swarm }: NodeParts): DoctorCheck {
  const headless = swarm.threadIds().filter(id => {
    const group = swarm.view(id)?.group
    return group?.member === true && group.leader === null && swarm.view(id)?.finalize === null
  })
  return check(
    'groups',
    headless.length === 0,
    headless.length === 0 ? 'every open group has a leader' : `${headless.length} without a leader`,
    'members are unreachable: see "can-swarm thread ID"'
  )
}

function refused({ driver }: NodeParts): DoctorCheck {
  const { ACCEPTED: accepted = 0, ...others } = driver.stats().door
  const list = Object.entries(others).map(([code, count]) => `${code} ${count}`)
  return check(
    'door',
    true,
    `${accepted} accepted${list.length === 0 ? '' : `; refused: ${list.join(', ')}`}`,
    ''
  )
}

async function disk({ config }: NodeParts): Promise<DoctorCheck> {
  const { bavail, bsize } = await statfs(config.home.dir)
  const free = bavail * bsize
  return check(
    'disk',
    free >= DISK_FREE_BYTES_MIN,
    `${Math.floor(free / 1024 / 1024)} MiB free in ${config.home.dir}`,
    'make room, or run "can-swarm gc"'
  )
}

/** Asks twice at once, since a lone question does not reach the threads. */
export async function policy({
  policy: engine,
  logger
}: Pick<NodeParts, 'policy' | 'logger'>): Promise<DoctorCheck> {
  const ask = (): Promise<PolicyDecision> =>
    engine.evaluate(engine.baseCapsule, { gate: 'message' })
  try {
    const [one, other] = await Promise.all([ask(), ask()])
    if (one.allow || other.allow)
      return failed('the base capsule allows an empty message', 'reinstall the program')
  } catch (error) {
    logger.debug('the policy engine does not answer', { error: String(error) })
    return failed(String(error), 'restart the node; if that does not help, reinstall the program')
  }
  const { count, last } = engine.alarms()
  const answers = `base capsule ${engine.baseCapsule} answers`
  return check(
    'policy',
    count === 0,
    count === 0 ? answers : `${answers}; evaluations without an answer: ${count}, last: ${last}`,
    'see "a policy worker is replaced" in the log: a machine with less to do, or NEEDs with another capsule, help'
  )
}

function failed(detail: string, fix: string): DoctorCheck {
  return check('policy', false, detail, fix)
}
