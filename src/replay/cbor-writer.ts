import { assert } from '../core/base/index.ts'
import { CID, digestOfId } from '../core/codec/index.ts'
import { bytesIn, isList, type Json, type JsonMap, linkIn } from './dag-json.ts'

/** Major types of CBOR, in the upper three bits of a head. */
const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5 } as const
/** Tag 42 marks a link. */
const LINK_TAG: Uint8Array = Uint8Array.of(0xd8, 0x2a)
/** What stands between the tag and the digest of a link to DAG-CBOR: length, multibase, version, codec, hash, length. */
const ID_HEAD: Uint8Array = Uint8Array.of(0x58, 0x25, 0, 1, 0x71, 0x12, 0x20)
/** Bytes to begin with: an envelope fits. */
const ROOM_BYTES: number = 64 * 1024

/**
 * Canonical DAG-CBOR of parsed DAG-JSON, without the objects in between. Whether it is what was signed is seen by its hash: an envelope in a
 * record stands beside its CID.
 */
export function dagJsonToCbor(value: Json): Uint8Array {
  return writer.take(value)
}

class CborWriter {
  #room: Uint8Array = new Uint8Array(ROOM_BYTES)
  #view: DataView = new DataView(this.#room.buffer)
  #text: Buffer = Buffer.from(this.#room.buffer)
  #at = 0

  take(value: Json): Uint8Array {
    this.#at = 0
    this.#write(value)
    return this.#room.slice(0, this.#at)
  }

  #write(value: Json): void {
    if (value === null) return this.#byte(0xf6)
    if (typeof value === 'boolean') return this.#byte(value ? 0xf5 : 0xf4)
    if (typeof value === 'number')
      return value < 0 ? this.#head(MAJOR.negative, -1 - value) : this.#head(MAJOR.unsigned, value)
    if (typeof value === 'string') return this.#string(value)
    if (isList(value)) {
      this.#head(MAJOR.list, value.length)
      for (const item of value) this.#write(item)
      return
    }
    if (Object.hasOwn(value, '/')) return this.#special(value)
    const keys = Object.keys(value).sort(compareKeys)
    this.#head(MAJOR.map, keys.length)
    for (const key of keys) {
      this.#string(key)
      this.#write(value[key] as Json)
    }
  }

  #special(value: JsonMap): void {
    const link = linkIn(value)
    if (link !== null) return this.#link(link)
    const bytes = bytesIn(value)
    assert(bytes !== null, 'a map with the key / is a link or bytes')
    this.#head(MAJOR.bytes, bytes.length)
    this.#raw(bytes)
  }

  #link(text: string): void {
    this.#raw(LINK_TAG)
    const digest = digestOfId(text)
    if (digest !== null) {
      this.#raw(ID_HEAD)
      return this.#raw(digest)
    }
    const { bytes } = CID.parse(text)
    this.#head(MAJOR.bytes, bytes.length + 1)
    this.#byte(0)
    this.#raw(bytes)
  }

  #string(value: string): void {
    const size = Buffer.byteLength(value)
    this.#head(MAJOR.text, size)
    this.#reserve(size)
    this.#text.write(value, this.#at, 'utf8')
    this.#at += size
  }

  #head(type: number, value: number): void {
    const major = type << 5
    this.#reserve(9)
    const at = this.#at
    if (value < 24) {
      this.#room[at] = major | value
      this.#at += 1
    } else if (value < 0x100) {
      this.#room[at] = major | 24
      this.#room[at + 1] = value
      this.#at += 2
    } else if (value < 0x1_0000) {
      this.#room[at] = major | 25
      this.#view.setUint16(at + 1, value)
      this.#at += 3
    } else if (value < 0x1_0000_0000) {
      this.#room[at] = major | 26
      this.#view.setUint32(at + 1, value)
      this.#at += 5
    } else {
      this.#room[at] = major | 27
      this.#view.setBigUint64(at + 1, BigInt(value))
      this.#at += 9
    }
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#room[this.#at++] = byte
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#room.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#room.length) return
    const larger = new Uint8Array(2 * (this.#at + size))
    larger.set(this.#room)
    this.#room = larger
    this.#view = new DataView(larger.buffer)
    this.#text = Buffer.from(larger.buffer)
  }
}

/** One for the thread: writing is synchronous, and its room is used again. */
const writer = new CborWriter()

/** Of two keys the shorter one first, then by their bytes. */
function compareKeys(a: string, b: string): number {
  const sizes = Buffer.byteLength(a) - Buffer.byteLength(b)
  return sizes !== 0 ? sizes : Buffer.compare(Buffer.from(a), Buffer.from(b))
}
