/**
 * Writes protocols/sync/vectors. Run it with `node test/support/make-sync-vectors.ts` after a deliberate change of the protocol and review the
 * difference: the files are the reference that the code is held to, not the other way round.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { encode as encodeDagJson } from '@ipld/dag-json'
import { encode } from '../../src/core/codec/index.ts'
import { SAMPLES, type Sample, type Signature } from './message-samples.ts'

const FOLDER = new URL('../../protocols/sync/vectors/', import.meta.url)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Bytes as DAG-JSON writes them: `{"/": {"bytes": base64}}`. */
function asJson(message: object): unknown {
  return JSON.parse(new TextDecoder().decode(encodeDagJson(message)))
}

function signatureOf(signature: Signature | undefined): object {
  if (signature === undefined) return {}
  const { signer, slot, epoch, signed } = signature
  return { signature: { signer, slot, epoch, signed: hex(signed) } }
}

function accepted(name: string, { message, signature, items }: Sample): object {
  return {
    name,
    message: asJson(message),
    encoded: hex(encode(message)),
    ...signatureOf(signature),
    ...(items === undefined ? {} : { items })
  }
}

rmSync(FOLDER, { recursive: true, force: true })
mkdirSync(FOLDER, { recursive: true })
for (const [type, { document, valid, invalid }] of Object.entries(SAMPLES)) {
  const vector = {
    type,
    document,
    valid: Object.entries(valid).map(([name, sample]) => accepted(name, sample)),
    invalid: Object.entries(invalid).map(
      ([name, { breaks, refusal, message, bytes, signature }]) => ({
        name,
        breaks,
        refusal,
        encoded: hex(bytes ?? encode(message)),
        ...signatureOf(signature)
      })
    )
  }
  writeFileSync(new URL(`${type}.json`, FOLDER), `${JSON.stringify(vector, null, 2)}\n`)
}
