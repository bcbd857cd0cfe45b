import { assert, type Result } from '../base/index.ts'
import type { CID } from '../codec/index.ts'
import type { Admitted, Envelope } from './envelope.ts'

/** What an envelope's bytes say. */
export type Content = { readonly cid: CID; readonly envelope: Envelope }

/**
 * Bytes of envelopes whose parsed content is held, over all that there are. An envelope takes three times its bytes again when parsed, and a node holds
 * those of thousands of groups that sleep. This is room for some two thousand usual ones, or 32 of the largest.
 */
const HELD_BYTES_MAX: number = 2 * 1024 * 1024

/**
 * An envelope that was parsed. Its bytes stay; what they say is let go when others are used more, and read out of the bytes again when asked for. That
 * changes nothing but time and memory: the bytes say the same each time.
 */
export class ParsedEnvelope implements Admitted {
  readonly id: string
  readonly bytes: Uint8Array
  readonly #read: (bytes: Uint8Array) => Result<Content>
  #content: Content | null
  /** Asked for since `Held` last looked. */
  #isUsed = true

  constructor(
    { id, bytes }: Pick<Admitted, 'id' | 'bytes'>,
    content: Content,
    read: (bytes: Uint8Array) => Result<Content>
  ) {
    this.id = id
    this.bytes = bytes
    this.#content = content
    this.#read = read
    held.add(this)
  }

  get cid(): CID {
    return this.#use().cid
  }

  get envelope(): Envelope {
    return this.#use().envelope
  }

  /** False when it was used since the last call, and is held on. */
  letGo(): boolean {
    if (!this.#isUsed) this.#content = null
    const isGone = !this.#isUsed
    this.#isUsed = false
    return isGone
  }

  #use(): Content {
    this.#isUsed = true
    this.#content ??= this.#readAgain()
    return this.#content
  }

  #readAgain(): Content {
    const content = this.#read(this.bytes)
    assert(content.ok, 'bytes that were an envelope are one')
    held.add(this)
    return content.value
  }
}

/** Which contents are held: the oldest that was not used again goes first. */
class Held {
  readonly #parsed = new Set<ParsedEnvelope>()
  #bytes = 0

  add(parsed: ParsedEnvelope): void {
    this.#parsed.add(parsed)
    this.#bytes += parsed.bytes.length
    while (this.#bytes > HELD_BYTES_MAX) this.#letGo()
  }

  #letGo(): void {
    for (const oldest of this.#parsed) {
      this.#parsed.delete(oldest)
      if (oldest.letGo()) this.#bytes -= oldest.bytes.length
      else this.#parsed.add(oldest)
      return
    }
  }
}

const held = new Held()
