import { createHash } from 'node:crypto'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { createUnsafe } from 'multiformats/block'
import type { BlockView } from 'multiformats/block/interface'
import type { BlockDecoder } from 'multiformats/codecs/interface'
import * as raw from 'multiformats/codecs/raw'
import { compareBytes } from '../../core/base/index.ts'
import { CID } from '../../core/codec/index.ts'
import { ArtifactMalformedError, BadCidError } from './errors.ts'

const SHA2_256 = 0x12
const CODECS: ReadonlySet<number> = new Set([dagPb.code, raw.code, dagCbor.code])

/** Reads CID text as a CIDv1 of the profile that this store keeps (R1): sha2-256 of dag-pb, raw or dag-cbor. */
export function parseCid(text: string): CID {
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch (cause) {
    throw new BadCidError(
      `"${text.slice(0, 100)}" is not a CID; a CID looks like bafkrei...`,
      { text: text.slice(0, 100) },
      { cause }
    )
  }
  if (isKept(cid)) return cid.toV1()
  throw new BadCidError(
    `${text} names a hash or codec that is not kept here; sha2-256 of raw, dag-pb or dag-cbor is`,
    { text }
  )
}

/** Whether a CID is of the kept profile. */
export function isKept(cid: CID): boolean {
  return (
    cid.multihash.code === SHA2_256 && cid.multihash.digest.length === 32 && CODECS.has(cid.code)
  )
}

/** The identity of a block: its digest. CIDs that differ in version or codec share the bytes on disk. */
export function blockKey(cid: CID): string {
  return Buffer.from(cid.multihash.digest).toString('base64')
}

/** Whether the bytes are those that the CID names. */
export function hashFits(cid: CID, bytes: Uint8Array): boolean {
  return (
    isKept(cid) &&
    compareBytes(createHash('sha256').update(bytes).digest(), cid.multihash.digest) === 0
  )
}

/** The CIDs that a block links to, in order. A block that is not of its codec, or links outside the profile, is malformed. */
export function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  if (cid.code === raw.code) return []
  const links = Array.from(decodedBlock(cid, bytes).links(), ([, link]) => link)
  const stranger = links.find(link => !isKept(link))
  if (stranger === undefined) return links
  throw new ArtifactMalformedError(
    `the block ${cid} links to ${stranger}, whose hash or codec is not kept here`,
    {
      block: cid.toString()
    }
  )
}

/** A block as the libraries pass it around. The caller has checked its hash and says what it decodes to. */
export function decodedBlock<T = unknown>(
  cid: CID,
  bytes: Uint8Array
): BlockView<T, number, number, 0 | 1> {
  try {
    return createUnsafe({ cid, bytes, codec: codecOf(cid) as BlockDecoder<number, T> })
  } catch (cause) {
    throw new ArtifactMalformedError(
      `the block ${cid} is not what its codec says`,
      { block: cid.toString() },
      { cause }
    )
  }
}

function codecOf(cid: CID): BlockDecoder<number, unknown> {
  if (cid.code === raw.code) return raw
  return cid.code === dagPb.code ? dagPb : dagCbor
}
