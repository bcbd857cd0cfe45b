import { styleText } from 'node:util'
import type { Io } from './io.ts'

export type OutputOptions = {
  readonly json: boolean
  readonly quiet: boolean
  readonly color: boolean
}
export type Style = Parameters<typeof styleText>[0]

/**
 * What commands say. Data goes to stdout, everything else to stderr; with --json stdout carries one document (streams: one
 * per line), each with a `schema` that changes when its shape does.
 */
export class Output {
  readonly options: OutputOptions
  readonly #io: Io
  readonly #color: boolean

  constructor(io: Io, options: OutputOptions) {
    this.options = options
    this.#io = io
    this.#color = options.color && io.stdout.isTTY === true && !io.env.NO_COLOR
  }

  /** The result of a command: the document with --json, otherwise what `human` writes. */
  async document(schema: string, value: object, human: () => void | Promise<void>): Promise<void> {
    if (this.options.json) this.record(schema, value)
    else await human()
  }

  /** One JSON line. */
  record(schema: string, value: object): void {
    const json = JSON.stringify({ schema: `can-swarm/${schema}/1`, ...value })
    this.#io.stdout.write(`${json.replaceAll(C1, escaped)}\n`)
  }

  /** Text of strangers may be in it: none of it moves the cursor, clears the screen or names the window. */
  line(text: string): void {
    this.#io.stdout.write(`${this.#harmless(text)}\n`)
  }

  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text)
  }

  /** Raw bytes; resolves when stdout takes more. */
  async bytes(bytes: Uint8Array): Promise<void> {
    if (this.#io.stdout.write(bytes)) return
    await new Promise<void>(resolve => this.#io.stdout.once('drain', resolve))
  }

  /** For the person at the terminal: not data, silent with --quiet and --json. */
  note(text: string): void {
    if (!this.options.quiet && !this.options.json)
      this.#io.stderr.write(`${this.#harmless(text)}\n`)
  }

  /** Name and value per line, aligned. */
  facts(facts: readonly (readonly [name: string, value: string | null])[]): void {
    const shown = facts.filter(fact => fact[1] !== null)
    const width = Math.max(...shown.map(([name]) => name.length))
    for (const [name, value] of shown)
      this.line(`${this.style('dim', name.padEnd(width))}  ${oneRow(value ?? '')}`)
  }

  /** Borderless columns: readable on a terminal and by awk. */
  async table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    const { default: Table } = await import('cli-table3')
    const table = new Table({
      chars: NO_BORDERS,
      style: { 'padding-left': 0, 'padding-right': 2, compact: true }
    })
    table.push(head.map(text => this.style('bold', text.toUpperCase())))
    for (const row of rows) table.push(row.map(oneRow))
    for (const line of table.toString().split('\n')) this.line(line.trimEnd())
  }

  style(style: Style, text: string): string {
    return this.#color ? styleText(style, text, { validateStream: false }) : text
  }

  #harmless(text: string): string {
    return text.replaceAll(CONTROLS, found => {
      const isOwn = found === '\n' || found === '\t' || (this.#color && found.startsWith('\u001b['))
      return isOwn ? found : ' '
    })
  }
}

/** A style as `styleText` writes it, or one control character. */
const CONTROLS = /\p{Cc}\[[\d;]*m|\p{Cc}/gu
/** Control characters that JSON leaves as they are, though terminals may obey them. */
const C1 = /[\u007f-\u009f]/gu

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A value in one row: a stranger's line break makes no row of its own. */
function oneRow(text: string): string {
  return text.replaceAll(/[\r\n\t]+/gu, ' ')
}

const NO_BORDERS = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle'
  ].map(name => [name, ''])
)

/** End of a CID or DID: their beginnings are all alike. */
export function shortId(id: string): string {
  return id.length <= 12 ? id : `…${id.slice(-8)}`
}
