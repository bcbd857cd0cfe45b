/**
 * Files for one reader: encrypted to a recipient's DID, so that only its key opens them. X25519 from the recipient's Ed25519 key and, where the
 * recipient offers one, ML-KEM-768 beside it, so that what is recorded today stays closed to the machines of tomorrow.
 *
 * 1. Sealing and opening stream: memory does not grow with the file.
 * 2. Nothing of a file that was cut, changed or meant for another key is passed on as complete; `openSealed` throws at the first flaw.
 * 3. Who sealed is not said: a record inside is signed by itself.
 *
 * Specification: protocols/record/README.md, "Sealed files".
 */
export { SealedFileError, SealedRecipientError } from './errors.ts'
export { isKemAvailable, KEM_KEY_BYTES } from './kem.ts'
export { type SealKeys, sealKeys } from './keys.ts'
export { openSealed } from './open-sealed.ts'
export { type Recipient, sealTo } from './seal-to.ts'
