import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import * as raw from 'multiformats/codecs/raw'
import type { CID } from '../../core/codec/index.ts'
import { isKept } from './cid.ts'
import { ArtifactMalformedError, NotAFileError } from './errors.ts'
import { BLOCK_READ_CONCURRENCY, DAG_DEPTH_MAX } from './limits.ts'

export type NodeKind = 'file' | 'folder' | 'symlink' | 'data'

type FileNode = {
  readonly size: number
  readonly own: Uint8Array
  readonly children: readonly { cid: CID; size: number }[]
}

/** A part of the file that is still to read: one node, where it starts, and the size its parent states. */
type Span = {
  readonly cid: CID
  readonly start: number
  readonly size: number | null
  readonly depth: number
  bytes?: Promise<Uint8Array>
}

/** What a block is to a user. */
export function kindOf(cid: CID, bytes: Uint8Array): NodeKind {
  if (cid.code === raw.code) return 'file'
  if (cid.code !== dagPb.code) return 'data'
  const { type } = decodeUnixfs(cid, bytes).entry
  if (type === 'file' || type === 'raw') return 'file'
  if (type === 'directory' || type === 'hamt-sharded-directory') return 'folder'
  return type === 'symlink' ? 'symlink' : 'data'
}

/** Size in bytes that the root block of a file states. Rejects what is not a file. */
export function fileSize(cid: CID, bytes: Uint8Array): number {
  const kind = kindOf(cid, bytes)
  if (kind === 'file') return fileNode(cid, bytes).size
  const hint = kind === 'folder' ? '; use get to write a folder to disk' : ''
  throw new NotAFileError(`${cid} is a ${kind}, not a file${hint}`, { cid: cid.toString(), kind })
}

/**
 * The bytes from `start` to before `end` of a file, in order, some blocks ahead. Not more: the exporter of the UnixFS library reads a whole
 * file into memory when its consumer is slow. A block whose size differs from what its parent states ends the read.
 */
export async function* readFile(
  root: CID,
  load: (cid: CID) => Promise<Uint8Array>,
  range: { readonly start: number; readonly end: number }
): AsyncGenerator<Uint8Array> {
  let spans: Span[] = [{ cid: root, start: 0, size: null, depth: 0 }]
  for (;;) {
    for (const span of spans.slice(0, BLOCK_READ_CONCURRENCY)) void startLoading(span, load)
    const head = spans.shift()
    if (head === undefined) return
    const node = fileNode(head.cid, await startLoading(head, load))
    if (head.size !== null && head.size !== node.size) {
      throw malformed(head.cid, `it has ${node.size} bytes where its parent states ${head.size}`)
    }
    if (head.depth >= DAG_DEPTH_MAX)
      throw malformed(head.cid, `it lies deeper than ${DAG_DEPTH_MAX} nodes`)
    const from = Math.max(range.start - head.start, 0)
    const to = Math.min(range.end - head.start, node.own.length)
    if (from < to) yield node.own.subarray(from, to)
    spans = childSpans(head, node, range).concat(spans)
  }
}

function startLoading(span: Span, load: (cid: CID) => Promise<Uint8Array>): Promise<Uint8Array> {
  if (span.bytes === undefined) {
    span.bytes = load(span.cid)
    // It is awaited when its turn comes, unless an earlier block fails first.
    span.bytes.catch(() => {})
  }
  return span.bytes
}

function childSpans(parent: Span, node: FileNode, range: { start: number; end: number }): Span[] {
  const spans: Span[] = []
  let start = parent.start + node.own.length
  for (const { cid, size } of node.children) {
    if (start < range.end && start + size > range.start)
      spans.push({ cid, start, size, depth: parent.depth + 1 })
    start += size
  }
  return spans
}

function fileNode(cid: CID, bytes: Uint8Array): FileNode {
  if (cid.code === raw.code) return { size: bytes.length, own: bytes, children: [] }
  if (cid.code !== dagPb.code) throw malformed(cid, 'it is no part of a file')
  const { entry, links } = decodeUnixfs(cid, bytes)
  if (entry.type !== 'file' && entry.type !== 'raw')
    throw malformed(cid, `it is a ${entry.type} where a part of a file belongs`)
  if (links.length !== entry.blockSizes.length)
    throw malformed(cid, 'it states sizes for another number of links than it has')
  const own = entry.data ?? new Uint8Array(0)
  const children = links.map((link, index) => ({
    cid: keptLink(cid, link.Hash),
    size: Number(entry.blockSizes[index])
  }))
  const size = children.reduce((sum, child) => sum + child.size, own.length)
  if (!Number.isSafeInteger(size)) throw malformed(cid, 'it states an impossible size')
  return { size, own, children }
}

function keptLink(parent: CID, link: CID): CID {
  if (isKept(link)) return link
  throw malformed(parent, `it links to ${link}, whose hash or codec is not kept here`)
}

function decodeUnixfs(
  cid: CID,
  bytes: Uint8Array
): { entry: UnixFS; links: readonly dagPb.PBLink[] } {
  try {
    const { Data, Links } = dagPb.decode(bytes)
    if (Data !== undefined) return { entry: UnixFS.unmarshal(Data), links: Links }
  } catch (cause) {
    throw malformed(cid, 'it is not UnixFS', cause)
  }
  throw malformed(cid, 'it is not UnixFS')
}

function malformed(cid: CID, flaw: string, cause?: unknown): ArtifactMalformedError {
  return new ArtifactMalformedError(
    `the block ${cid} is malformed: ${flaw}`,
    { block: cid.toString() },
    { cause }
  )
}
