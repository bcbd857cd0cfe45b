import { open } from 'node:fs/promises'
import { decode as decodeDagCbor } from '@ipld/dag-cbor'
import { decode as decodeDagJson, encode as encodeDagJson } from '@ipld/dag-json'
import { concat, equals, ok, type Result, refuse } from '../core/base/index.ts'
import { encode } from '../core/codec/index.ts'
import { ProofMissingError } from './errors.ts'
import { writeNew } from './new-file.ts'

/** How a certificate or evidence stands in a file: one line of DAG-JSON, or DAG-CBOR. They say the same. */
export type ProofFormat = 'json' | 'cbor'

const NEWLINE = 10
const BRACE = 0x7b
/** DAG-JSON writes bytes as base64, a third longer, and names every field. */
const JSON_GROWTH = 2

/** A proof as a file has it. Takes its canonical DAG-CBOR. */
export function renderProof(encoded: Uint8Array, format: ProofFormat): Uint8Array {
  if (format === 'cbor') return encoded
  const text = encodeDagJson(decodeDagCbor(encoded))
  const line = new Uint8Array(text.length + 1)
  line.set(text)
  line[text.length] = NEWLINE
  return line
}

/** Writes a proof to a path that a user chose: nothing may stand there (TARGET_EXISTS), and its folder must exist (PATH_NOT_FOUND). */
export function writeProof(path: string, rendered: Uint8Array): Promise<void> {
  return writeNew(path, async file => {
    await file.write(rendered)
  })
}

/** Where a proof is read from: the path of a file, or a stream such as standard input. */
export type ProofSource = string | AsyncIterable<Uint8Array>

/** What a file or stream begins with, at most this many bytes. Rejects with PROOF_MISSING. */
export function readBytes(source: ProofSource, bytesMax: number): Promise<Uint8Array> {
  return typeof source === 'string' ? readUpTo(source, bytesMax) : drainUpTo(source, bytesMax)
}

/**
 * The canonical DAG-CBOR of a proof in a file of either form; never reads more than a proof can have. Refusals:
 * PROOF_TOO_LARGE, PROOF_FORMAT, PROOF_JSON. Rejects with PROOF_MISSING.
 */
export async function readProof(
  source: ProofSource,
  bytesMax: number
): Promise<Result<Uint8Array>> {
  const most = bytesMax * JSON_GROWTH
  const bytes = await readBytes(source, most + 1)
  if (bytes.length > most)
    return refuse('PROOF_TOO_LARGE', `the file has more than ${most} bytes: it is none of these`)
  if (bytes[0] === BRACE) return fromJson(bytes)
  // A map is what both kinds of proof are.
  if (bytes[0] !== undefined && bytes[0] >> 5 === 5) return ok(bytes)
  return refuse(
    'PROOF_FORMAT',
    'the file is neither DAG-JSON nor DAG-CBOR: give one that "export" wrote'
  )
}

/** Only the one canonical form counts, so that no byte of the file is free; a newline may end it. */
function fromJson(text: Uint8Array): Result<Uint8Array> {
  const line = text.at(-1) === NEWLINE ? text.slice(0, -1) : text
  try {
    const value = decodeDagJson(line)
    if (equals(encodeDagJson(value), line)) return ok(encode(value))
    return refuse('PROOF_JSON', 'the file is not canonical DAG-JSON: it was changed or reformatted')
  } catch {
    return refuse('PROOF_JSON', 'the file is not DAG-JSON: it was cut off or changed')
  }
}

/** At most so many bytes: what comes after them is left unread. */
async function drainUpTo(stream: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= most) break
  }
  return concat(chunks).slice(0, most)
}

async function readUpTo(path: string, most: number): Promise<Uint8Array> {
  try {
    const file = await open(path)
    try {
      if (!(await file.stat()).isFile()) throw missing(path, 'not a file:')
      const buffer = new Uint8Array(most)
      let length = 0
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, most - length)
        length += bytesRead
        if (bytesRead === 0 || length === most) return buffer.slice(0, length)
      }
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw cause instanceof ProofMissingError ? cause : missing(path, 'nothing to read at', cause)
  }
}

function missing(path: string, what: string, cause?: unknown): ProofMissingError {
  return new ProofMissingError(
    `${what} ${path}; give the path of a file written by "can-swarm certificate export" or "evidence export" that you can read`,
    { path },
    { cause }
  )
}
