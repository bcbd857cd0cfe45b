import { open, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { readEnvelope } from '../core/envelope/index.ts'
import type { Shown } from './audit-source.ts'
import { linesIn } from './check-chunk.ts'
import { AuditLogDamagedError } from './errors.ts'
import { decodeLine, type Line, lineHash } from './format.ts'
import { partsOf, readFileChunks } from './read-chunks.ts'

/** Where the last file of a log ends. */
export type Tail = {
  /** Of the last line; -1 when there is none. */
  readonly seq: number
  readonly prev: string
  /** Bytes of the last file, and its number. */
  readonly size: number
  readonly part: number
  readonly isEnded: boolean
}

const NEWLINE = 10
const EMPTY: Shown = { envelopes: new Set(), form: null, entries: 0 }

/**
 * Looks at the log that is there: what it shows, and where it ends. What stands after its last signed line was being written when the node ended, and is
 * cut off. Rejects with AUDIT_LOG_DAMAGED when something is wrong before that.
 */
export async function openTail(
  path: string
): Promise<{ readonly tail: Tail; readonly shown: Shown }> {
  const scan = new Scan(path)
  const parts = await partsOf(path).catch(() => [])
  for (const [part, { path: file }] of parts.entries()) {
    for await (const chunk of readFileChunks(file)) {
      if (typeof chunk === 'string') break
      for (const text of linesIn(chunk)) scan.take(text, part)
    }
  }
  await clearFurther(path, parts.length)
  const { tail, shown } = scan
  // A file that was begun and has no signed line yet.
  for (const { path: file } of parts.slice(tail.part + 1).reverse()) await rm(file)
  const last = parts.at(tail.part)
  if (last !== undefined && last.size > tail.size) await truncate(last.path, tail.size)
  return { tail, shown }
}

/** Removes all files of a log; the last first, so that what a crash leaves is still found from the first on. */
export async function removeLog(path: string): Promise<void> {
  const parts = await partsOf(path).catch(() => [])
  for (const { path: part } of [...parts].reverse()) await rm(part, { force: true })
}

const SUFFIX = '.jsonl'
/** Bytes at the end of a file that are looked at for the end line, which has some 300. */
const END_BYTES = 2_048

/** Threads whose logs in this folder have no end line: they go on, or the node ended before it was written. */
export async function* endlessLogs(directory: string): AsyncGenerator<string> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.endsWith(SUFFIX)) continue
    const last = (await partsOf(join(directory, name))).at(-1)
    if (last !== undefined && !(await hasEnd(last))) yield name.slice(0, -SUFFIX.length)
  }
}

async function hasEnd({ path, size }: { path: string; size: number }): Promise<boolean> {
  const file = await open(path)
  try {
    const bytes = new Uint8Array(Math.min(size, END_BYTES))
    await file.read(bytes, 0, bytes.length, size - bytes.length)
    if (bytes.at(-1) !== NEWLINE) return false
    const line = bytes.subarray(bytes.lastIndexOf(NEWLINE, -2) + 1, -1)
    const decoded = decodeLine(line)
    return decoded.ok && decoded.value.body.type === 'end'
  } finally {
    await file.close()
  }
}

/** What a crash left of a further file that it kept from being begun. Whole lines are no such thing. */
async function clearFurther(path: string, part: number): Promise<void> {
  const further = `${path}.${part}`
  const bytes = await readFile(further).catch(() => null)
  if (bytes === null || part === 0) return
  if (bytes.includes(NEWLINE)) throw damaged(further, 0)
  await rm(further)
}

function damaged(path: string, line: number): AuditLogDamagedError {
  return new AuditLogDamagedError(
    `${path} is damaged after line ${line}: move it away; the node writes another one`,
    { path }
  )
}

class Scan {
  tail: Tail = { seq: -1, prev: '', size: 0, part: 0, isEnded: false }
  shown: Shown = EMPTY
  readonly #path: string
  readonly #envelopes = new Set<string>()
  /** Of lines after the last signed one, which may yet be cut off. */
  #unsigned: string[] = []
  #form: { readonly id: string; readonly epoch: number } | null = null
  #entries = 0
  #at = { seq: -1, prev: '', size: 0, part: 0, isEnded: false }
  #isBroken = false

  constructor(path: string) {
    this.#path = path
  }

  take(text: Uint8Array, part: number): void {
    if (part !== this.#at.part) this.#at = { ...this.#at, part, size: 0 }
    const decoded = decodeLine(text)
    const follows =
      decoded.ok && decoded.value.seq === this.#at.seq + 1 && decoded.value.prev === this.#at.prev
    if (this.#isBroken || !decoded.ok || !follows) {
      // What a crash tears is at the end. A signed line after it was written later: the disk has lost or changed something.
      this.#isBroken = true
      if (decoded.ok && decoded.value.sig !== null) throw damaged(this.#path, this.#at.seq + 1)
      return
    }
    this.#note(decoded.value)
    const { seq, body, sig } = decoded.value
    const size = this.#at.size + text.length + 1
    this.#at = { seq, prev: lineHash(text), size, part, isEnded: body.type === 'end' }
    if (sig !== null) this.#keep()
  }

  #note({ body }: Line): void {
    if (body.type === 'envelope') {
      this.#unsigned.push(body.cid)
      this.#noteForm(body.cid, body.bytes)
    } else if (body.type === 'entry' || body.type === 'bare-entry') {
      this.#entries = body.index
    }
  }

  #noteForm(id: string, bytes: Uint8Array): void {
    const read = readEnvelope(bytes)
    if (!read.ok || read.value.envelope.verb !== 'FORM') return
    const { epoch } = read.value.envelope.payload
    if (this.#form !== null && epoch <= this.#form.epoch) return
    this.#form = { id, epoch }
    this.#entries = 0
  }

  #keep(): void {
    for (const cid of this.#unsigned) this.#envelopes.add(cid)
    this.#unsigned = []
    this.tail = this.#at
    this.shown = {
      envelopes: this.#envelopes,
      form: this.#form?.id ?? null,
      entries: this.#entries
    }
  }
}
