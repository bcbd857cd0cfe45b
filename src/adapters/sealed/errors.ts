import { SwarmError } from '../../core/base/index.ts'

/** Nobody can be sealed to by this name: the DID is no key that may be used, or its second key is none. */
export class SealedRecipientError extends SwarmError {
  readonly code = 'SEALED_RECIPIENT'
}

/** A sealed file is none, is for another key, or was cut or changed. */
export class SealedFileError extends SwarmError {
  readonly code = 'SEALED_FILE'
}
