import { isKemAvailable } from '../adapters/sealed/index.ts'
import { CID } from '../core/codec/index.ts'
import { SealedKeyAbsentError } from './errors.ts'
import type { NodeParts } from './node-parts.ts'

/** Beginning of the tag of a manifest that names a node's ML-KEM key: the CID of its bytes, which the node's artifact store has. */
export const KEM_TAG = 'mlkem768/'

/** How long an export waits for the recipient's second key, in ms. */
const KEM_MS = 5_000

type Parts = {
  readonly swarm: Pick<NodeParts['swarm'], 'manifests'>
  readonly artifacts: Pick<NodeParts['artifacts'], 'getBlock'>
}

/**
 * The ML-KEM key that the recipient's manifest names; null where none is known here to name one, or this machine has no ML-KEM: then a file has X25519 alone.
 * Rejects with SealedKeyAbsentError when it is named and cannot be had: else who withholds one block would choose how a file is sealed.
 */
export async function secondKeyOf(
  { swarm, artifacts }: Parts,
  recipient: string
): Promise<Uint8Array | null> {
  const tags = swarm.manifests().get(recipient)?.envelope.payload.tags ?? []
  const cid = tags.find(tag => tag.startsWith(KEM_TAG))?.slice(KEM_TAG.length)
  if (cid === undefined || !isKemAvailable) return null
  try {
    return await artifacts.getBlock(CID.parse(cid).toString(), { timeoutMs: KEM_MS })
  } catch (error) {
    throw new SealedKeyAbsentError(recipient, error)
  }
}
