import * as v from 'valibot'
import { toHex } from '../../core/base/index.ts'
import { taggedHash } from '../../core/codec/index.ts'
import { KeystoreCorruptError, KeystoreVersionError } from './errors.ts'

/** Largest key file that is read, in bytes; a real one has about 700. */
export const KEYSTORE_BYTES_MAX: number = 16 * 1024

const hexOf = (bytes: number): v.GenericSchema<string> =>
  v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`, 'u')))

/**
 * scrypt (RFC 7914) with cost N = 2^logN. The bounds keep a file that somebody changed from asking for more than 1 GiB
 * of memory (128 * r * N bytes).
 */
const kdf = v.strictObject({
  name: v.literal('scrypt'),
  logN: v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(20)),
  r: v.literal(8),
  p: v.literal(1),
  salt: hexOf(16)
})

const header = {
  format: v.literal('can-swarm-keystore'),
  version: v.literal(1),
  /** Whose key it is. Readable without the passphrase, and checked against the key. */
  did: v.string(),
  /** How the passphrase becomes a key; null where the seed is not encrypted. */
  kdf: v.nullable(kdf),
  cipher: v.nullable(
    v.strictObject({ name: v.literal('aes-256-gcm'), iv: hexOf(12), tag: hexOf(16) })
  ),
  /** The 32-byte RFC 8032 seed, encrypted where `cipher` is set. Hex. */
  seed: hexOf(32)
}

const file = v.strictObject({
  ...header,
  /** SHA-256 over the rest: tells damage from a wrong passphrase. No protection against somebody who can write. */
  checksum: hexOf(32)
})

const unchecked = v.strictObject(header)

/** The key file without its checksum. */
export type KeyFile = v.InferOutput<typeof unchecked>

/** The text of a key file: JSON for people, ends in a newline. */
export function formatKeyFile(keyFile: KeyFile): string {
  return `${JSON.stringify({ ...keyFile, checksum: checksumOf(keyFile) }, null, 2)}\n`
}

/** Parses the text of the key file at `path`, which is named in errors only. */
export function parseKeyFile(path: string, text: string): KeyFile {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new KeystoreCorruptError(path, 'it is not JSON', { cause })
  }
  const version = versionOf(json)
  if (version !== undefined && version > 1) throw new KeystoreVersionError(path, version)
  const parsed = v.safeParse(file, json)
  // The issue's own message can quote the secret.
  if (!parsed.success)
    throw new KeystoreCorruptError(path, `${v.getDotPath(parsed.issues[0]) ?? 'its form'} is wrong`)
  const { checksum, ...keyFile } = parsed.output
  if (checksum !== checksumOf(keyFile))
    throw new KeystoreCorruptError(path, 'its checksum does not match')
  if ((keyFile.kdf === null) !== (keyFile.cipher === null)) {
    throw new KeystoreCorruptError(path, 'kdf and cipher do not fit together')
  }
  return keyFile
}

function versionOf(json: unknown): number | undefined {
  if (typeof json !== 'object' || json === null || !('version' in json)) return undefined
  return typeof json.version === 'number' ? json.version : undefined
}

function checksumOf(keyFile: KeyFile): string {
  return toHex(taggedHash('can-swarm/keystore-checksum/v1', keyFile))
}
