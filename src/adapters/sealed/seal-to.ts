import { admitKey, parseDid } from '../../core/identity/index.ts'
import { SealedRecipientError } from './errors.ts'
import { openPart, PIECE_BYTES, pieceKey, piecesOf, sealPiece } from './format.ts'
import { encapsulateTo, isKemAvailable, KEM_KEY_BYTES } from './kem.ts'
import { agree, freshKey, toMontgomery } from './x25519.ts'

export type Recipient = {
  readonly did: string
  /** Its ML-KEM-768 public key, if it offers one. */
  readonly kem: Uint8Array | null
}

/** A stream that only the recipient can read. Raises SealedRecipientError at the first piece when there is no sealing to it. */
export async function* sealTo(
  { did, kem }: Recipient,
  stream: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  const recipient = toMontgomery(admittedKey(did))
  const own = freshKey()
  const second = kem === null || !isKemAvailable ? null : encapsulated(did, kem)
  const open = openPart({ to: did, key: own.publicKey, kem: second?.ciphertext ?? null })
  const secrets = [agree(own.secret, recipient), ...(second === null ? [] : [second.secret])]
  const key = pieceKey(open, recipient, secrets)
  yield open
  let index = 0
  for await (const { piece, isLast } of piecesOf(stream, PIECE_BYTES)) {
    yield sealPiece(key, index, isLast, piece)
    index += 1
  }
}

function admittedKey(did: string): Uint8Array {
  const parsed = parseDid(did)
  if (parsed.ok && admitKey(parsed.value)) return parsed.value
  throw new SealedRecipientError(
    `${did} is not the DID of an Ed25519 key: give that of the reader`,
    {
      did
    }
  )
}

function encapsulated(did: string, kem: Uint8Array): ReturnType<typeof encapsulateTo> {
  try {
    if (kem.length === KEM_KEY_BYTES) return encapsulateTo(kem)
  } catch {
    // Said below.
  }
  throw new SealedRecipientError(`the ML-KEM key that ${did} offers is none`, { did })
}
