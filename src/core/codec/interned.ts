import { CID } from 'multiformats/cid'
import { Digest } from 'multiformats/hashes/digest'
import { CID_CODECS, DAG_CBOR, SHA2_256 } from './canonical.ts'

/** Bytes of a link in the one form that links have (R1): version, codec, hash, length, digest. */
export const LINK_SIZE = 36
/** Bytes of it before the digest. */
const LINK_HEAD_SIZE = 4
/** Characters above which a text is nobody's name. */
const SHARED_LENGTH_MAX = 128

/** Keys are few: those of the protocol's maps. */
const KEYS_MAX = 1_024
/** Texts that are held once: the names of all agents, and what they say again and again. About 1 MB when full. */
const TEXTS_MAX = 8_192
/** Links that are held once however many envelopes name them: those of some hundred threads. About 6 MB when full. */
const LINKS_MAX = 8_192

/** Whether the CID that begins there has the profile of the protocol. The four bytes are compared as bytes: no varint has a second form. */
export function isPlainLink(bytes: Uint8Array, start: number): boolean {
  return (
    bytes[start] === 1 &&
    CID_CODECS.has(bytes[start + 1] as number) &&
    bytes[start + 2] === SHA2_256 &&
    bytes[start + 3] === LINK_SIZE - LINK_HEAD_SIZE
  )
}

/** A link from its bytes, of which it keeps a copy. Its parts are views of that: a parsed link takes about 700 bytes. */
function linkAt(bytes: Uint8Array, start: number): CID {
  const own = new Uint8Array(LINK_SIZE)
  for (let at = 0; at < LINK_SIZE; at++) own[at] = bytes[start + at] as number
  const multihash = own.subarray(2)
  const digest = own.subarray(LINK_HEAD_SIZE)
  return new CID(1, own[1] as number, new Digest(SHA2_256, digest.length, digest, multihash), own)
}

/**
 * Short ASCII texts, each held once. A table of fixed size: what falls on an occupied place takes it, so that finding costs the same
 * whatever strangers send.
 */
class InternedTexts {
  readonly #places: (string | undefined)[]

  /** `count`: places, a power of two. */
  constructor(count: number) {
    this.#places = new Array<string | undefined>(count).fill(undefined)
  }

  /** Null for text that is long, or not all ASCII. */
  get(bytes: Uint8Array, start: number, end: number): string | null {
    if (end - start > SHARED_LENGTH_MAX) return null
    let mixed = end - start
    let all = 0
    for (let at = start; at < end; at++) {
      const code = bytes[at] as number
      mixed = (Math.imul(mixed, 31) + code) | 0
      all |= code
    }
    if (all > 0x7f) return null
    const place = (mixed ^ (mixed >>> 15)) & (this.#places.length - 1)
    const known = this.#places[place]
    if (known !== undefined && isTextAt(known, bytes, start, end)) return known
    const text = String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[])
    this.#places[place] = text
    return text
  }
}

function isTextAt(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let at = 0; at < text.length; at++)
    if (text.charCodeAt(at) !== bytes[start + at]) return false
  return true
}

/** Links, each held once, in pairs of places: of three that fall on one pair the one that was not asked for longest goes. */
class InternedLinks {
  readonly #places: (CID | undefined)[]
  /** Where the CID of a digest is put together. */
  readonly #whole: Uint8Array = Uint8Array.of(1, DAG_CBOR, SHA2_256, 32, ...new Uint8Array(32))

  /** `count`: places, a power of two. */
  constructor(count: number) {
    this.#places = new Array<CID | undefined>(count).fill(undefined)
  }

  /** The link to the DAG-CBOR block with this digest. */
  ofDigest(digest: Uint8Array): CID {
    this.#whole.set(digest, LINK_HEAD_SIZE)
    return this.get(this.#whole, 0)
  }

  /** The link whose CID begins there, which has been checked (`isPlainLink`). */
  get(bytes: Uint8Array, start: number): CID {
    const places = this.#places
    const digest = start + LINK_HEAD_SIZE
    const mixed =
      ((bytes[digest] as number) << 16) |
      ((bytes[digest + 1] as number) << 8) |
      (bytes[digest + 2] as number)
    const place = (mixed << 1) & (places.length - 1)
    const first = places[place]
    if (first !== undefined && isLinkAt(first, bytes, start)) return first
    const second = places[place + 1]
    const link =
      second !== undefined && isLinkAt(second, bytes, start) ? second : linkAt(bytes, start)
    places[place] = link
    places[place + 1] = first
    return link
  }
}

function isLinkAt({ bytes: own }: CID, bytes: Uint8Array, start: number): boolean {
  for (let at = LINK_SIZE - 1; at >= 0; at--) if (own[at] !== bytes[start + at]) return false
  return true
}

export const keys: InternedTexts = new InternedTexts(KEYS_MAX)
export const texts: InternedTexts = new InternedTexts(TEXTS_MAX)
export const links: InternedLinks = new InternedLinks(LINKS_MAX)

/** The one link to the DAG-CBOR block with this digest. */
export function sharedLink(digest: Uint8Array): CID {
  return links.ofDigest(digest)
}
