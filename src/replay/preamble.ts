import { toHex } from '../core/base/index.ts'
import type { VerifySignature } from '../ports/index.ts'
import { checkPlace, isBlock, linesIn } from './check-chunk.ts'
import { type Flaw, flawed, fromRefusal } from './flaw.ts'
import {
  decodeLine,
  type Header,
  type Line,
  lineHash,
  PROTOCOL_VERSION,
  RECORD_VERSION
} from './format.ts'

/** Bytes of all blocks of a record: a dozen capsules of the largest size. */
const BLOCKS_BYTES_MAX: number = 16 * 1024 * 1024

type Place = { readonly seq: number; readonly hash: string }

/** What a record begins with: its header, then the blocks of the capsules that it brings along. */
export class Preamble {
  header: Header | null = null
  readonly blocks = new Map<string, Uint8Array>()
  /** The first line of another kind has been seen. */
  isDone = false
  #blocksBytes = 0

  /** Takes lines up to the first of another kind; `rest` begins with that. */
  take(
    text: Uint8Array,
    place: Place,
    verify: VerifySignature
  ): {
    readonly rest: Uint8Array
    readonly place: Place
    readonly signedSeq: number | null
    readonly flaw: Flaw | null
  } {
    let before = place
    let at = 0
    let signedSeq: number | null = null
    const leave = (flaw: Flaw | null) => ({ rest: text.slice(at), place: before, signedSeq, flaw })
    for (const bytes of linesIn(text)) {
      const decoded = decodeLine(bytes)
      if (!decoded.ok) return leave(fromRefusal(decoded.refusal).flaw)
      const line = decoded.value
      const { type } = line.body
      if (this.header !== null && type !== 'block') {
        this.isDone = true
        return leave(null)
      }
      const flaw = this.#check(line, before, verify)
      if (flaw !== null) return leave(flaw)
      before = { seq: line.seq, hash: lineHash(bytes) }
      if (line.sig !== null) signedSeq = line.seq
      at += bytes.length + 1
    }
    return leave(null)
  }

  #check(line: Line, before: Place, verify: VerifySignature): Flaw | null {
    const { body, sig } = line
    const placed = checkPlace(line, before)
    if (placed !== null) return placed
    if (body.type === 'header') {
      const flaw = headerFlaw(body)
      if (flaw !== null) return flaw
      this.header = body
    } else if (this.header === null) {
      return flawed('RECORD_HEADER', 'the header is the first line and no other').flaw
    }
    const node = this.header?.node ?? ''
    if (sig !== null && !verify(node, line.signed(), sig))
      return flawed('RECORD_SIGNATURE', "the recording node's signature is wrong", { field: 'sig' })
        .flaw
    return body.type === 'block' ? this.#takeBlock(body.cid, body.data) : null
  }

  #takeBlock(cid: string, data: Uint8Array): Flaw | null {
    if (!isBlock(cid, data))
      return flawed('RECORD_CID', `the block does not hash to ${cid}`, { field: 'data' }).flaw
    this.#blocksBytes += data.length
    if (this.#blocksBytes > BLOCKS_BYTES_MAX)
      return flawed('RECORD_BLOCKS', `the blocks take more than ${BLOCKS_BYTES_MAX} bytes`).flaw
    this.blocks.set(cid, data)
    return null
  }
}

function headerFlaw({ version, protocol, engine }: Header): Flaw | null {
  if (version !== RECORD_VERSION)
    return flawed(
      'RECORD_VERSION',
      `version ${version} is not known here; this program reads version ${RECORD_VERSION}`,
      { field: 'version', expected: String(RECORD_VERSION), found: String(version) }
    ).flaw
  if (protocol !== PROTOCOL_VERSION)
    return flawed(
      'RECORD_VERSION',
      `the thread was run under version ${protocol} of the protocol; this program knows version ${PROTOCOL_VERSION}`,
      { field: 'protocol', expected: String(PROTOCOL_VERSION), found: String(protocol) }
    ).flaw
  if (engine.length !== 32)
    return flawed('RECORD_HEADER', 'the engine is no hash', {
      field: 'engine',
      found: toHex(engine)
    }).flaw
  return null
}
