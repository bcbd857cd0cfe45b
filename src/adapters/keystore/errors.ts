import { SwarmError } from '../../core/base/index.ts'

/** There is no key at this path. */
export class KeystoreMissingError extends SwarmError {
  readonly code = 'KEYSTORE_MISSING'

  constructor(path: string, options?: ErrorOptions) {
    super(
      `there is no key at ${path}: run \`can-swarm init\` to make one, or set the home that holds it`,
      { path },
      options
    )
  }
}

/** A key was to be written where a file is already. Nothing was changed. */
export class KeystoreExistsError extends SwarmError {
  readonly code = 'KEYSTORE_EXISTS'

  constructor(path: string, options?: ErrorOptions) {
    super(
      `${path} exists already and a key is never overwritten: move it away first, or choose another home`,
      { path },
      options
    )
  }
}

/** The file is not a whole keystore. */
export class KeystoreCorruptError extends SwarmError {
  readonly code = 'KEYSTORE_CORRUPT'

  constructor(path: string, what: string, options?: ErrorOptions) {
    super(
      `the key file ${path} is damaged (${what}): restore it from a copy; without one this identity is lost`,
      { path, what },
      options
    )
  }
}

/** The file was written by a later release. */
export class KeystoreVersionError extends SwarmError {
  readonly code = 'KEYSTORE_VERSION'

  constructor(path: string, found: number) {
    super(
      `the key file ${path} has version ${found}, and this release reads version 1: use the release that wrote it`,
      { path, found }
    )
  }
}

/** The file is whole and the passphrase does not open it. */
export class WrongPassphraseError extends SwarmError {
  readonly code = 'WRONG_PASSPHRASE'

  constructor(path: string, options?: ErrorOptions) {
    super(`the passphrase does not open the key ${path}: check it and try again`, { path }, options)
  }
}

/** The key is encrypted and no passphrase was given, or an empty one was chosen for a new key. */
export class PassphraseNeededError extends SwarmError {
  readonly code = 'PASSPHRASE_NEEDED'

  constructor(path: string) {
    super(
      `the key ${path} needs a passphrase: set CAN_SWARM_PASSPHRASE or name a file with --passphrase-file`,
      { path }
    )
  }
}

/** Others than the owner may read the key, or may put another one in its place. */
export class KeystorePermissionsError extends SwarmError {
  readonly code = 'KEYSTORE_PERMISSIONS'

  constructor(path: string, mode: number, wanted: number) {
    const text = (bits: number): string => bits.toString(8).padStart(4, '0')
    super(
      `${path} has mode ${text(mode)} and is open to others: run \`chmod ${wanted.toString(8)} ${path}\``,
      { path, mode: text(mode) }
    )
  }
}

/** The operating system refused to read or write the file. */
export class KeystoreFailedError extends SwarmError {
  readonly code = 'KEYSTORE_FAILED'

  constructor(path: string, cause: unknown) {
    super(
      `the key file ${path} cannot be read or written: ${(cause as Error).message}`,
      { path },
      { cause }
    )
  }
}
