// Goal: what the documents point at exists. Method: every Markdown file is searched for relative links and for npm
// scripts; planted texts show that the search finds what is wrong.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { limits, limitsPage } from '../../docs/limits.ts'

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const { scripts } = JSON.parse(read('package.json')) as {
  scripts: Readonly<Record<string, string>>
}

/** Folders that are made or fetched. */
const NOT_OURS: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git'])

/** Markdown files of the repository. */
function documents(folder = ''): string[] {
  const entries = readdirSync(new URL(folder, ROOT), { withFileTypes: true })
  return entries.flatMap(entry => {
    const path = `${folder}${entry.name}`
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : documents(`${path}/`)
    return path.endsWith('.md') ? [path] : []
  })
}

/** Text without what is shown as code. */
function prose(text: string): string {
  return text
    .replace(/^(`{3,})[^\n]*\n[\s\S]*?^\1/gmu, '')
    .replace(/^(?: {4}|\t).*$/gmu, '')
    .replace(/`[^`\n]*`/gu, '')
}

/** Anchors of a document's headings, as code hosts make them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#{1,6} (.+)$/gmu)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
  )
}

/** Relative links of a document that lead nowhere. */
function brokenLinks(path: string, text: string): string[] {
  const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/gu)].map(([, link = '']) => link)
  return links.filter(link => {
    if (/^[a-z]+:/u.test(link)) return false
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? new URL(path, ROOT) : new URL(file, new URL(path, ROOT))
    if (!target.href.startsWith(ROOT.href) || !existsSync(target)) return true
    return anchor !== undefined && !anchors(readFileSync(target, 'utf8')).includes(anchor)
  })
}

/** Scripts that a document tells people to run and that do not exist. */
function missingScripts(text: string): string[] {
  const named = [...text.matchAll(/\bnpm run (?:-s |--silent )?([a-z][a-z0-9:-]*)/gu)]
  return named.map(([, name = '']) => name).filter(name => !Object.hasOwn(scripts, name))
}

describe('tidy: documents', () => {
  it('looks at all of them', () => assert(documents().length >= 20))

  for (const path of documents()) {
    it(`${path} points at what exists`, () => {
      assert.deepEqual(brokenLinks(path, read(path)), [])
      assert.deepEqual(missingScripts(read(path)), [])
    })
  }

  it('finds what leads nowhere', () => {
    const text =
      '# One two\n[a](x.md) [b](README.md) [c](#one-two) [d](README.md#no-such) `[e](y.md)` [f](../../../etc) [g](https://example.org)\n\n    [h](z.md)\n'
    assert.deepEqual(brokenLinks('docs/README.md', text), [
      'x.md',
      '#one-two',
      'README.md#no-such',
      '../../../etc'
    ])
    assert.deepEqual(missingScripts('`npm run build`, npm run -s nothing'), ['nothing'])
  })

  it('has a page of limits that is fresh and gives a reason for each', () => {
    assert.equal(read('docs/limits.md'), limitsPage(), 'run npm run docs')
    assert(limits().length >= 150)
    assert.deepEqual(
      limits().filter(limit => limit.reason === ''),
      []
    )
  })
})
