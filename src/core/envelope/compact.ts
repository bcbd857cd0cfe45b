import { CID } from '../codec/index.ts'

/** Links and names that are held once however many envelopes name them: those of some hundred threads and all agents. About 6 MB when full. */
const SHARED_MAX = 8_192
/** Characters from which a text is worth sharing: a DID has 56. Shorter ones are hardly longer than a reference. */
const SHARED_LENGTH_MIN = 40
/** Characters above which a text is nobody's name. */
const SHARED_LENGTH_MAX = 128

/** An honest envelope needs about two: one to pass what is no byte field, one to compare what is. */
const COMPARISONS_PER_BYTE = 4

/** Keeps the most recently used of what it was given, and gives back the one that it has for an equal one. */
class Shared<T> {
  readonly #known = new Map<string, T>()

  get(key: string, make: () => T): T {
    const known = this.#known.get(key)
    if (known !== undefined) this.#known.delete(key)
    else if (this.#known.size >= SHARED_MAX)
      this.#known.delete(this.#known.keys().next().value as string)
    const shared = known ?? make()
    this.#known.set(key, shared)
    return shared
  }
}

const links = new Shared<CID>()
const names = new Shared<string>()

/**
 * The one object for this link: a parsed link takes about 700 bytes, and every envelope of a thread names the same few. Decoding it from
 * its bytes makes its parts views of them.
 */
export function shareLink(link: CID): CID {
  return links.get(String.fromCharCode(...link.bytes), () => CID.decode(link.bytes))
}

/** The one text for this name. Made up of many parts, as the text of a link is, it becomes one piece on the way. */
export function shareName(name: string): string {
  return names.get(name, () => name)
}

/**
 * A decoded envelope in less memory, changed in place: byte fields become views of the envelope's own bytes, which are kept anyway, and equal
 * links and names become one. A node holds the envelopes of thousands of open threads.
 *
 * `value` was decoded from `bytes`, which are canonical, so its fields come in the order in which they are in `bytes`.
 */
export function compact(value: unknown, bytes: Uint8Array): void {
  new Compaction(bytes).into(value)
}

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

class Compaction {
  readonly #bytes: Uint8Array
  /** Where the last byte field ended. */
  #at = 0
  /** Comparisons left: bytes that were made to be searched for long are not worth it. */
  #left: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#left = COMPARISONS_PER_BYTE * bytes.length
  }

  /** Goes through a list or a map. The depth is bounded: the bytes were decoded strictly. */
  into(value: unknown): void {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) value[index] = this.#replace(item)
    } else if (typeof value === 'object' && value !== null) {
      const map = value as Record<string, unknown>
      for (const key of Object.keys(map)) map[key] = this.#replace(map[key])
    }
  }

  #replace(item: unknown): unknown {
    if (typeof item === 'string')
      return item.length >= SHARED_LENGTH_MIN && item.length <= SHARED_LENGTH_MAX
        ? shareName(item)
        : item
    if (typeof item !== 'object' || item === null) return item
    if (item instanceof Uint8Array) return this.#viewOf(item)
    const link = CID.asCID(item)
    if (link !== null) return shareLink(link)
    this.into(item)
    return item
  }

  /** The next place where these bytes are: they were copied from there. */
  #viewOf(copy: Uint8Array): Uint8Array {
    for (let at = this.#at; at + copy.length <= this.#bytes.length && this.#left > 0; at++) {
      if (!this.#isAt(at, copy)) continue
      this.#at = at + copy.length
      return this.#bytes.subarray(at, at + copy.length)
    }
    return copy
  }

  #isAt(at: number, copy: Uint8Array): boolean {
    let index = 0
    while (index < copy.length && this.#bytes[at + index] === copy[index]) index += 1
    this.#left -= index + 1
    return index === copy.length
  }
}
