import { styleText } from 'node:util'
import type { Out } from './testnet-io.ts'

type Style = Parameters<typeof styleText>[0]

/**
 * Lines for the record and, on a terminal, a few lines below them that are drawn anew in place. Nothing is drawn where there
 * is no terminal, so what lands in a file reads like a log.
 */
export class Screen {
  readonly #out: Out
  readonly #isLive: boolean
  readonly #hasColor: boolean
  #drawn: readonly string[] = []

  constructor(out: Out, env: NodeJS.ProcessEnv) {
    this.#out = out
    const { TERM, NO_COLOR } = env
    this.#isLive = out.isTTY === true && TERM !== 'dumb'
    this.#hasColor = this.#isLive && !NO_COLOR
  }

  get width(): number {
    const { columns = 0 } = this.#out as { readonly columns?: number }
    // Some pseudo-terminals say 0.
    return columns > 0 ? columns : 100
  }

  line(text = ''): void {
    this.#erase()
    this.#out.write(`${text}\n`)
    this.#draw(this.#drawn)
  }

  /** Replaces the live lines; an empty list ends them. */
  live(lines: readonly string[]): void {
    if (!this.#isLive) return
    this.#erase()
    this.#drawn = lines
    this.#draw(lines)
  }

  style(style: Style, text: string): string {
    return this.#hasColor ? styleText(style, text, { validateStream: false }) : text
  }

  #erase(): void {
    if (this.#drawn.length > 0 && this.#isLive)
      this.#out.write(`\u001b[${this.#drawn.length}A\u001b[0J`)
  }

  #draw(lines: readonly string[]): void {
    // A wrapped line would take two rows, and the next erase would miss one.
    for (const line of lines) this.#out.write(`${line.slice(0, this.width - 1)}\n`)
  }
}
