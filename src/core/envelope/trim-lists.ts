import { CID } from '../codec/index.ts'

/**
 * Gives every list in a value that holds no more than maps, lists and leaves the memory of its items only, in place: one that grew item by
 * item has room for seventeen, and most lists of an envelope are empty or short. The depth is bounded: the value has a shape.
 */
export function trimLists(value: object): void {
  const map = value as Record<string, unknown>
  for (const key of Object.keys(map)) {
    const item = map[key]
    if (typeof item !== 'object' || item === null || item instanceof Uint8Array) continue
    if (CID.asCID(item) !== null) continue
    if (Array.isArray(item)) map[key] = item.slice()
    trimLists(map[key] as object)
  }
}
