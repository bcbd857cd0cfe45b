import { type Program, runVerifier, runWorker } from '../agents/index.ts'
import type { SwarmClient } from '../rpc/index.ts'

export type Liar = { readonly stop: () => void }

/** Looks like work and is not. */
const lies: Program = {
  name: 'liar',
  run: () => Promise.resolve({ output: Buffer.from('{"line":1,"language":"xxx"}\n') })
}

/** A worker that underbids everybody and delivers rubbish, and a verifier that finds every honest result wrong. */
export async function startLiar(client: SwarmClient, capability: string): Promise<Liar> {
  const stop = new AbortController()
  const init = { capability, program: lies, signal: stop.signal }
  const ready = Promise.withResolvers<void>()
  const onEvent = (event: { readonly type: string }): void => {
    if (event.type === 'announced') ready.resolve()
  }
  const compare = (): { pass: boolean; reasons: string[] } => ({
    pass: false,
    reasons: ['output_mismatch: says the liar']
  })
  // A liar's node may go away at any time; nobody minds.
  runWorker(client, { ...init, price: '0', onEvent }).catch(() => ready.resolve())
  runVerifier(client, { ...init, compare }).catch(() => undefined)
  await ready.promise
  return { stop: () => stop.abort() }
}
