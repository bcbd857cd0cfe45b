import { BadAddressError, LISTEN_EXAMPLE, ListenFailedError, PortInUseError } from './errors.ts'

/** What went wrong when libp2p started: it reports all addresses in one text, with the system's words in it. */
export function listenFailure(listen: readonly string[], error: unknown): unknown {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error)
  if (!text.startsWith('UnsupportedListenAddresses') && !/listen E[A-Z]+/u.test(text)) return error
  const failed = listen.filter(address => listen.length === 1 || text.includes(`  ${address}: `))
  const first = failed[0] ?? listen.join(', ')
  if (text.includes('EADDRINUSE')) return new PortInUseError(first, error)
  if (text.includes('EADDRNOTAVAIL')) {
    return new BadAddressError(first, 'is not an address of this machine', {
      cause: error,
      example: LISTEN_EXAMPLE
    })
  }
  const reason = /\b(E[A-Z]{4,})\b/u.exec(text)?.[1] ?? 'unknown reason'
  return new ListenFailedError({ addresses: failed, reason }, error)
}
