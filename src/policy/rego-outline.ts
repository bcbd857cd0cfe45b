/** A piece of text in a source, and how it stands there. */
export type Literal = {
  readonly text: string
  /** From 1. */
  readonly line: number
  /** What it is an element of; empty when it stands by itself. */
  readonly within: '' | '(' | '[' | '{'
  /** Nothing stands before it there. In braces each counts as first: they have no order. */
  readonly isFirst: boolean
  /** It stands before the `if` of its rule. */
  readonly isInHead: boolean
}

/** One rule of a source, or one of its definitions. */
export type Statement = {
  readonly defines: string
  /** It adds to a set, as rules that object do. */
  readonly isContains: boolean
  /** The gates of which it says that it is only for them; none: for any. */
  readonly gates: readonly string[]
  /** Names that it uses. */
  readonly uses: ReadonlySet<string>
  readonly literals: readonly Literal[]
}

const TOKEN = /#[^\n]*|"(?:[^"\\\n]|\\.)*"|`[^`]*`|[A-Za-z_]\w*|[()[\]{},:]|\n/gu
const GATE = /(?<!not\s+)input\.gate\s*==\s*"([^"]*)"/gu

/**
 * The statements of Rego text, as far as one sees them without being a compiler: each begins at the left margin, as the formatter of the language
 * writes them.
 */
export function outlineOf(text: string): Statement[] {
  const statements: Statement[] = []
  let line = 1
  for (const part of text.split(/^(?=[A-Za-z_])/mu)) {
    statements.push(statementOf(part, line))
    line += part.split('\n').length - 1
  }
  return statements
}

function statementOf(text: string, firstLine: number): Statement {
  const names: string[] = []
  const literals: Literal[] = []
  /** Brackets that are open, and how many elements each has so far. */
  const open: { readonly bracket: Literal['within']; elements: number }[] = []
  let line = firstLine
  let isInHead = true
  for (const [token] of text.matchAll(TOKEN)) {
    const inner = open.at(-1)
    if (token === '\n') line++
    else if (token === '(' || token === '[' || token === '{')
      open.push({ bracket: token, elements: 0 })
    else if (token === ')' || token === ']' || token === '}') open.pop()
    else if (token === ',' && inner !== undefined) inner.elements++
    else if (token === 'if' && inner === undefined) isInHead = false
    else if (token.startsWith('"')) {
      const within = inner?.bracket ?? ''
      const isFirst = within === '{' || inner?.elements === 0
      literals.push({ text: unquoted(token), line, within, isFirst, isInHead })
    } else if (/^\w/u.test(token)) names.push(token)
    else if (token.startsWith('`')) line += token.split('\n').length - 1
  }
  const [first = '', second = ''] = names
  const defines = first === 'default' ? second : first
  const gates = [...text.matchAll(GATE)].map(([, gate = '']) => gate)
  return { defines, isContains: second === 'contains', gates, uses: new Set(names), literals }
}

/** As Rego reads it; as it stands there where it is no text of JSON. */
function unquoted(token: string): string {
  try {
    return JSON.parse(token) as string
  } catch {
    return token.slice(1, -1)
  }
}
