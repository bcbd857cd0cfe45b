import {
  concat,
  fromBase64,
  fromUtf8,
  ok,
  type Result,
  refuse,
  toBase64,
  utf8
} from '../base/index.ts'

/** Bytes of a whole note: a short text and its signatures, of which each line takes some 200. */
export const NOTE_BYTES_MAX: number = 32 * 1024
/** Signatures of one note: the origin's, and more witnesses than anybody asks for. */
export const NOTE_SIGNATURES_MAX = 64
/** Bytes of a key's short id at the start of each signature. */
const KEY_ID_BYTES = 4
const PREFIX = '\u2014 '

/** One line below the text: who signs, by which key, and what. */
export type NoteSignature = {
  /** No white space, no plus sign. */
  readonly name: string
  /** The first four bytes of a hash of name, algorithm and public key. */
  readonly keyId: Uint8Array
  readonly bytes: Uint8Array
}

/** A text, and signatures over its bytes. */
export type SignedNote = {
  /** Ends in a newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/**
 * Reads a note strictly: UTF-8 without control characters, one blank line before the signatures, canonical base64. Refuses with
 * `NOTE_MALFORMED`. Says nothing of whether the signatures hold. Source: C2SP signed-note v1.
 */
export function parseNote(bytes: Uint8Array): Result<SignedNote> {
  if (bytes.length > NOTE_BYTES_MAX) return malformed(`it is longer than ${NOTE_BYTES_MAX} bytes`)
  const whole = fromUtf8(bytes)
  if (whole === null) return malformed('it is not UTF-8')
  if (hasControl(whole)) return malformed('it has a control character')
  // The last blank line: the text may have some of its own.
  const split = whole.lastIndexOf('\n\n')
  if (split < 0 || !whole.endsWith('\n')) return malformed('it has no signatures')
  const lines = whole.slice(split + 2, -1).split('\n')
  if (lines.length > NOTE_SIGNATURES_MAX)
    return malformed(`it has more than ${NOTE_SIGNATURES_MAX} signatures`)
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const signature = parseSignature(line)
    if (signature === null) return malformed('a signature line is not "\u2014 NAME BASE64"')
    signatures.push(signature)
  }
  return ok({ text: whole.slice(0, split + 1), signatures })
}

/** The bytes of a note; the reverse of `parseNote`. */
export function formatNote({ text, signatures }: SignedNote): Uint8Array {
  const lines = signatures.map(
    ({ name, keyId, bytes }) => `${PREFIX}${name} ${toBase64(concat([keyId, bytes]))}\n`
  )
  return utf8(`${text}\n${lines.join('')}`)
}

/** Whether this can name a key: not empty, no white space of Unicode, no plus sign. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && !/[\s+\u0085]/u.test(name)
}

function parseSignature(line: string): NoteSignature | null {
  if (!line.startsWith(PREFIX)) return null
  const [name, base64, ...rest] = line.slice(PREFIX.length).split(' ')
  if (name === undefined || base64 === undefined || rest.length > 0 || !isKeyName(name)) return null
  const bytes = fromBase64(base64)
  if (bytes === null || bytes.length <= KEY_ID_BYTES) return null
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), bytes: bytes.slice(KEY_ID_BYTES) }
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}

function malformed(why: string): Result<never> {
  return refuse('NOTE_MALFORMED', `the signed note cannot be read: ${why}`)
}
