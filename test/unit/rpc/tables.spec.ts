// Goal: the tables of methods and errors are total, so that nothing reaches a user without an entry. Method: the tables
// against the sources.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { EXIT_STATUSES } from '../../../src/cli/program.ts'
import { SwarmError } from '../../../src/core/base/index.ts'
import {
  describeError,
  ERROR_AREAS,
  ERROR_CODES,
  ERROR_KINDS,
  exitCodeOf,
  METHOD_NAMES,
  METHODS,
  rpcNumberOf
} from '../../../src/rpc/index.ts'
import { sourceFiles } from '../../support/source-files.ts'

/** Codes that never reach a user. */
const INTERNAL_CODES: ReadonlySet<string> = new Set()

describe('rpc/tables', () => {
  it('gives every method of the type a schema, an access level and a sentence', () => {
    const source = readFileSync(new URL('../../../src/rpc/methods.ts', import.meta.url), 'utf8')
    const declared = [...source.matchAll(/^ {2}'([a-zA-Z]+\.[a-zA-Z]+)': \[/gmu)].map(
      match => match[1]
    )
    assert.ok(declared.length > 30)
    assert.deepEqual([...METHOD_NAMES].sort(), declared.sort())
    for (const name of METHOD_NAMES) {
      assert.ok(['read', 'write', 'admin'].includes(METHODS[name].access), name)
      assert.match(METHODS[name].help, /^[A-Z].*\.$/u, name)
    }
  })

  it('has an entry for every code in src/', () => {
    const files = sourceFiles('src')
    assert.ok(files.length > 100)
    const missing = new Set<string>()
    for (const { path, text } of files)
      for (const pattern of [/readonly code = '([A-Z_]+)'/gu, /refuse\(\s*'([A-Z_]+)'/gu])
        for (const [, code = ''] of text.matchAll(pattern))
          if (!Object.hasOwn(ERROR_CODES, code) && !INTERNAL_CODES.has(code))
            missing.add(`${code} in ${path}`)
    assert.deepEqual([...missing], [], 'add them to src/rpc/error-table.ts and run npm run docs')
  })

  it('names each code once', () => {
    const codes = Object.values(ERROR_AREAS).flatMap(rows => rows.map(([code]) => code))
    assert.equal(new Set(codes).size, codes.length)
    for (const code of codes) assert.match(code, /^[A-Z][A-Z0-9_]+$/u)
  })

  it('documents the exit status of every kind', () => {
    const known = new Set(EXIT_STATUSES.map(([status]) => status))
    for (const { exit } of Object.values(ERROR_KINDS)) assert.ok(known.has(exit), String(exit))
  })

  it('maps codes to numbers and exit statuses', () => {
    assert.equal(rpcNumberOf('METHOD_UNKNOWN'), -32_601)
    assert.equal(rpcNumberOf('REQUEST_INVALID'), -32_600)
    assert.equal(rpcNumberOf('PARAMS_INVALID'), -32_602)
    assert.equal(exitCodeOf('NODE_NOT_RUNNING'), 69)
    assert.equal(exitCodeOf('HOME_LOCKED'), 75)
    assert.equal(exitCodeOf('toString'), 1)
  })

  it('describes whatever was thrown', () => {
    class Odd extends SwarmError {
      readonly code = 'ODD'
    }
    assert.deepEqual(describeError(new Odd('m')), { code: 'ODD', message: 'm', hint: '' })
    assert.equal(describeError(new TypeError('m')).code, 'INTERNAL')
    assert.equal(describeError('text').message, 'text')
    assert.equal(describeError(null).code, 'INTERNAL')
  })
})
