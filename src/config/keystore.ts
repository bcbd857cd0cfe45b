import type { FlagsFor } from './flag.ts'

/** How the node's key is protected on disk. Empty: the key file is protected by its mode 0600 alone. */
export type KeystoreConfig = { readonly passphrase: string; readonly passphraseFile: string }

export const keystoreDefaults: KeystoreConfig = { passphrase: '', passphraseFile: '' }

export const keystoreFlags: FlagsFor<'keystore', KeystoreConfig> = {
  'keystore.passphrase': {
    type: 'text',
    // Other users can read a command line.
    option: null,
    env: 'CAN_SWARM_PASSPHRASE',
    unit: 'TEXT',
    secret: true,
    help: 'Passphrase of the key; from the environment, a file, or asked for with --ask-passphrase.'
  },
  'keystore.passphraseFile': {
    type: 'text',
    option: 'passphrase-file',
    env: 'CAN_SWARM_PASSPHRASE_FILE',
    unit: 'FILE',
    help: 'File whose first line is the passphrase of the key.'
  }
}
