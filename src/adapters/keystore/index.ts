/**
 * The node's key on disk: one JSON file, mode 0600 in a folder that others cannot write, optionally locked by a passphrase
 * (scrypt, AES-256-GCM). See protocols/identity/.
 *
 * 1. A key file is written whole or not at all, and never over another one.
 * 2. Damage, a wrong passphrase, a missing passphrase and open permissions are told apart, each with what to do.
 */
export { SCRYPT_LOG_N } from './encryption.ts'
export {
  KeystoreCorruptError,
  KeystoreExistsError,
  KeystoreFailedError,
  KeystoreMissingError,
  KeystorePermissionsError,
  KeystoreVersionError,
  PassphraseNeededError,
  WrongPassphraseError
} from './errors.ts'
export {
  changePassphrase,
  exportKeystore,
  importKeystore,
  type Keystore,
  type KeystoreInit,
  openKeystore
} from './keystore.ts'
