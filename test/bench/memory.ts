import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { nodeSigner, nodeVerifier } from '../../src/adapters/ed25519/index.ts'
import { cidOf } from '../../src/core/codec/index.ts'
import { Swarm } from '../../src/core/swarm/index.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that are in use when everything unused has been collected: objects, and the bytes that buffers hold outside the heap. */
export async function bytesInUse(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collect()
    // Finalizers and what they free come with the next turn.
    await new Promise(resolve => setImmediate(resolve))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Bytes that a state machine takes for each of so many groups that have ended and been archived. */
export async function endedGroupBytes(count: number): Promise<number> {
  const signer = nodeSigner(randomBytes(32))
  const swarm = new Swarm({
    did: signer.did,
    sign: bytes => signer.sign(bytes),
    verify: nodeVerifier(),
    random: () => 0
  })
  const id = (): string => cidOf(randomBytes(32)).toString()
  const before = await bytesInUse()
  for (let index = 0; index < count; index += 1)
    swarm.restore({
      type: 'tombstone',
      thread: id(),
      slot: `${signer.did}/need-${randomBytes(8).toString('hex')}`,
      epoch: 0,
      decision: id(),
      phase: 'FINAL',
      until: Date.now() + 86_400_000
    })
  swarm.start(Date.now())
  const bytes = ((await bytesInUse()) - before) / count
  // Still in use here, so that it was while its bytes were counted.
  if (swarm.nextTickMs() < 0) throw new RangeError('a machine never wants a tick in the past')
  return bytes
}
