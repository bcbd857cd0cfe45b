// Capsules that need no compiler: the wasm of the base capsule, or of fake-policy, under another block.
import type { CapsuleBlock, Vector } from '../../src/adapters/opa/index.ts'
import { cidOf, encode } from '../../src/core/codec/index.ts'
import { type CapsuleDag, gatherCapsule, shippedCapsule } from '../../src/policy/index.ts'

const RAW = 0x55
const OUT_OF_GAS = 'engine: the evaluation ran out of gas'

/** The base capsule with another block, or other wasm. The result is whole, but its vectors may fail. */
export async function alteredCapsule(
  change: (block: CapsuleBlock) => Partial<CapsuleBlock>,
  wasm?: Uint8Array
): Promise<CapsuleDag> {
  const base = await shippedCapsule()
  const { manifest } = base.capsule
  const code = wasm ?? base.capsule.wasm
  const block = encode({ ...manifest, wasm: cidOf(code, RAW), ...change(manifest) })
  const blocks = new Map(base.blocks)
  blocks.set(cidOf(block).toString(), block)
  blocks.set(cidOf(code, RAW).toString(), code)
  return gatherCapsule(cidOf(block).toString(), cid => blocks.get(cid) ?? new Uint8Array())
}

/** Decides as the base capsule does; only its name is another. */
export function lenientCapsule(name = 'lenient'): Promise<CapsuleDag> {
  return alteredCapsule(() => ({ name }))
}

/** Has so little gas that it denies everything; with some more, that a bid passes and a result, whose question is longer, does not. */
export function frugalCapsule(gas = 10_000): Promise<CapsuleDag> {
  return alteredCapsule(({ vectors }) => {
    const limits = { gas, stack: 16_384 }
    const decision = { allow: false, reasons: [OUT_OF_GAS], gas: limits.gas }
    return { name: 'frugal', limits, vectors: [{ ...(vectors[0] as Vector), decision }] }
  })
}

/** Says of itself what it does not do. */
export function lyingCapsule(): Promise<CapsuleDag> {
  return alteredCapsule(({ vectors }) => {
    const [first] = vectors
    const decision = { allow: false, reasons: ['never'], gas: 1 }
    return { name: 'lying', vectors: [{ ...(first as Vector), name: 'a lie', decision }] }
  })
}

/** Wasm of anybody's making, with one vector that an allow at the cost of `gas` passes. */
export function wasmCapsule(wasm: Uint8Array, gas: number, limit = 1_000_000): Promise<CapsuleDag> {
  return alteredCapsule(
    () => ({
      name: 'wasm',
      limits: { gas: limit, stack: 16_384 },
      vectors: [
        {
          name: 'anything',
          input: { gate: 'message' },
          decision: { allow: true, reasons: [], gas }
        }
      ]
    }),
    wasm
  )
}
