/**
 * A seeded generator of whole numbers (xoshiro128**, Blackman and Vigna 2018): the core's only randomness, so that one seed
 * reproduces a run. Not for secrets. `seed` has at least 16 bytes; more are ignored.
 */
export function seededGenerator(seed: Uint8Array): (below: number) => number {
  const view = new DataView(seed.buffer, seed.byteOffset, 16)
  // The all-zero state is the one that the generator cannot leave.
  let [a, b, c, d] = [
    view.getUint32(0),
    view.getUint32(4),
    view.getUint32(8),
    view.getUint32(12) | 1
  ]
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }
  // Multiply and shift: the bias is below / 2^32, far below anything that an election timeout could notice.
  return below => Number((BigInt(next()) * BigInt(below)) >> 32n)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
