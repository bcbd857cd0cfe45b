import { CID, cidOf } from '../core/codec/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import type { VerifySignature } from '../ports/index.ts'
import { Admission, type Gate } from './admission.ts'
import { type Checked, type Flaw, flawed, fromRefusal } from './flaw.ts'
import { type Body, decodeLine, itemOf, type Line, lineHash } from './format.ts'

/** What all lines of a record are held against. */
export type ChunkInit = {
  readonly thread: string
  readonly node: string
  readonly verify: VerifySignature
  readonly gate: Gate | null
}

/** What a line comes to. `id`: of the item's envelope, which hashes to it; null where there is none. `refers`: an entry whose envelope an earlier line shows. */
export type Taken =
  | { readonly type: 'item'; readonly item: RecordItem; readonly id: string | null }
  | {
      readonly type: 'refers'
      readonly body: Extract<Body, { type: 'entry' }>
    }
  | { readonly type: 'part'; readonly part: number }
  | { readonly type: 'end'; readonly complete: boolean }

/** Some lines that follow each other, checked by themselves. */
export type CheckedChunk = {
  readonly taken: readonly Taken[]
  /** Place and `prev` of the first line: whoever has the line before compares. */
  readonly first: { readonly seq: number; readonly prev: string } | null
  /** Hash of the last good line, and place of the last one that was signed or null. */
  readonly lastHash: string
  readonly lastSigned: number | null
  readonly policies: number
  /** What is wrong with the line after `taken`; the rest was not looked at. */
  readonly flaw: Flaw | null
}

const NEWLINE = 10

/**
 * Checks lines by themselves: form, chain among them, signatures of the recording node and of the senders, policies. Pure but for what
 * verifier and policy hold; any number of these run at once. `trusted`: this program has checked these very bytes before.
 */
export function checkChunk(text: Uint8Array, init: ChunkInit, trusted: boolean): CheckedChunk {
  const admission = new Admission(init)
  const taken: Taken[] = []
  let first: CheckedChunk['first'] = null
  let prev: { readonly seq: number; readonly hash: string } | null = null
  let lastSigned: number | null = null
  const report = (flaw: Flaw | null): CheckedChunk => ({
    taken,
    first,
    lastHash: prev?.hash ?? '',
    lastSigned,
    policies: admission.policies,
    flaw
  })
  for (const bytes of linesIn(text)) {
    const decoded = decodeLine(bytes)
    if (!decoded.ok) return report(fromRefusal(decoded.refusal).flaw)
    const line = decoded.value
    const placed = prev === null ? null : checkPlace(line, prev)
    if (placed !== null) return report(placed)
    first ??= { seq: line.seq, prev: line.prev }
    const content = checkContent(line, init, trusted ? null : admission)
    if (!content.ok) return report(content.flaw)
    if (line.sig !== null) lastSigned = line.seq
    taken.push(content.value)
    prev = { seq: line.seq, hash: lineHash(bytes) }
  }
  return report(null)
}

/** Whether a line follows on the one before. */
export function checkPlace(
  { seq, prev }: Pick<Line, 'seq' | 'prev'>,
  before: { readonly seq: number; readonly hash: string }
): Flaw | null {
  if (seq !== before.seq + 1)
    return flawed('RECORD_ORDER', 'a line was removed, repeated or moved', {
      field: 'seq',
      expected: String(before.seq + 1),
      found: String(seq)
    }).flaw
  if (prev !== before.hash)
    return flawed(
      'RECORD_CHAIN',
      'this line or the one before was changed: their hashes do not meet',
      {
        field: 'prev',
        expected: before.hash,
        found: prev
      }
    ).flaw
  return null
}

/** The signature of the recording node, where there is one, and what the line says. */
function checkContent(line: Line, init: ChunkInit, admission: Admission | null): Checked<Taken> {
  const { body, sig } = line
  if (admission !== null && sig !== null && !init.verify(init.node, line.signed(), sig))
    return flawed('RECORD_SIGNATURE', "the recording node's signature is wrong", { field: 'sig' })
  if (body.type === 'header')
    return flawed('RECORD_HEADER', 'the header is the first line and no other')
  if (body.type === 'block')
    return flawed('RECORD_HEADER', 'blocks of capsules stand right after the header')
  if (body.type === 'end') return { ok: true, value: { type: 'end', complete: body.complete } }
  if (body.type === 'part') {
    const isSame = body.thread === init.thread && body.node === init.node
    return isSame
      ? { ok: true, value: { type: 'part', part: body.part } }
      : flawed('RECORD_HEADER', 'this part belongs to another log')
  }
  if (body.type === 'entry' && body.cid !== null && body.bytes === null)
    return { ok: true, value: { type: 'refers', body } }
  const item = itemOf(body)
  if (!item.ok) return fromRefusal(item.refusal)
  const content = 'bytes' in body && body.bytes !== null ? body : null
  // An item's bytes are those that its CID names.
  const admitted =
    content === null || admission === null
      ? null
      : admission.admit(content.bytes as Uint8Array, content.cid as string)
  if (admitted !== null && !admitted.ok) return admitted
  return {
    ok: true,
    value: { type: 'item', item: item.value as RecordItem, id: content?.cid ?? null }
  }
}

/** The lines of a text that ends with a newline, without theirs. */
export function* linesIn(text: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(NEWLINE, at)
    yield text.subarray(at, end)
    at = end + 1
  }
}

/** Whether a block's bytes are those that its CID names. */
export function isBlock(cid: string, data: Uint8Array): boolean {
  try {
    const parsed = CID.parse(cid)
    return cidOf(data, parsed.code).toString() === cid
  } catch {
    return false
  }
}
