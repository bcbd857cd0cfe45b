import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { fromHex, toHex } from '../../core/base/index.ts'
import { encode } from '../../core/codec/index.ts'
import { WrongPassphraseError } from './errors.ts'
import type { KeyFile } from './format.ts'

/** N = 2^17, r = 8, p = 1: 128 MiB and some 0.3 s a guess. OWASP's first choice for scrypt. */
export const SCRYPT_LOG_N = 17

type Lock = { readonly passphrase: string; readonly logN: number }

/**
 * A key file for a seed: in the clear without a lock, else scrypt, then AES-256-GCM. Salt and nonce are fresh each time, so
 * no key ever encrypts twice. The header is bound as associated data: nobody can give the ciphertext another owner or a
 * weaker derivation.
 */
export async function encryptSeed(
  seed: Uint8Array,
  did: string,
  lock: Lock | null
): Promise<KeyFile> {
  const base = { format: 'can-swarm-keystore', version: 1, did } as const
  if (lock === null) return { ...base, kdf: null, cipher: null, seed: toHex(seed) }
  const kdf = {
    name: 'scrypt',
    logN: lock.logN,
    r: 8,
    p: 1,
    salt: randomBytes(16).toString('hex')
  } as const
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(lock.passphrase, kdf), iv)
  cipher.setAAD(associatedData({ ...base, kdf }))
  const encrypted = Buffer.concat([cipher.update(seed), cipher.final()]).toString('hex')
  const tag = cipher.getAuthTag().toString('hex')
  return {
    ...base,
    kdf,
    cipher: { name: 'aes-256-gcm', iv: iv.toString('hex'), tag },
    seed: encrypted
  }
}

/** The seed of an encrypted key file. Throws WrongPassphraseError; damage has been told apart by the checksum. */
export async function decryptSeed(
  path: string,
  keyFile: KeyFile,
  passphrase: string
): Promise<Uint8Array> {
  const { format, version, did, kdf, cipher } = keyFile
  if (kdf === null || cipher === null) return fromHex(keyFile.seed)
  const key = await deriveKey(passphrase, kdf)
  const decipher = createDecipheriv('aes-256-gcm', key, fromHex(cipher.iv), { authTagLength: 16 })
  decipher.setAAD(associatedData({ format, version, did, kdf }))
  decipher.setAuthTag(fromHex(cipher.tag))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(fromHex(keyFile.seed)), decipher.final()]))
  } catch (cause) {
    throw new WrongPassphraseError(path, { cause })
  }
}

function associatedData(header: Pick<KeyFile, 'format' | 'version' | 'did' | 'kdf'>): Uint8Array {
  return encode(header)
}

/** NFKC: the same passphrase typed on another system gives the same key. */
function deriveKey(passphrase: string, kdf: NonNullable<KeyFile['kdf']>): Promise<Buffer> {
  const cost = { N: 2 ** kdf.logN, r: kdf.r, p: kdf.p, maxmem: 2 ** 31 - 1 }
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), fromHex(kdf.salt), 32, cost, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
