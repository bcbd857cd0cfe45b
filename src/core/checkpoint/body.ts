import { assert, fromBase64, ok, type Result, refuse, toBase64 } from '../base/index.ts'
import { parseDid } from '../identity/index.ts'
import { TREE_SIZE_MAX } from '../merkle/index.ts'
import { isKeyName } from './note.ts'

/** Lines after the root: each names a root of state, or says what later releases have to say. */
const EXTENSIONS_MAX = 16
/** Code units of one line of a checkpoint. */
const LINE_LENGTH_MAX = 512
const ORIGIN = /^can-swarm\/([a-z0-9][a-z0-9-]{0,63})\/(did:key:z[1-9A-HJ-NP-Za-km-z]+)$/

/** What a log was at a moment. */
export type Checkpoint = {
  /** Whose log, on which network: `can-swarm/NETWORK/DID`. */
  readonly origin: string
  /** Leaves of the log. */
  readonly size: bigint
  /** Root of the tree over them (RFC 9162). */
  readonly root: Uint8Array
  /** Further lines, each not empty: `NAME BASE64` by our custom. */
  readonly extensions: readonly string[]
}

/** The name of a node's log. */
export function formatOrigin(network: string, did: string): string {
  return `can-swarm/${network}/${did}`
}

/** The DID and the network that an origin names; refuses with `CHECKPOINT_ORIGIN`. */
export function originOf(origin: string): Result<{ network: string; did: string }> {
  const [, network, did] = ORIGIN.exec(origin) ?? []
  if (network === undefined || did === undefined || !parseDid(did).ok)
    return refuse('CHECKPOINT_ORIGIN', 'the origin of a checkpoint is can-swarm/NETWORK/DID')
  return ok({ network, did })
}

/** Reads the text of a note as a checkpoint; refuses with `CHECKPOINT_MALFORMED`. Source: C2SP tlog-checkpoint. */
export function parseCheckpoint(text: string): Result<Checkpoint> {
  if (!text.endsWith('\n')) return malformed('it does not end in a newline')
  const [origin, size, root, ...extensions] = text.slice(0, -1).split('\n')
  if (origin === undefined || size === undefined || root === undefined)
    return malformed('it has fewer than three lines')
  if (!isKeyName(origin) || origin.length > LINE_LENGTH_MAX) return malformed('it has no origin')
  if (!/^(0|[1-9][0-9]{0,19})$/.test(size) || BigInt(size) > TREE_SIZE_MAX)
    return malformed('its size is not a decimal number below 2^64')
  const hash = fromBase64(root)
  if (hash?.length !== 32) return malformed('its root is not 32 bytes in base64')
  if (extensions.length > EXTENSIONS_MAX || !extensions.every(isExtension))
    return malformed('its further lines are too many, too long or empty')
  return ok({ origin, size: BigInt(size), root: hash, extensions })
}

/** The text of a checkpoint: what is signed. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  assert(isKeyName(origin), 'an origin can name a key')
  assert(size >= 0n && size <= TREE_SIZE_MAX, 'a size is below 2^64')
  assert(extensions.every(isExtension), 'an extension is a line')
  return [origin, String(size), toBase64(root), ...extensions, ''].join('\n')
}

function isExtension(line: string): boolean {
  return line.length > 0 && line.length <= LINE_LENGTH_MAX && !line.includes('\n')
}

function malformed(why: string): Result<never> {
  return refuse('CHECKPOINT_MALFORMED', `the checkpoint cannot be read: ${why}`)
}
