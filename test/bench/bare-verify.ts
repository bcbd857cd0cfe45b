/** Entry of a thread that verifies Ed25519 signatures by node:crypto and does nothing else: as many as it is told, at a time. */
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

/** Bytes under one signature: those of an ordinary envelope. */
const SIGNED_BYTES = 550

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const bytes = new Uint8Array(SIGNED_BYTES).fill(1)
const signature = sign(null, bytes, privateKey)

parentPort?.on('message', (count: number) => {
  let good = 0
  for (let index = 0; index < count; index++)
    if (verify(null, bytes, publicKey, signature)) good += 1
  parentPort?.postMessage(good)
})
