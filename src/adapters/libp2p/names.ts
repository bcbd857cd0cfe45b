import { toHex, utf8 } from '../../core/base/index.ts'
import { type CID, cidOf, hash } from '../../core/codec/index.ts'

/** The names by which nodes of one network find and understand each other, and nodes of others do not. */
export type Names = {
  readonly kad: string
  readonly direct: string
  /** Plan sync. */
  readonly plan: string
  /** Questions about checkpoints and history. */
  readonly exchange: string
  readonly topic: string
  /** Key of the DHT under which voters announce themselves. */
  readonly voters: CID
  /** mDNS service. A DNS label has 63 bytes at most, so the network's name goes in as a hash. */
  readonly mdns: string
}

/** All protocol names of a network. */
export function namesOf(networkName: string): Names {
  const root = `/can-swarm/${networkName}`
  const label = toHex(hash(utf8(networkName))).slice(0, 16)
  return {
    kad: `${root}/kad/1.0.0`,
    direct: `${root}/direct/1.0.0`,
    plan: `${root}/plan/1`,
    exchange: `${root}/exchange/1`,
    topic: `${root}/envelopes/1`,
    voters: cidOf(utf8(`${root}/voters/1`)),
    mdns: `_can-swarm-${label}._udp.local`
  }
}
