import { SwarmError } from '../../core/base/index.ts'

/** Another program listens on the address. Raised by `start`. */
export class PortInUseError extends SwarmError {
  readonly code = 'PORT_IN_USE'

  constructor(address: string, cause: unknown) {
    super(
      `${address} is in use by another program: stop it, or listen on another port (/tcp/0 lets the system pick one)`,
      { address },
      { cause }
    )
  }
}

const JOIN_EXAMPLE = '/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo...'
/** Every interface of the machine. */
export const LISTEN_EXAMPLE = '/ip4/0.0.0.0/tcp/4001'

/** A listen or join address that no node can have. Raised before anything is opened. */
export class BadAddressError extends SwarmError {
  readonly code = 'BAD_ADDRESS'

  constructor(
    address: string,
    flaw: string,
    { example = JOIN_EXAMPLE, ...options }: ErrorOptions & { readonly example?: string } = {}
  ) {
    super(`"${address}" ${flaw}; an address looks like ${example}`, { address }, options)
  }
}

/** The system refused to listen for a reason other than a port in use. Raised by `start`. */
export class ListenFailedError extends SwarmError {
  readonly code = 'LISTEN_FAILED'

  constructor(
    details: { readonly addresses: readonly string[]; readonly reason: string },
    cause: unknown
  ) {
    super(
      `cannot listen on ${details.addresses.join(', ')} (${details.reason}): choose an address of this machine and a port that you may open`,
      details,
      { cause }
    )
  }
}

/** Nobody answered at the address, or not the peer that it names. Raised by `join` and `ping`. */
export class PeerUnreachableError extends SwarmError {
  readonly code = 'PEER_UNREACHABLE'

  constructor(target: string, reason: string, cause?: unknown) {
    super(
      `${target} cannot be reached (${reason}): check that the node runs, that the address is its current one, and that no firewall is between`,
      { target, reason },
      { cause }
    )
  }
}

/** A node answered, but it belongs to another network. Raised by `join`. */
export class WrongNetworkError extends SwarmError {
  readonly code = 'WRONG_NETWORK'

  constructor(target: string, networkName: string) {
    super(
      `the node at ${target} answers but is not of the network "${networkName}": start both with the same --network`,
      { target, networkName }
    )
  }
}

/** A short reason for people, from what libp2p and the system throw. Contains nothing that a peer wrote. */
export function reasonOf(error: unknown): string {
  const text = textOf(error)
  const system = /\b(E[A-Z]{4,})\b/u.exec(text)?.[1]
  if (system === 'ECONNREFUSED') return 'connection refused'
  if (system === 'EHOSTUNREACH' || system === 'ENETUNREACH') return 'no route to the host'
  if (system === 'ETIMEDOUT' || /timed? ?out|aborted/iu.test(text)) return 'no answer in time'
  if (system === 'ECONNRESET') return 'the connection was closed'
  if (/ENOTFOUND|EAI_AGAIN/u.test(text)) return 'the host name is not known'
  if (/does not match|UnexpectedPeer|expected peer/iu.test(text))
    return 'another peer answers there'
  if (/NoValidAddresses|no valid addresses/iu.test(text))
    return 'no address that this node can dial'
  if (/NotFound/u.test(text)) return 'no address is known'
  return system ?? 'the handshake failed'
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const parts =
    error instanceof AggregateError ? error.errors : error.cause === undefined ? [] : [error.cause]
  return [error.name, error.message, ...parts.map(textOf)].join(' ')
}
