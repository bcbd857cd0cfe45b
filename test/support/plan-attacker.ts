/**
 * Entry of a worker thread: a libp2p peer that speaks plan sync without a node behind it. It sends the frames that it is given, each case as
 * a peer of a new key, and says how far it came.
 */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { multiaddr } from '@multiformats/multiaddr'
import { encode } from 'it-length-prefixed'
import { nodeSigner } from '../../src/adapters/ed25519/index.ts'
import { libp2pNetwork } from '../../src/adapters/libp2p/index.ts'

export type AttackerData = { readonly networkName: string; readonly address: string }

export type AttackCase = {
  readonly name: string
  readonly frames: readonly Uint8Array[]
  /** Sends all frames at once instead of waiting until each is handled. */
  readonly isImpatient?: boolean
  /** Sends the frames as they are, without a length before each. */
  readonly isRaw?: boolean
}

export type AttackResult = {
  readonly name: string
  readonly did: string
  /** Frames that the node said it has handled. */
  readonly handled: number
  /** Whether the node ended the stream. */
  readonly isCut: boolean
}

/** Wait for a sign of the node, in ms: of one that must come, and of one that need not. */
const PATIENCE_MS = 20_000
const IMPATIENCE_MS = 3_000
const silent = { error() {}, warn() {}, info() {}, debug() {} }

const { networkName, address } = workerData as AttackerData
parentPort?.on('message', async (attack: AttackCase) => {
  parentPort?.postMessage(await run(attack))
})

async function run({ name, frames, isImpatient, isRaw }: AttackCase): Promise<AttackResult> {
  const seed = new Uint8Array(createHash('sha256').update(`attacker ${name}`).digest())
  const { did } = nodeSigner(seed)
  const network = await libp2pNetwork({
    seed,
    did,
    networkName,
    listen: [],
    bootstrap: [],
    mdns: false,
    logger: silent
  })
  await network.start()
  try {
    const host = network.libp2p
    const connection = await host.dial(multiaddr(address))
    const stream = await connection.newStream(`/can-swarm/${networkName}/plan/1`)
    const patienceMs = isImpatient === true ? IMPATIENCE_MS : PATIENCE_MS
    let handled = 0
    let isCut = false
    let wake = (): void => undefined
    stream.addEventListener('message', ({ data }) => {
      handled += data.byteLength
      wake()
    })
    stream.addEventListener('close', () => {
      isCut = true
      wake()
    })
    const sign = (count: number): Promise<void> =>
      new Promise(resolve => {
        const timer = setTimeout(resolve, patienceMs)
        wake = () => {
          if (handled < count && !isCut) return
          clearTimeout(timer)
          resolve()
        }
        wake()
      })
    for (const [at, frame] of frames.entries()) {
      if (isCut) break
      try {
        if (!stream.send(isRaw === true ? frame : encode.single(frame)) && isImpatient === true)
          await Promise.race([stream.onDrain().catch(() => undefined), sign(frames.length)])
      } catch {
        break
      }
      if (isImpatient !== true) await sign(at + 1)
    }
    await sign(frames.length)
    return { name, did, handled, isCut }
  } finally {
    await network.stop()
  }
}
