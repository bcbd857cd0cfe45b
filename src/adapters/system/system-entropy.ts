import { randomFillSync } from 'node:crypto'
import type { Entropy } from '../../ports/index.ts'

/** The operating system's random generator. */
export function systemEntropy(): Entropy {
  return { bytes: count => randomFillSync(new Uint8Array(count)) }
}
