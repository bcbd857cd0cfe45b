import { taggedHash } from '../../core/codec/index.ts'
import type { Entropy } from '../../ports/index.ts'

/** Bytes that look random and are the same for the same seed: SHA-256 over seed and counter. Never for keys of real nodes. */
export function seededEntropy(seed: number | string): Entropy {
  let counter = 0
  return {
    bytes(count) {
      const bytes = new Uint8Array(count)
      for (let start = 0; start < count; start += 32) {
        const block = taggedHash('can-swarm/seeded-entropy', { seed, counter: counter++ })
        bytes.set(block.subarray(0, count - start), start)
      }
      return bytes
    }
  }
}
